//! Claims of signed tokens, read once, each with the one JSON type it may have (A10), and the checks that all kinds share.

use std::borrow::Cow;
use std::time::Duration;

use super::compact::Compact;
use super::jws::{self, Header, JwsRefusal};
use super::members::{self, Field, slots};
use super::refusal::TokenRefusal;
use super::trust::Trusted;
use crate::domain::environment::Environment;
use crate::domain::scope::ScopeSet;
use crate::domain::time::Timestamp;

/// Most clock difference that is ever tolerated (A11).
pub const MAX_LEEWAY: Duration = Duration::from_secs(60);

slots! {
    /// Every claim that any kind reads.
    Claims {
        iss: "iss", sub: "sub", aud: "aud", client_id: "client_id", exp: "exp", iat: "iat", nbf: "nbf", jti: "jti",
        sid: "sid", generation: "gen", epoch: "epoch", env: "env", purpose: "purpose", scope: "scope",
        auth_time: "auth_time", amr: "amr", cnf: "cnf", bnd: "bnd",
        session: "session", api_key: "api_key", email: "email", email_verified: "email_verified",
    }
}

/// A required string.
pub(super) fn text<'c>(field: &'c Option<Field<'_>>, name: &'static str) -> Result<&'c str, TokenRefusal> {
    match field {
        Some(Field::Text(text)) => Ok(text),
        _ => Err(TokenRefusal::Claim(name)),
    }
}

/// A required array of strings.
pub(super) fn texts<'c, 'a>(
    field: &'c Option<Field<'a>>,
    name: &'static str,
) -> Result<&'c [Cow<'a, str>], TokenRefusal> {
    match field {
        Some(Field::Texts(texts)) => Ok(texts),
        _ => Err(TokenRefusal::Claim(name)),
    }
}

/// A required counter.
pub(super) fn small(field: &Option<Field<'_>>, name: &'static str) -> Result<u32, TokenRefusal> {
    match field {
        Some(Field::Integer(number)) => {
            u32::try_from(*number).map_err(|_out_of_range| TokenRefusal::Claim(name))
        }
        _ => Err(TokenRefusal::Claim(name)),
    }
}

/// A required instant: a whole, non-negative number of seconds before the year 10000.
pub(super) fn instant(field: &Option<Field<'_>>, name: &'static str) -> Result<Timestamp, TokenRefusal> {
    match field {
        Some(Field::Integer(secs)) if (0..253_402_300_800).contains(secs) => Ok(Timestamp::from_secs(*secs)),
        _ => Err(TokenRefusal::Claim(name)),
    }
}

/// A required `scope`.
pub(super) fn scope(claims: &Claims<'_>) -> Result<ScopeSet, TokenRefusal> {
    ScopeSet::parse(text(&claims.scope, "scope")?).map_err(|_invalid| TokenRefusal::Claim("scope"))
}

/// A required `amr`.
pub(super) fn amr(claims: &Claims<'_>) -> Result<Vec<Box<str>>, TokenRefusal> {
    Ok(texts(&claims.amr, "amr")?.iter().map(|method| (**method).into()).collect())
}

/// What makes one kind of signed token another than the others (A08, A09).
#[derive(Debug)]
pub(super) struct Kind {
    /// `typ`.
    pub(super) typ: &'static str,
    /// `purpose`.
    pub(super) purpose: &'static str,
}

/// What every kind's profile expects.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected<'p> {
    pub(super) kind: &'static Kind,
    pub(super) audience: &'p [Box<str>],
    pub(super) environment: &'p Environment,
    pub(super) leeway: Duration,
    /// Longest life of a token of this kind, from `iat` to `exp`.
    pub(super) longest: Option<Duration>,
}

/// When it was issued, and until when it is good.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) issued_at: Timestamp,
    pub(super) expires_at: Timestamp,
}

/// Reads the claims of a token and checks all that the kinds have in common: form, kind, key, signature, issuer,
/// environment, purpose, audience, times. `judge` then reads what is the kind's own.
pub(super) fn verify<T>(
    token: &str,
    expected: &Expected<'_>,
    trusted: &Trusted<'_>,
    now: Timestamp,
    judge: impl FnOnce(&Claims<'_>, Span) -> Result<T, TokenRefusal>,
) -> Result<T, TokenRefusal> {
    let compact = Compact::decode(token)?;
    let mut claims = Claims::default();
    // Claims that are no JSON object are named before anything is said about the header: neither is proven yet.
    members::read(compact.payload(), &mut claims).ok_or(JwsRefusal::Malformed)?;
    // Named before the signature is checked: the keys differ too, but "wrong environment" is what the developer who
    // pasted a staging token needs to read. It is refused either way.
    if let Some(Field::Text(env)) = &claims.env
        && **env != *expected.environment.as_str()
        && Environment::parse(env).is_ok()
    {
        return Err(TokenRefusal::Environment);
    }
    check_signature(&compact, &claims, expected.kind, trusted)?;
    // From here on the claims are the issuer's own words.
    if text(&claims.env, "env")? != expected.environment.as_str() {
        return Err(TokenRefusal::Environment);
    }
    if text(&claims.purpose, "purpose")? != expected.kind.purpose {
        return Err(TokenRefusal::Purpose);
    }
    check_audience(&claims, expected.audience)?;
    let span = check_times(&claims, expected, now)?;
    judge(&claims, span)
}

fn check_signature(
    compact: &Compact<'_>,
    claims: &Claims<'_>,
    kind: &Kind,
    trusted: &Trusted<'_>,
) -> Result<(), TokenRefusal> {
    let header = Header::read(compact.header()).map_err(|refusal| match refusal {
        JwsRefusal::Kind => TokenRefusal::Purpose,
        other => TokenRefusal::Jws(other),
    })?;
    if header.algorithm().is_none() {
        return Err(JwsRefusal::Algorithm.into());
    }
    if header.typ() != Some(kind.typ) {
        return Err(TokenRefusal::Purpose);
    }
    let kid = header.kid().ok_or(JwsRefusal::KeyId)?;
    // The claimed issuer chooses among trusted sets only, and the signature covers the claim (A04).
    let key = trusted.key(text(&claims.iss, "iss")?, kid)?;
    Ok(jws::check_signature(compact, &header, key)?)
}

/// At least one exact match; a string stands for a list of one (RFC 7519 §4.1.3, A12).
fn check_audience(claims: &Claims<'_>, wanted: &[Box<str>]) -> Result<(), TokenRefusal> {
    let meant = |name: &str| wanted.iter().any(|w| **w == *name);
    let good = match &claims.aud {
        Some(Field::Text(one)) => meant(one),
        Some(Field::Texts(many)) => many.iter().any(|name| meant(name)),
        _ => return Err(TokenRefusal::Claim("aud")),
    };
    if good { Ok(()) } else { Err(TokenRefusal::Audience) }
}

fn check_times(claims: &Claims<'_>, expected: &Expected<'_>, now: Timestamp) -> Result<Span, TokenRefusal> {
    let leeway = expected.leeway.min(MAX_LEEWAY);
    let (issued_at, expires_at) = (instant(&claims.iat, "iat")?, instant(&claims.exp, "exp")?);
    let not_before = if claims.nbf.is_some() { instant(&claims.nbf, "nbf")? } else { issued_at };
    if now >= expires_at.plus(leeway) {
        return Err(TokenRefusal::Expired);
    }
    if issued_at.max(not_before) > now.plus(leeway) {
        return Err(TokenRefusal::NotYet);
    }
    if expected.longest.is_some_and(|longest| expires_at.since(issued_at) > longest) {
        return Err(TokenRefusal::Lifetime);
    }
    Ok(Span { issued_at, expires_at })
}

/// When a token says it was issued. Unproven: for verifying an expired token as of its own time.
pub(super) fn issued_at_unverified(token: &str) -> Option<Timestamp> {
    let compact = Compact::decode(token).ok()?;
    let mut claims = Claims::default();
    members::read(compact.payload(), &mut claims)?;
    instant(&claims.iat, "iat").ok()
}
