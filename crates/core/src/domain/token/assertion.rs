//! Assertions: the short-lived signed statement of identity for one upstream (design §4, K02).
//!
//! `typ: cs-assertion+jwt`, `purpose: "assertion"`. The gateway accepts none as a credential: what an upstream logs
//! cannot be replayed at the door.

use std::time::Duration;

use serde::Serialize;

use crate::domain::time::Timestamp;

/// The kind, in the header.
pub const TYP: &str = "cs-assertion+jwt";
/// The purpose, in the claims.
pub const PURPOSE: &str = "assertion";
/// Lifetime.
pub const TTL: Duration = Duration::from_secs(60);
/// For how long one may be reused for the same session, upstream and claims.
pub const REUSE: Duration = Duration::from_secs(30);

/// The claims of an assertion.
#[derive(Serialize, Debug)]
pub struct AssertionClaims<'a> {
    /// Issuer.
    pub iss: &'a str,
    /// User.
    pub sub: &'a str,
    /// The upstream's name, and those it forwards to.
    pub aud: &'a [Box<str>],
    /// Expiry, seconds.
    pub exp: i64,
    /// Issue, seconds.
    pub iat: i64,
    /// Unique id.
    pub jti: &'a str,
    /// Public id of the session, never the sid: upstreams log what they get. Not there for an API key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<&'a str>,
    /// Public id of the API key, instead of a session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key: Option<&'a str>,
    /// Environment.
    pub env: &'a str,
    /// Always [`PURPOSE`].
    pub purpose: &'static str,
    /// What the principal may do.
    pub scope: String,
    /// When the user proved who they are, seconds. Not there for an API key: with one nobody did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// How.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amr: Option<&'a [Box<str>]>,
    /// The address, only if verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<&'a str>,
    /// Present and true beside `email`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
}

/// `iat` and `exp` for an assertion made now.
#[must_use]
pub fn times(now: Timestamp) -> (i64, i64) {
    (now.as_secs(), now.plus(TTL).as_secs())
}
