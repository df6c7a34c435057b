//! Stops a page load from being sent round and round through `/auth/refresh` (design §5 "Elsewhere").

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use countersign_core::domain::id::Sid;
use countersign_core::domain::time::Timestamp;

const WITHIN: Duration = Duration::from_secs(5);
/// Beyond this, old entries are dropped before a new one is noted.
const SWEEP_AT: usize = 4096;

/// When each session last passed.
#[derive(Debug, Default)]
pub(crate) struct ReturnGuard(Mutex<HashMap<Sid, Timestamp>>);

impl ReturnGuard {
    /// Notes a return; `false` if it is the second of this session within 5 s.
    pub(crate) fn admit(&self, sid: Sid, now: Timestamp) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.len() >= SWEEP_AT {
            last.retain(|_, at| now.since(*at) < WITHIN);
        }
        last.insert(sid, now).is_none_or(|at| now.since(at) >= WITHIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_return_within_five_seconds_is_refused() {
        let guard = ReturnGuard::default();
        let (a, b) = (Sid::from_bytes([1; 16]), Sid::from_bytes([2; 16]));
        assert!(guard.admit(a, Timestamp::from_secs(10)));
        assert!(guard.admit(b, Timestamp::from_secs(11)));
        assert!(!guard.admit(a, Timestamp::from_secs(14)));
        assert!(guard.admit(b, Timestamp::from_secs(16)));
    }
}
