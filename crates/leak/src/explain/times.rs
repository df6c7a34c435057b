//! When a token was made and when it ends.

use countersign_core::domain::time::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

/// Instants and spans; all absent where the token does not say.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Times {
    /// `iat`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued_at: Option<Timestamp>,
    /// `nbf`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// `exp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Since `iat`; absent if that is in the future.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_seconds: Option<u64>,
    /// From `iat` (else `nbf`) to `exp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifetime_seconds: Option<u64>,
    /// Until `exp`; 0 if it has passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining_seconds: Option<u64>,
}

/// How a time is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Written {
    /// A number of seconds (RFC 7519 §2).
    Seconds,
    /// Digits in a string.
    Text,
    /// Beyond the year 5000: milliseconds, taken for seconds by every verifier.
    Millis,
    /// Nothing that could be a time.
    Nonsense,
}

impl Times {
    pub(super) fn of(claims: &Map<String, Value>, now: Timestamp) -> Self {
        let at = |name: &str| claims.get(name).and_then(|value| read(value).0);
        let (issued_at, not_before, expires_at) = (at("iat"), at("nbf"), at("exp"));
        let since =
            |later: Timestamp, earlier: Timestamp| (later >= earlier).then(|| later.since(earlier).as_secs());
        Self {
            issued_at,
            not_before,
            expires_at,
            age_seconds: issued_at.and_then(|at| since(now, at)),
            lifetime_seconds: expires_at
                .and_then(|end| issued_at.or(not_before).and_then(|start| since(end, start))),
            remaining_seconds: expires_at.map(|end| end.since(now).as_secs()),
        }
    }

    /// Whether its end has passed.
    pub(super) fn is_over(&self) -> bool {
        self.remaining_seconds == Some(0)
    }
}

/// Year 5138 in seconds, and 1973 in milliseconds.
const MOST_SECONDS: i64 = 100_000_000_000;

/// A time, and how it is written. Milliseconds are told as the instant that was meant.
pub(super) fn read(value: &Value) -> (Option<Timestamp>, Written) {
    let (number, text) = match value {
        Value::Number(number) => (whole(number), false),
        Value::String(text) => (text.trim().parse().ok(), true),
        _ => (None, false),
    };
    match number {
        Some(seconds) if (0..MOST_SECONDS).contains(&seconds) => {
            let written = if text { Written::Text } else { Written::Seconds };
            (Some(Timestamp::from_secs(seconds)), written)
        }
        Some(millis) if millis >= MOST_SECONDS => (Some(Timestamp::from_millis(millis)), Written::Millis),
        _ => (None, Written::Nonsense),
    }
}

/// Fractions of a second are allowed (RFC 7519 §2) and cut.
fn whole(number: &serde_json::Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        let text = number.to_string();
        let (whole, _) = text.split_once('.').filter(|(_, fraction)| !fraction.contains(['e', 'E']))?;
        whole.parse().ok()
    })
}
