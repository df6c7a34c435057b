//! F05 measured: 500 logins at once take the memory of the workers, not of the logins, and idleness gives it back.
//! One test in a process of its own, because it reads the memory of the process.

#![expect(clippy::unwrap_used, reason = "a test")]
#![cfg(target_os = "linux")]

use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use countersign_adapters::hasher::{Argon2Hasher, HasherConfig};
use countersign_core::domain::password::Password;
use countersign_core::domain::secret::SecretArray;
use countersign_core::port::{HashError, PasswordHasher};

const WORKERS: usize = 2;

/// A line of `/proc/self/status`, in KiB.
fn status(field: &str) -> usize {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Worker threads of this process.
fn workers() -> usize {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let names = threads.filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("comm")).ok());
    names.filter(|name| name.trim() == "password-hash").count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f05_500_concurrent_logins_stay_within_the_memory_of_the_workers() {
    let hasher = Arc::new(Argon2Hasher::new(&HasherConfig {
        workers: NonZero::new(WORKERS),
        queue: Some(32),
        release_after: Duration::from_millis(200),
        ..HasherConfig::default()
    }));
    let before = status("VmRSS");
    // Twice: memory that an allocator keeps after the first round would show after the second.
    for _ in 0..2 {
        let logins: Vec<_> = (0..500)
            .map(|_| {
                let hasher = Arc::clone(&hasher);
                tokio::spawn(async move {
                    let password = Password::parse("correct horse battery").unwrap();
                    hasher.verify(&password, None, &SecretArray::new([1; 32])).await
                })
            })
            .collect();
        let (mut answered, mut busy) = (0, 0);
        for login in logins {
            match login.await.unwrap() {
                Ok(_) => answered += 1,
                Err(HashError::Busy) => busy += 1,
                Err(other) => panic!("{other}"),
            }
        }
        assert!(answered >= 32, "{answered} answered");
        assert!(busy > 0, "nobody was told to come back");
        assert!((1..=WORKERS).contains(&workers()), "{} workers", workers());
        tokio::time::sleep(Duration::from_millis(600)).await;
        assert_eq!(workers(), 0, "idle workers stay");
    }
    let (peak, idle) = (status("VmHWM"), status("VmRSS"));
    assert!(peak - before >= 19_456, "nothing was hashed: {before} KiB to {peak} KiB");
    assert!(peak - before <= WORKERS * 19_456 + 8 * 1024, "{before} KiB grew to {peak} KiB");
    assert!(idle.saturating_sub(before) <= 8 * 1024, "{before} KiB before, {idle} KiB when idle");
}
