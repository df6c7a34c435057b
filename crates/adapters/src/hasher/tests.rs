//! The pool as its callers see it. Memory is measured in `tests/f05_memory.rs`, which has a process of its own.

use std::num::NonZero;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::*;

fn hasher(workers: usize, queue: usize) -> Argon2Hasher {
    Argon2Hasher::new(&HasherConfig {
        workers: NonZero::new(workers),
        queue: Some(queue),
        release_after: Duration::from_millis(50),
        ..HasherConfig::default()
    })
}

fn password(text: &str) -> Password {
    Password::parse(text).unwrap()
}

const PEPPER: SecretArray<32> = SecretArray::new([9; 32]);

/// F04: what is hashed verifies, salts differ, and the PHC string is at the floor.
#[tokio::test]
async fn f04_hash_and_verify() {
    let hasher = hasher(1, 8);
    let secret = password("a long enough passphrase");
    let first = hasher.hash(&secret, &PEPPER).await.unwrap();
    let second = hasher.hash(&secret, &PEPPER).await.unwrap();
    assert_ne!(first.expose(), second.expose());
    assert!(first.expose().contains("$m=19456,t=2,p=1$"));
    assert_eq!(hasher.verify(&secret, Some(&first), &PEPPER).await.unwrap(), PasswordMatch::Yes);
    let wrong = password("another long passphrase");
    assert_eq!(hasher.verify(&wrong, Some(&first), &PEPPER).await.unwrap(), PasswordMatch::No);
    let other = SecretArray::new([8; 32]);
    assert_eq!(hasher.verify(&secret, Some(&first), &other).await.unwrap(), PasswordMatch::No);
}

/// F06: a comparison for an unknown user never matches and costs what a real one costs.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "measures real time")]
async fn f06_unknown_users_cost_the_same() {
    let hasher = hasher(1, 8);
    let secret = password("a long enough passphrase");
    let stored = hasher.hash(&secret, &PEPPER).await.unwrap();
    let wrong = password("another long passphrase");
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for _ in 0..9 {
        let start = Instant::now();
        assert_eq!(hasher.verify(&wrong, Some(&stored), &PEPPER).await.unwrap(), PasswordMatch::No);
        known.push(start.elapsed());
        let start = Instant::now();
        assert_eq!(hasher.verify(&wrong, None, &PEPPER).await.unwrap(), PasswordMatch::No);
        unknown.push(start.elapsed());
    }
    known.sort();
    unknown.sort();
    // Medians, with room for a busy machine: the mistake this guards against is a factor of thousands.
    let (known, unknown) = (known[4], unknown[4]);
    assert!(unknown > known / 3 && unknown < known * 3, "known {known:?}, unknown {unknown:?}");
}

/// F05: a full queue refuses; callers that gave up make room.
#[tokio::test]
async fn f05_a_full_queue_refuses_and_abandoned_jobs_make_room() {
    let hasher = Arc::new(hasher(1, 4));
    let spawn = || {
        let hasher = Arc::clone(&hasher);
        tokio::spawn(async move { hasher.verify(&password("whatever it is"), None, &PEPPER).await })
    };
    let waiting: Vec<_> = (0..40).map(|_| spawn()).collect();
    // One thread: every task has been polled once before this goes on.
    tokio::task::yield_now().await;
    let refused = waiting.iter().filter(|task| task.is_finished()).count();
    assert!((30..=36).contains(&refused), "{refused} of 40 refused at once");
    for task in &waiting {
        task.abort();
    }
    tokio::task::yield_now().await;
    assert_eq!(
        hasher.verify(&password("now there is room"), None, &PEPPER).await.unwrap(),
        PasswordMatch::No
    );
}
