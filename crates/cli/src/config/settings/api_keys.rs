//! API keys.

use crate::config::typed;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

/// `[api_keys]` (requirements §G)
#[derive(Debug)]
pub(crate) struct ApiKeys {
    /// The longest life of a key (G05).
    pub(crate) max_ttl: Duration,
    /// Keys that a user may have at once.
    pub(crate) max_per_user: u32,
}

pub(super) fn api_keys(typed: &typed::ApiKeys) -> ApiKeys {
    ApiKeys { max_ttl: typed.max_ttl.unwrap_or(DAY * 90), max_per_user: typed.max_per_user.unwrap_or(50) }
}
