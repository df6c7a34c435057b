//! Never more requests in a second than the caller allowed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

/// Spaces requests evenly, and counts them.
#[derive(Debug)]
pub struct Pace {
    interval: Duration,
    next: Mutex<Option<Instant>>,
    sent: AtomicU64,
}

impl Pace {
    /// At most `per_second` requests in a second; at least one.
    #[must_use]
    pub fn new(per_second: u32) -> Self {
        let interval = Duration::from_secs(1) / per_second.max(1);
        Self { interval, next: Mutex::new(None), sent: AtomicU64::new(0) }
    }

    /// Waits for the next turn.
    pub async fn turn(&self) {
        let at = {
            let mut next = self.next.lock().await;
            let now = Instant::now();
            let at = next.map_or(now, |next| next.max(now));
            *next = Some(at + self.interval);
            at
        };
        self.sent.fetch_add(1, Ordering::Relaxed);
        sleep_until(at).await;
    }

    /// Requests so far.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn requests_are_spaced() {
        let pace = Pace::new(10);
        let start = Instant::now();
        for _ in 0..11 {
            pace.turn().await;
        }
        assert_eq!(start.elapsed().as_millis(), 1000);
        assert_eq!(pace.sent(), 11);
    }
}
