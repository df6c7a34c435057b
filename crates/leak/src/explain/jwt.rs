//! A JWT of anybody, ours among them.

mod radius;
mod wrong;

use countersign_core::domain::time::Timestamp;
use countersign_core::domain::token::{access, assertion};

use super::claim::{self, word, words};
use super::decode::{Decoded, decode};
use super::input::Unreadable;
use super::missing;
use super::opaque;
use super::report::{Explanation, Kind};
use super::times::Times;

/// Explains text that has the outward shape of a JWT.
pub(super) fn explain(token: &str, now: Timestamp) -> Result<Explanation, Unreadable> {
    let Some(decoded) = decode(token)? else { return Ok(opaque::signed_cookie()) };
    let (header, claims) = (&decoded.header, &decoded.claims);
    let kind = kind(&decoded);
    let times = Times::of(claims, now);
    let blast_radius = radius::of(kind, &decoded, &times);
    let environment = word(claims, "env").or_else(|| word(claims, "environment"));
    Ok(Explanation {
        issuer: word(claims, "iss"),
        subject: subject(&decoded),
        audience: audience(&decoded),
        environment,
        algorithm: word(header, "alg"),
        key_id: word(header, "kid"),
        powers: powers(&decoded),
        header: claim::shown(header),
        claims: claim::shown(claims),
        missing: if kind == Kind::Jwt { missing::of_jwt(header, claims) } else { Vec::new() },
        flaws: wrong::with(kind, &decoded, &times, now),
        times,
        ..Explanation::bare(kind, title(kind, &decoded), blast_radius)
    })
}

fn kind(decoded: &Decoded<'_>) -> Kind {
    let typ = decoded.header.get("typ").and_then(|typ| typ.as_str()).unwrap_or_default();
    let typ = typ.strip_prefix("application/").unwrap_or(typ);
    let says = |name: &str, value: &str| decoded.claims.get(name).and_then(|v| v.as_str()) == Some(value);
    let ours = decoded.claims.contains_key("env");
    if ours && typ == access::TYP && says("purpose", access::PURPOSE) && decoded.claims.contains_key("sid") {
        Kind::Access
    } else if ours && typ == assertion::TYP && says("purpose", assertion::PURPOSE) {
        Kind::Assertion
    } else {
        Kind::Jwt
    }
}

fn title(kind: Kind, decoded: &Decoded<'_>) -> &'static str {
    let has = |name: &str| decoded.claims.contains_key(name);
    match kind {
        Kind::Access => "Access token of Countersign",
        Kind::Assertion => "Assertion of Countersign for an upstream",
        _ if has("nonce") || has("at_hash") => "ID token (OpenID Connect)",
        _ if decoded.header.get("typ").and_then(|typ| typ.as_str()).is_some_and(is_at_jwt) => {
            "Access token (JWT, RFC 9068)"
        }
        _ => "JSON Web Token",
    }
}

fn is_at_jwt(typ: &str) -> bool {
    typ.strip_prefix("application/").unwrap_or(typ).eq_ignore_ascii_case("at+jwt")
}

/// `sub`, or what applications say in its place.
fn subject(decoded: &Decoded<'_>) -> Option<String> {
    ["sub", "userId", "user_id", "uid", "id", "username", "email"].iter().find_map(|name| {
        word(&decoded.claims, name).or_else(|| decoded.claims.get(*name)?.as_i64().map(|id| id.to_string()))
    })
}

fn audience(decoded: &Decoded<'_>) -> Vec<String> {
    match decoded.claims.get("aud") {
        // An audience may hold blanks; it is not a list of words.
        Some(serde_json::Value::String(_)) => {
            word(&decoded.claims, "aud").into_iter().filter(|a| !a.is_empty()).collect()
        }
        _ => words(&decoded.claims, "aud"),
    }
}

fn powers(decoded: &Decoded<'_>) -> Vec<String> {
    ["scope", "scp", "roles", "role", "permissions", "groups"]
        .iter()
        .flat_map(|name| words(&decoded.claims, name))
        .collect()
}
