//! Counted guesses.

use std::time::Duration;

use countersign_core::domain::throttle::{Admission, ThrottleKey, ThrottleRule};
use countersign_core::port::Store;

use crate::support::at;

const RULE: ThrottleRule = ThrottleRule {
    free: 2,
    first_delay: Duration::from_secs(10),
    longest_delay: Duration::from_secs(10),
    cap: 100,
    window: Duration::from_secs(3600),
};
const STRICT: ThrottleRule = ThrottleRule { free: 1, cap: 1, ..RULE };
const A: ThrottleKey = ThrottleKey([1; 16]);
const B: ThrottleKey = ThrottleKey([2; 16]);

fn count(admission: Admission) -> u32 {
    match admission {
        Admission::Admitted(state) => state.count,
        Admission::Refused { retry_at } => panic!("refused until {retry_at:?}"),
    }
}

/// F08: one refusal counts nothing anywhere.
pub(crate) async fn f08_all_keys_or_none<S: Store>(store: &S) {
    assert_eq!(count(store.admit_attempt(&[(A, RULE), (B, STRICT)], at(1)).await.unwrap()), 1);
    let refused = store.admit_attempt(&[(A, RULE), (B, STRICT)], at(2)).await.unwrap();
    assert_eq!(refused, Admission::Refused { retry_at: at(1 + 3600) });
    // Had A been counted, this would be its third.
    assert_eq!(count(store.admit_attempt(&[(A, RULE)], at(3)).await.unwrap()), 2);
    let refused = store.admit_attempt(&[(A, RULE)], at(4)).await.unwrap();
    assert_eq!(refused, Admission::Refused { retry_at: at(13) });
    // With several refusals, the latest instant: before it the answer would be no again.
    let refused = store.admit_attempt(&[(B, STRICT), (A, RULE)], at(4)).await.unwrap();
    assert_eq!(refused, Admission::Refused { retry_at: at(3601) });
    assert_eq!(count(store.admit_attempt(&[(A, RULE)], at(13)).await.unwrap()), 3);
    assert_eq!(count(store.admit_attempt(&[], at(13)).await.unwrap()), 0);
}

/// F07: a success clears the counter.
pub(crate) async fn f07_a_success_forgets<S: Store>(store: &S) {
    for second in [1, 2] {
        store.admit_attempt(&[(A, RULE), (B, RULE)], at(second)).await.unwrap();
    }
    store.clear_attempts(&[A, ThrottleKey([9; 16])]).await.unwrap();
    assert_eq!(count(store.admit_attempt(&[(A, RULE)], at(3)).await.unwrap()), 1);
    assert!(matches!(store.admit_attempt(&[(B, RULE)], at(3)).await.unwrap(), Admission::Refused { .. }));
}

/// F07: a success of one account takes its own attempt back, and forgives no other of the network.
pub(crate) async fn f07_a_success_is_taken_back<S: Store>(store: &S) {
    assert_eq!(count(store.admit_attempt(&[(A, RULE)], at(1)).await.unwrap()), 1);
    assert_eq!(count(store.admit_attempt(&[(A, RULE)], at(2)).await.unwrap()), 2);
    store.forgive_attempt(A).await.unwrap();
    store.forgive_attempt(ThrottleKey([9; 16])).await.unwrap();
    assert_eq!(count(store.admit_attempt(&[(A, RULE)], at(3)).await.unwrap()), 2);
}

/// F07: failures are forgotten after the window.
pub(crate) async fn f07_failures_are_forgotten_after_the_window<S: Store>(store: &S) {
    for second in [1, 2] {
        store.admit_attempt(&[(A, RULE)], at(second)).await.unwrap();
    }
    assert_eq!(count(store.admit_attempt(&[(A, RULE)], at(2 + 3600)).await.unwrap()), 1);
}

/// F08: 1000 parallel guesses, at most the cap is evaluated.
pub(crate) async fn f08_1000_parallel_guesses_do_not_pass_the_cap<S: Store>(store: &S) {
    let keys = [(A, ThrottleRule { free: 1000, cap: 20, ..RULE })];
    let guesses = (0..1000).map(|_| store.admit_attempt(&keys, at(1)));
    // Held in vectors so that all of them are under way at once.
    let mut guesses: Vec<_> = guesses.map(Box::pin).collect();
    let mut admitted = 0;
    let mut answers = Vec::new();
    std::future::poll_fn(|context| {
        guesses.retain_mut(|guess| match guess.as_mut().poll(context) {
            std::task::Poll::Ready(answer) => {
                answers.push(answer.unwrap());
                false
            }
            std::task::Poll::Pending => true,
        });
        if guesses.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    for answer in answers {
        admitted += u32::from(matches!(answer, Admission::Admitted(_)));
    }
    assert_eq!(admitted, 20);
}
