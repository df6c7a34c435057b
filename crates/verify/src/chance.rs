//! Randomness that guards nothing: request ids, and pauses that differ between verifiers.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Differs each time; predictable for whoever has seen enough of it, so good for nothing that must be secret.
fn number() -> u64 {
    RandomState::new().hash_one(0u8)
}

/// 16 hexadecimal digits.
pub(crate) fn request_id() -> String {
    format!("{:016x}", number())
}

/// A span of 1 to 1.25 times `span`: verifiers that lost one node do not all come back at one instant.
pub(crate) fn spread(span: Duration) -> Duration {
    let quarter = u64::try_from(span.as_millis()).unwrap_or(u64::MAX) / 4;
    span + Duration::from_millis(number() % quarter.max(1))
}
