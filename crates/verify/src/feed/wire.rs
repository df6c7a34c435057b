//! What the feed says (docs/revocation-feed.md), parsed at the border.

use aws_lc_rs::digest;
use countersign_core::domain::id::{Epoch, Generation, Sid, UserId};
use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;

/// SHA-256 of the text of a claim: the feed names nobody to a reader who does not hold the token.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Hashed([u8; 32]);

impl Hashed {
    pub(crate) fn sid(sid: &Sid) -> Self {
        // `Sid` reads canonical base64url only, so this is the text of the claim.
        Self::of(&sid.to_claim())
    }

    pub(crate) fn user(user: &UserId) -> Self {
        Self::of(user.as_str())
    }

    fn of(text: &str) -> Self {
        let mut out = [0; 32];
        for (to, from) in out.iter_mut().zip(digest::digest(&digest::SHA256, text.as_bytes()).as_ref()) {
            *to = *from;
        }
        Self(out)
    }
}

impl TryFrom<String> for Hashed {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_bad| "not base64url")?;
        bytes.try_into().map(Self).map_err(|_length| "not 32 bytes")
    }
}

/// Where an answer ends. Opaque.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Cursor(Box<str>);

impl Cursor {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Cursor {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        // It goes back into a query and a header: nothing else may come along.
        let good = (1..=64).contains(&text.len())
            && text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_' || c == b'-');
        if good { Ok(Self(text.into())) } else { Err("not a cursor") }
    }
}

/// A snapshot, an answer to `?since=`, or the data of an event `changes`. Unknown members are ignored, missing ones are errors:
/// an answer of something else must not count as "nothing was revoked".
#[derive(Debug, Deserialize)]
pub(crate) struct Changes {
    pub(crate) iss: String,
    pub(crate) cursor: Cursor,
    pub(crate) keep_seconds: u64,
    pub(crate) sessions: Vec<Hashed>,
    pub(crate) users: Vec<User>,
    pub(crate) abandoned: Vec<Abandoned>,
}

/// A user all of whose older sessions ended.
#[derive(Debug, Deserialize)]
pub(crate) struct User {
    pub(crate) user: Hashed,
    epoch: u32,
}

impl User {
    /// The lowest epoch that is still good.
    pub(crate) const fn epoch(&self) -> Epoch {
        Epoch(self.epoch)
    }
}

/// Generations of a live session that somebody else may hold.
#[derive(Debug, Deserialize)]
pub(crate) struct Abandoned {
    pub(crate) session: Hashed,
    first: u32,
    last: u32,
}

impl Abandoned {
    /// First and last, inclusive.
    pub(crate) const fn range(&self) -> (Generation, Generation) {
        (Generation(self.first), Generation(self.last))
    }
}

/// The data of an event `heartbeat`: everything that the node knows has been sent.
#[derive(Debug, Deserialize)]
pub(crate) struct Heartbeat {
    pub(crate) iss: String,
    pub(crate) cursor: Cursor,
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"iss":"i","cursor":"17","keep_seconds":3660,"sessions":["n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg"],
        "users":[{"user":"n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg","epoch":4,"new":1}],"abandoned":[],"later":true}"#;

    /// "test", as in the documentation of the feed.
    #[test]
    fn hashes_are_sha256_of_the_claims_text() {
        let changes: Changes = serde_json::from_str(GOOD).unwrap();
        assert_eq!(changes.sessions, [Hashed::of("test")]);
        assert_eq!(Hashed::user(&UserId::parse("test").unwrap()), Hashed::of("test"));
    }

    /// H03: what lacks a member, or has another type in it, is no answer.
    #[test]
    fn h03_incomplete_answers_are_refused() {
        assert!(serde_json::from_str::<Changes>(GOOD).is_ok());
        for member in ["iss", "cursor", "keep_seconds", "sessions", "users", "abandoned"] {
            let mut value: serde_json::Value = serde_json::from_str(GOOD).unwrap();
            value.as_object_mut().unwrap().remove(member);
            assert!(serde_json::from_value::<Changes>(value.clone()).is_err(), "{member}");
            value[member] = serde_json::Value::Null;
            assert!(serde_json::from_value::<Changes>(value).is_err(), "{member} null");
        }
    }

    #[test]
    fn cursors_are_bounded() {
        for bad in ["", "a b", "a\r\nb", "a&b", &"x".repeat(65)] {
            assert!(Cursor::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
    }
}
