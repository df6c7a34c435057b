//! Assertions: the short-lived signed statement of identity for one upstream (design §4, K02).
//!
//! `typ: cs-assertion+jwt`, `purpose: "assertion"`. The gateway accepts none as a credential: what an upstream logs
//! cannot be replayed at the door.

use std::time::Duration;

use serde::Serialize;

use super::claims::{self, Claims, Expected, Kind, Span};
use super::members::Field;
use super::refusal::TokenRefusal;
use super::trust::Trusted;
use crate::domain::environment::Environment;
use crate::domain::id::{PublicId, TokenId, UserId};
use crate::domain::scope::ScopeSet;
use crate::domain::time::Timestamp;

/// The kind, in the header.
pub const TYP: &str = "cs-assertion+jwt";
/// The purpose, in the claims.
pub const PURPOSE: &str = "assertion";
/// Lifetime; one that claims more is refused.
pub const TTL: Duration = Duration::from_secs(60);
/// For how long one may be reused for the same session, upstream and claims.
pub const REUSE: Duration = Duration::from_secs(30);

const KIND: Kind = Kind { typ: TYP, purpose: PURPOSE };

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

/// What an upstream expects.
#[derive(Clone, Debug)]
pub struct AssertionProfile {
    /// The upstream's own names; at least one must be in `aud`, exactly (A12).
    pub audience: Vec<Box<str>>,
    /// `env`.
    pub environment: Environment,
    /// Tolerated clock difference; more than [`claims::MAX_LEEWAY`] counts as that (A11).
    pub leeway: Duration,
}

/// What a good assertion says: who acts, and by what. Only [`verify`] makes one.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct VerifiedAssertion {
    /// The user: `sub`.
    pub user: UserId,
    /// The session's public id; none where an API key acts.
    pub session: Option<PublicId>,
    /// The API key's public id; none where a session acts.
    pub api_key: Option<PublicId>,
    /// What they may do.
    pub scope: ScopeSet,
    /// When the user proved who they are; with an API key nobody did.
    pub auth_time: Option<Timestamp>,
    /// How (`amr`, RFC 8176).
    pub amr: Vec<Box<str>>,
    /// The address: there only if somebody vouched for it.
    pub email: Option<Box<str>>,
    /// `jti`.
    pub id: TokenId,
    /// `iat`.
    pub issued_at: Timestamp,
    /// `exp`.
    pub expires_at: Timestamp,
}

/// Verifies an assertion, wholly: it lives for a minute, and nothing revokes one.
///
/// # Errors
/// [`TokenRefusal`].
pub fn verify(
    token: &str,
    profile: &AssertionProfile,
    trusted: &Trusted<'_>,
    now: Timestamp,
) -> Result<VerifiedAssertion, TokenRefusal> {
    let expected = Expected {
        kind: &KIND,
        audience: &profile.audience,
        environment: &profile.environment,
        leeway: profile.leeway,
        longest: Some(TTL),
    };
    claims::verify(token, &expected, trusted, now, judge)
}

fn judge(claims: &Claims<'_>, span: Span) -> Result<VerifiedAssertion, TokenRefusal> {
    // Nobody binds assertions; whoever does means a proof that is not there.
    if claims.cnf.is_some() || claims.bnd.is_some() {
        return Err(TokenRefusal::Bound);
    }
    let id = |field, name| PublicId::parse(claims::text(field, name)?).ok_or(TokenRefusal::Claim(name));
    let (session, api_key, auth_time, amr) = if claims.api_key.is_none() {
        let auth_time = claims::instant(&claims.auth_time, "auth_time")?;
        (Some(id(&claims.session, "session")?), None, Some(auth_time), claims::amr(claims)?)
    } else {
        // A session's login beside a key fits neither: a token that we never make.
        for (field, name) in
            [(&claims.session, "session"), (&claims.auth_time, "auth_time"), (&claims.amr, "amr")]
        {
            if field.is_some() {
                return Err(TokenRefusal::Claim(name));
            }
        }
        (None, Some(id(&claims.api_key, "api_key")?), None, Vec::new())
    };
    Ok(VerifiedAssertion {
        user: UserId::parse(claims::text(&claims.sub, "sub")?).ok_or(TokenRefusal::Claim("sub"))?,
        session,
        api_key,
        scope: claims::scope(claims)?,
        auth_time,
        amr,
        email: email(claims)?,
        id: TokenId::parse(claims::text(&claims.jti, "jti")?).ok_or(TokenRefusal::Claim("jti"))?,
        issued_at: span.issued_at,
        expires_at: span.expires_at,
    })
}

/// An address counts only beside `email_verified: true`; one without the other is a token that we never make.
fn email(claims: &Claims<'_>) -> Result<Option<Box<str>>, TokenRefusal> {
    match (&claims.email, &claims.email_verified) {
        (None, None) => Ok(None),
        (Some(Field::Text(email)), Some(Field::Flag(true))) if !email.is_empty() => {
            Ok(Some((**email).into()))
        }
        (Some(Field::Text(email)), _) if !email.is_empty() => Err(TokenRefusal::Claim("email_verified")),
        _ => Err(TokenRefusal::Claim("email")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// K02: an assertion is good for a minute from now.
    #[test]
    fn k02_a_minute_of_life() {
        assert_eq!(times(Timestamp::from_secs(1_000)), (1_000, 1_060));
    }
}
