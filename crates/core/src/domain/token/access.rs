//! Access tokens: `typ: at+jwt`, `purpose: "access"` (design §4; RFC 9068).

use serde::Serialize;
use serde_json::{Map, Value};

use super::jws::{JwsRefusal, KeySet, Unverified};
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

/// What an access token says. Existing only as the result of [`verify`] or on the way into a new token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccessClaims {
    /// `sub`.
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

/// What a verifier expects.
#[derive(Clone, Debug)]
pub struct AccessProfile {
    /// `iss`, compared exactly (A13).
    pub issuer: Box<str>,
    /// At least one must be in `aud`, exactly (A12).
    pub audience: Vec<Box<str>>,
    /// `env`.
    pub environment: Environment,
    /// Tolerated clock difference, at most 60 s (A11).
    pub leeway: std::time::Duration,
}

/// Why an access token was refused. Its text is for logs; answers say less.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AccessRefusal {
    /// The JWS itself.
    #[error(transparent)]
    Jws(#[from] JwsRefusal),
    /// A required claim is missing or has the wrong JSON type (A10).
    #[error("claim missing or of the wrong type: {0}")]
    Claim(&'static str),
    /// `iss` is another.
    #[error("issued by somebody else")]
    Issuer,
    /// `aud` names others only.
    #[error("meant for somebody else")]
    Audience,
    /// `env` is another, or an unverifiable token claims another.
    #[error("token of another environment")]
    Environment,
    /// `typ` or `purpose` is of another kind.
    #[error("token of another kind")]
    Purpose,
    /// Past `exp`.
    #[error("expired")]
    Expired,
    /// `iat` or `nbf` in the future.
    #[error("not yet valid")]
    NotYet,
    /// It is bound to a device key and came without a proof (E04).
    #[error("bound to a device key")]
    Bound,
}

#[derive(Serialize)]
struct Wire<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a Value,
    client_id: &'a str,
    exp: i64,
    iat: i64,
    jti: &'a str,
    sid: String,
    #[serde(rename = "gen")]
    generation: u32,
    epoch: u32,
    env: &'a str,
    purpose: &'a str,
    scope: String,
    auth_time: i64,
    amr: &'a [Box<str>],
}

/// The claims as JSON, ready to sign.
#[must_use]
pub fn to_json(claims: &AccessClaims, profile: &AccessProfile) -> impl Serialize {
    let aud = match profile.audience.as_slice() {
        [one] => Value::from(&**one),
        many => Value::from(many.iter().map(|a| Value::from(&**a)).collect::<Vec<_>>()),
    };
    let wire = Wire {
        iss: &profile.issuer,
        sub: claims.user.as_str(),
        aud: &aud,
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
    };
    serde_json::to_value(wire).unwrap_or_default()
}

/// When a token says it was issued. Unproven: for verifying an expired token as of its own time.
#[must_use]
pub fn issued_at_unverified(token: &str) -> Option<Timestamp> {
    let unverified = Unverified::parse(token).ok()?;
    unverified.unverified_number("iat").filter(|s| (0..253_402_300_800).contains(s)).map(Timestamp::from_secs)
}

/// Verifies everything that the token itself can prove: kind, key, signature, issuer, audience, environment, purpose, times, types.
/// Revocation, epoch and abandoned generations are the service's part.
///
/// # Errors
/// [`AccessRefusal`].
pub fn verify(
    token: &str,
    profile: &AccessProfile,
    keys: &KeySet,
    now: Timestamp,
) -> Result<AccessClaims, AccessRefusal> {
    let unverified = Unverified::parse(token)?;
    // Named before the signature is checked: the keys differ too, but "wrong environment" is what the developer who
    // pasted a staging token needs to read. It is refused either way.
    let env = unverified.unverified_claim("env").map(str::to_owned);
    if env
        .as_deref()
        .is_some_and(|env| env != profile.environment.as_str() && Environment::parse(env).is_ok())
    {
        return Err(AccessRefusal::Environment);
    }
    let (claims, _kid) = unverified.verify(TYP, keys).map_err(|refusal| match refusal {
        JwsRefusal::Kind => AccessRefusal::Purpose,
        other => AccessRefusal::Jws(other),
    })?;
    let read = Claims(&claims);
    if read.text("iss")? != &*profile.issuer {
        return Err(AccessRefusal::Issuer);
    }
    if read.text("env")? != profile.environment.as_str() {
        return Err(AccessRefusal::Environment);
    }
    if read.text("purpose")? != PURPOSE {
        return Err(AccessRefusal::Purpose);
    }
    if !read.audience()?.iter().any(|a| profile.audience.iter().any(|wanted| **wanted == **a)) {
        return Err(AccessRefusal::Audience);
    }
    let (issued_at, expires_at) = (read.instant("iat")?, read.instant("exp")?);
    if now >= expires_at.plus(profile.leeway) {
        return Err(AccessRefusal::Expired);
    }
    let horizon = now.plus(profile.leeway);
    if issued_at > horizon || (claims.contains_key("nbf") && read.instant("nbf")? > horizon) {
        return Err(AccessRefusal::NotYet);
    }
    // Bindings are refused until a proof can be presented with the token: accepting one as bearer would undo it (E04).
    if claims.contains_key("cnf") || claims.contains_key("bnd") {
        return Err(AccessRefusal::Bound);
    }
    Ok(AccessClaims {
        user: UserId::parse(read.text("sub")?).ok_or(AccessRefusal::Claim("sub"))?,
        sid: Sid::from_claim(read.text("sid")?).ok_or(AccessRefusal::Claim("sid"))?,
        generation: Generation(read.small("gen")?),
        epoch: Epoch(read.small("epoch")?),
        scope: ScopeSet::parse(read.text("scope")?).map_err(|_invalid| AccessRefusal::Claim("scope"))?,
        auth_time: read.instant("auth_time")?,
        amr: read.texts("amr")?,
        client: read.text("client_id")?.into(),
        id: TokenId::parse(read.text("jti")?).ok_or(AccessRefusal::Claim("jti"))?,
        issued_at,
        expires_at,
    })
}

struct Claims<'c>(&'c Map<String, Value>);

impl<'c> Claims<'c> {
    fn text(&self, name: &'static str) -> Result<&'c str, AccessRefusal> {
        self.0.get(name).and_then(Value::as_str).ok_or(AccessRefusal::Claim(name))
    }

    fn texts(&self, name: &'static str) -> Result<Vec<Box<str>>, AccessRefusal> {
        let items = self.0.get(name).and_then(Value::as_array).ok_or(AccessRefusal::Claim(name))?;
        items.iter().map(|v| v.as_str().map(Into::into).ok_or(AccessRefusal::Claim(name))).collect()
    }

    fn small(&self, name: &'static str) -> Result<u32, AccessRefusal> {
        let number = self.0.get(name).and_then(Value::as_u64).ok_or(AccessRefusal::Claim(name))?;
        u32::try_from(number).map_err(|_too_large| AccessRefusal::Claim(name))
    }

    /// A whole, non-negative number of seconds before the year 10000.
    fn instant(&self, name: &'static str) -> Result<Timestamp, AccessRefusal> {
        let secs = self.0.get(name).and_then(Value::as_i64).ok_or(AccessRefusal::Claim(name))?;
        if (0..253_402_300_800).contains(&secs) {
            Ok(Timestamp::from_secs(secs))
        } else {
            Err(AccessRefusal::Claim(name))
        }
    }

    fn audience(&self) -> Result<Vec<Box<str>>, AccessRefusal> {
        match self.0.get("aud") {
            Some(Value::String(one)) => Ok(vec![one.as_str().into()]),
            _ => self.texts("aud"),
        }
    }
}
