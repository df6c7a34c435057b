//! Access tokens: `typ: at+jwt`, `purpose: "access"` (design §4; RFC 9068).

use std::time::Duration;

use serde::Serialize;

use super::claims::{self, Claims, Expected, Kind, MAX_LEEWAY, Span};
use super::refusal::TokenRefusal;
use super::standing::{Proven, Standing, Statement, Subject, Unproven};
use super::trust::{self, Trusted};
use crate::domain::environment::Environment;
use crate::domain::id::{Epoch, Generation, Sid, TokenId, UserId};
use crate::domain::scope::ScopeSet;
use crate::domain::time::Timestamp;

/// The kind, in the header.
pub const TYP: &str = "at+jwt";
/// The purpose, in the claims.
pub const PURPOSE: &str = "access";
/// The `client_id` of sessions that live in cookies.
pub const COOKIE_CLIENT: &str = "countersign";
/// Longest life in a hardened environment, and of another issuer's token anywhere: verifiers remember revocations for
/// this long (design §4, §6).
pub const LONGEST: Duration = Duration::from_secs(3600);

const KIND: Kind = Kind { typ: TYP, purpose: PURPOSE };

/// What an access token says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccessClaims {
    /// `sub`; for another issuer's token the name that its user has here ([`trust::user_of`], A21).
    pub user: UserId,
    /// `sid`.
    pub sid: Sid,
    /// `gen`.
    pub generation: Generation,
    /// `epoch`.
    pub epoch: Epoch,
    /// `scope`.
    pub scope: ScopeSet,
    /// `auth_time`.
    pub auth_time: Timestamp,
    /// `amr`.
    pub amr: Vec<Box<str>>,
    /// `client_id`.
    pub client: Box<str>,
    /// `jti`.
    pub id: TokenId,
    /// `iat`.
    pub issued_at: Timestamp,
    /// `exp`.
    pub expires_at: Timestamp,
}

/// What a verifier expects, and what an issuer writes.
#[derive(Clone, Debug)]
pub struct AccessProfile {
    /// `iss` of the home issuer, compared exactly (A13).
    pub issuer: Box<str>,
    /// At least one must be in `aud`, exactly (A12).
    pub audience: Vec<Box<str>>,
    /// `env`.
    pub environment: Environment,
    /// Tolerated clock difference; more than [`MAX_LEEWAY`] counts as that (A11).
    pub leeway: Duration,
}

impl AccessProfile {
    /// Whether a token is past its end, leeway included (A11).
    #[must_use]
    pub fn has_expired(&self, expires_at: Timestamp, now: Timestamp) -> bool {
        now >= expires_at.plus(self.leeway.min(MAX_LEEWAY))
    }
}

#[derive(Serialize)]
struct Wire<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: Audience<'a>,
    client_id: &'a str,
    exp: i64,
    iat: i64,
    jti: &'a str,
    sid: String,
    #[serde(rename = "gen")]
    generation: u32,
    epoch: u32,
    env: &'a str,
    purpose: &'static str,
    scope: String,
    auth_time: i64,
    amr: &'a [Box<str>],
}

#[derive(Serialize)]
#[serde(untagged)]
enum Audience<'a> {
    One(&'a str),
    Many(&'a [Box<str>]),
}

/// The claims as JSON, ready to sign.
#[must_use]
pub fn to_json<'a>(claims: &'a AccessClaims, profile: &'a AccessProfile) -> impl Serialize + 'a {
    Wire {
        iss: &profile.issuer,
        sub: claims.user.as_str(),
        aud: match profile.audience.as_slice() {
            [one] => Audience::One(one),
            many => Audience::Many(many),
        },
        client_id: &claims.client,
        exp: claims.expires_at.as_secs(),
        iat: claims.issued_at.as_secs(),
        jti: claims.id.as_str(),
        sid: claims.sid.to_claim(),
        generation: claims.generation.0,
        epoch: claims.epoch.0,
        env: profile.environment.as_str(),
        purpose: PURPOSE,
        scope: claims.scope.to_string(),
        auth_time: claims.auth_time.as_secs(),
        amr: &claims.amr,
    }
}

/// When a token says it was issued. Unproven: for verifying an expired token as of its own time.
#[must_use]
pub fn issued_at_unverified(token: &str) -> Option<Timestamp> {
    claims::issued_at_unverified(token)
}

/// Verifies an access token in one call that cannot be half used: form, kind, algorithm, key, signature, issuer,
/// environment, purpose, audience, times, the type of each claim, binding, and then what `standing` knows of the
/// session: revocation, epoch, abandonment. `standing` is asked only about tokens that are otherwise good.
///
/// # Errors
/// [`Unproven`].
pub fn verify(
    token: &str,
    profile: &AccessProfile,
    trusted: &Trusted<'_>,
    now: Timestamp,
    standing: impl FnOnce(&Subject<'_>) -> Standing,
) -> Result<Proven, Unproven> {
    let statement = check(token, profile, trusted, now)?;
    let found = standing(&statement.subject());
    Ok(statement.stands(found)?)
}

/// The part of [`verify`] that needs nothing but the token: for callers that must wait for a store before they know how
/// the session stands. No claims come out before they say.
///
/// # Errors
/// [`TokenRefusal`].
pub fn check(
    token: &str,
    profile: &AccessProfile,
    trusted: &Trusted<'_>,
    now: Timestamp,
) -> Result<Statement, TokenRefusal> {
    let expected = Expected {
        kind: &KIND,
        audience: &profile.audience,
        environment: &profile.environment,
        leeway: profile.leeway,
        longest: profile.environment.is_hardened().then_some(LONGEST),
    };
    claims::verify(token, &expected, trusted, now, |claims, span| judge(claims, span, trusted))
}

fn judge(claims: &Claims<'_>, span: Span, trusted: &Trusted<'_>) -> Result<Statement, TokenRefusal> {
    // Bindings are refused until a proof can be presented with the token: accepting one as bearer would undo it (E04).
    if claims.cnf.is_some() || claims.bnd.is_some() {
        return Err(TokenRefusal::Bound);
    }
    let issuer = claims::text(&claims.iss, "iss")?;
    let subject = UserId::parse(claims::text(&claims.sub, "sub")?).ok_or(TokenRefusal::Claim("sub"))?;
    let foreign = !trusted.is_home(issuer);
    if foreign && span.expires_at.since(span.issued_at) > LONGEST {
        return Err(TokenRefusal::Lifetime);
    }
    let client = claims::text(&claims.client_id, "client_id")?;
    if client.is_empty() {
        return Err(TokenRefusal::Claim("client_id"));
    }
    let read = AccessClaims {
        user: if foreign { trust::user_of(issuer, &subject) } else { subject },
        sid: Sid::from_claim(claims::text(&claims.sid, "sid")?).ok_or(TokenRefusal::Claim("sid"))?,
        generation: Generation(claims::small(&claims.generation, "gen")?),
        epoch: Epoch(claims::small(&claims.epoch, "epoch")?),
        scope: claims::scope(claims)?,
        auth_time: claims::instant(&claims.auth_time, "auth_time")?,
        amr: claims::amr(claims)?,
        client: client.into(),
        id: TokenId::parse(claims::text(&claims.jti, "jti")?).ok_or(TokenRefusal::Claim("jti"))?,
        issued_at: span.issued_at,
        expires_at: span.expires_at,
    };
    Ok(Statement::new(read, foreign.then(|| issuer.into())))
}
