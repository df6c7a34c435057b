//! The system's wall clock.

use std::time::{SystemTime, UNIX_EPOCH};

use countersign_core::domain::time::Timestamp;
use countersign_core::port::Clock;

/// UTC as the operating system tells it, in milliseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the Clock port")]
    fn now(&self) -> Timestamp {
        // A clock before 1970 counts as 1970: every token is then from the future and refused, none is good for ever.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_after_2020_and_moves_on() {
        let first = SystemClock.now();
        assert!(first > Timestamp::parse_rfc3339("2020-01-01T00:00:00Z").unwrap());
        std::thread::sleep(std::time::Duration::from_millis(3));
        assert!(SystemClock.now() > first);
    }
}
