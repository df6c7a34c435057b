//! Throttling of password guesses (F07, F08): counted before hashing, per account and per network.

use std::time::Duration;

use super::time::Timestamp;

/// What is counted: a keyed hash, so that the store holds neither addresses nor account names here.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct ThrottleKey(pub [u8; 16]);

/// A growing delay after some free attempts, and a cap.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ThrottleRule {
    /// Attempts without any delay.
    pub free: u32,
    /// First delay; doubles with each further failure.
    pub first_delay: Duration,
    /// The delay grows up to this.
    pub longest_delay: Duration,
    /// Consecutive failures after which nothing is evaluated until `window` has passed (NIST SP 800-63B: ≤ 100).
    pub cap: u32,
    /// Failures are forgotten after this long without an attempt.
    pub window: Duration,
}

/// Counted attempts for one key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ThrottleState {
    /// Consecutive attempts that were not followed by a success.
    pub count: u32,
    /// When the last one was admitted.
    pub last_at: Timestamp,
}

/// Whether an attempt may be evaluated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Admission {
    /// Evaluate it; the new state is written before hashing begins.
    Admitted(ThrottleState),
    /// Refuse it unevaluated.
    Refused {
        /// When to try again.
        retry_at: Timestamp,
    },
}

impl ThrottleRule {
    /// Decides an attempt. Every admitted attempt counts as failed until a success clears the key, so parallel
    /// guesses cannot slip past the counter (F08).
    #[must_use]
    pub fn admit(&self, state: Option<ThrottleState>, now: Timestamp) -> Admission {
        let state = match state {
            Some(s) if now.since(s.last_at) < self.window => s,
            _ => ThrottleState::default(),
        };
        if state.count >= self.cap {
            return Admission::Refused { retry_at: state.last_at.plus(self.window) };
        }
        let retry_at = state.last_at.plus(self.delay_after(state.count));
        if now < retry_at {
            return Admission::Refused { retry_at };
        }
        Admission::Admitted(ThrottleState { count: state.count.saturating_add(1), last_at: now })
    }

    fn delay_after(&self, count: u32) -> Duration {
        if count < self.free {
            return Duration::ZERO;
        }
        let doublings = (count - self.free).min(20);
        self.first_delay.saturating_mul(1 << doublings).min(self.longest_delay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: ThrottleRule = ThrottleRule {
        free: 3,
        first_delay: Duration::from_secs(1),
        longest_delay: Duration::from_secs(8),
        cap: 10,
        window: Duration::from_secs(3600),
    };

    /// F07: free attempts, growing delay, cap, and forgetting.
    #[test]
    fn f07_delay_grows_and_is_capped() {
        let mut state = None;
        let mut now = Timestamp::from_secs(1000);
        let mut waits = vec![];
        for _ in 0..10 {
            match RULE.admit(state, now) {
                Admission::Admitted(s) => {
                    waits.push(0);
                    state = Some(s);
                }
                Admission::Refused { retry_at } => {
                    waits.push(retry_at.since(now).as_secs());
                    now = retry_at;
                    let Admission::Admitted(s) = RULE.admit(state, now) else { panic!() };
                    state = Some(s);
                }
            }
        }
        assert_eq!(waits, [0, 0, 0, 1, 2, 4, 8, 8, 8, 8]);
        assert!(matches!(RULE.admit(state, now.plus(Duration::from_secs(3599))), Admission::Refused { .. }));
        assert!(
            matches!(RULE.admit(state, now.plus(Duration::from_secs(3600))), Admission::Admitted(s) if s.count == 1)
        );
    }
}
