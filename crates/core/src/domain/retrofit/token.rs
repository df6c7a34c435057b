//! An upstream's token as it is kept: with what renews it and when it ends.

use std::fmt;

use super::claims;
use super::pointer::Pointer;
use crate::domain::secret::{SecretBytes, SecretString};
use crate::domain::time::Timestamp;

/// The layout of [`UpstreamToken::to_bytes`].
const VERSION: u8 = 1;
/// Stands for "not known" where the expiry is written.
const NEVER: i64 = i64::MAX;

/// A token that an upstream handed out. It never prints.
pub struct UpstreamToken {
    /// The token.
    pub value: SecretString,
    /// What the upstream's own refresh call takes, if it is another.
    pub refresh: Option<SecretString>,
    /// When it ends, as far as it says.
    pub expires_at: Option<Timestamp>,
}

/// What becomes of a session whose upstream answered 401.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It lives on: a 401 may mean many things.
    LivesOn,
    /// It ends.
    Ends,
}

impl UpstreamToken {
    /// A token as it came. `declared` is what the answer said about its expiry (a cookie's `Max-Age`, say); a JWT's own `exp` counts
    /// before that.
    #[must_use]
    pub fn new(value: SecretString, refresh: Option<SecretString>, declared: Option<Timestamp>) -> Self {
        let expires_at = expiry(value.expose()).or(declared);
        Self { value, refresh, expires_at }
    }

    /// Whether its own time has passed.
    #[must_use]
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| now >= at)
    }

    /// Who it is for: the text or number at a place among its claims.
    #[must_use]
    pub fn subject(&self, pointer: &Pointer) -> Option<String> {
        let (_, claims) = claims::read(self.value.expose())?;
        match pointer.find(&serde_json::Value::Object(claims))? {
            serde_json::Value::String(text) => Some(text.clone()),
            serde_json::Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// After a 401 that no fresh token could mend. A 401 alone proves nothing: a wrong password is one too, and so is a scope
    /// that is missing.
    #[must_use]
    pub fn after_401(&self, end_on_401: bool, now: Timestamp) -> Fate {
        if end_on_401 || self.has_expired(now) { Fate::Ends } else { Fate::LivesOn }
    }

    /// The same in place of an older one: what renews it is kept if the upstream sent no other.
    #[must_use]
    pub fn succeeding(mut self, older: &Self) -> Self {
        if self.refresh.is_none() {
            self.refresh = older.refresh.as_ref().map(|text| SecretString::new(text.expose().to_owned()));
        }
        self
    }

    /// For sealing: version 1 ‖ expiry in ms, 8 ‖ length of the token, 4 ‖ token ‖ refresh token.
    #[must_use]
    pub fn to_bytes(&self) -> SecretBytes {
        let (value, refresh) =
            (self.value.expose().as_bytes(), self.refresh.as_ref().map(|text| text.expose().as_bytes()));
        let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
        let mut out = Vec::with_capacity(13 + value.len() + refresh.map_or(0, <[u8]>::len));
        out.push(VERSION);
        out.extend_from_slice(&self.expires_at.map_or(NEVER, Timestamp::as_millis).to_be_bytes());
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(value);
        out.extend_from_slice(refresh.unwrap_or_default());
        SecretBytes::new(out)
    }

    /// The reverse; `None` for anything else.
    #[must_use]
    pub fn from_bytes(bytes: &SecretBytes) -> Option<Self> {
        let (version, rest) = bytes.expose().split_first()?;
        let (expiry, rest) = rest.split_first_chunk::<8>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (value, refresh) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        let text = |bytes: &[u8]| Some(SecretString::new(std::str::from_utf8(bytes).ok()?.to_owned()));
        let expiry = Some(i64::from_be_bytes(*expiry)).filter(|millis| *millis != NEVER);
        let refresh = if refresh.is_empty() { None } else { Some(text(refresh)?) };
        (*version == VERSION).then_some(())?;
        Some(Self { value: text(value)?, refresh, expires_at: expiry.map(Timestamp::from_millis) })
    }
}

/// `exp` of a JWT, in seconds, fractions included (RFC 7519 §2).
fn expiry(token: &str) -> Option<Timestamp> {
    let (_, claims) = claims::read(token)?;
    let seconds = claims.get("exp")?.as_f64().filter(|seconds| (0.0..1e11).contains(seconds))?;
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
    Some(Timestamp::from_millis((seconds * 1000.0) as i64))
}

impl fmt::Debug for UpstreamToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamToken").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64URL_NOPAD;
    use proptest::prelude::{any, proptest};

    use super::*;

    fn token(claims: &str) -> UpstreamToken {
        let part = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
        let text = format!("{}.{}.c2ln", part(r#"{"alg":"HS256"}"#), part(claims));
        UpstreamToken::new(SecretString::new(text), None, Some(Timestamp::from_secs(5)))
    }

    #[test]
    fn expiry_and_subject() {
        assert_eq!(token(r#"{"exp":1700000000}"#).expires_at, Some(Timestamp::from_secs(1_700_000_000)));
        assert_eq!(token(r#"{"exp":1.5}"#).expires_at, Some(Timestamp::from_millis(1500)));
        for other in ["{}", r#"{"exp":"1"}"#, r#"{"exp":-1}"#, r#"{"exp":1e300}"#] {
            assert_eq!(token(other).expires_at, Some(Timestamp::from_secs(5)), "{other}");
        }
        let subject = |claims, at| token(claims).subject(&Pointer::parse(at).unwrap());
        assert_eq!(subject(r#"{"sub":"7"}"#, "/sub").as_deref(), Some("7"));
        assert_eq!(subject(r#"{"user":{"id":7}}"#, "/user/id").as_deref(), Some("7"));
        assert_eq!(subject(r#"{"sub":["7"]}"#, "/sub"), None);
        let opaque = UpstreamToken::new(SecretString::new("opaque".into()), None, None);
        assert_eq!((opaque.subject(&Pointer::parse("/sub").unwrap()), opaque.expires_at), (None, None));
    }

    /// A 401 ends a session only if the token's own time has passed, or the operator says so.
    #[test]
    fn what_a_401_means() {
        let token = token(r#"{"exp":100}"#);
        assert_eq!(token.after_401(false, Timestamp::from_secs(99)), Fate::LivesOn);
        assert_eq!(token.after_401(false, Timestamp::from_secs(100)), Fate::Ends);
        assert_eq!(token.after_401(true, Timestamp::from_secs(99)), Fate::Ends);
        let endless = UpstreamToken::new(SecretString::new("x".into()), None, None);
        assert_eq!(endless.after_401(false, Timestamp::from_secs(i64::MAX / 2000)), Fate::LivesOn);
    }

    #[test]
    fn i03_it_does_not_print() {
        assert!(!format!("{:?}", token("{}")).contains("eyJ"));
    }

    proptest! {
        #[test]
        fn round_trip(value in "\\PC{0,40}", refresh in "\\PC{1,40}", has in any::<bool>(), expiry in any::<i32>()) {
            let token = UpstreamToken {
                value: SecretString::new(value.clone()),
                refresh: has.then(|| SecretString::new(refresh.clone())),
                expires_at: has.then(|| Timestamp::from_secs(expiry.into())),
            };
            let again = UpstreamToken::from_bytes(&token.to_bytes()).unwrap();
            assert_eq!((again.value.expose(), again.expires_at), (value.as_str(), token.expires_at));
            assert_eq!(again.refresh.map(|text| text.expose().to_owned()), has.then_some(refresh));
        }

        #[test]
        fn hostile_bytes(bytes in any::<Vec<u8>>()) {
            drop(UpstreamToken::from_bytes(&SecretBytes::new(bytes)));
        }
    }
}
