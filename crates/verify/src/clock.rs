//! The wall clock.

use std::time::{SystemTime, UNIX_EPOCH};

use countersign_core::domain::time::Timestamp;

/// Now.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where this library reads the wall clock; the builder takes another"
)]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
