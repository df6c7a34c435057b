//! What a JWT does not say, and what that costs.

use serde::Serialize;
use serde_json::{Map, Value};

/// A claim that is not there.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Missing {
    /// Its name.
    pub claim: &'static str,
    /// What follows from that.
    pub why: &'static str,
}

/// What is missing of what an access token should say (RFC 9068, and `env` and `purpose` of ours: A10, A13).
pub(super) fn of_jwt(header: &Map<String, Value>, claims: &Map<String, Value>) -> Vec<Missing> {
    let absent = |name: &str| claims.get(name).is_none_or(Value::is_null);
    let empty_audience = claims.get("aud").is_some_and(|aud| {
        aud.as_str().is_some_and(str::is_empty) || aud.as_array().is_some_and(Vec::is_empty)
    });
    let mut missing = Vec::new();
    let mut note = |gone: bool, claim: &'static str, why: &'static str| {
        if gone {
            missing.push(Missing { claim, why });
        }
    };
    note(absent("exp"), "exp", "it never ends");
    note(absent("aud") || empty_audience, "aud", "every service that trusts the issuer accepts it");
    note(absent("iss"), "iss", "nobody can tell whose key has to fit");
    note(absent("sub"), "sub", "nobody can tell whose it is, so nobody can end only this user's");
    note(absent("iat"), "iat", "nobody can tell how old it is, so no rule about age can be kept");
    let numbered = ["jti", "sid", "session_state", "session_id"].iter().any(|name| !absent(name));
    note(!numbered, "jti", "nothing names it, so it cannot be revoked alone");
    note(
        absent("env"),
        "env",
        "nothing but the key keeps a staging token out of production; check that each environment has its own",
    );
    let typed = header.get("typ").and_then(Value::as_str).is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT"));
    let purposed = ["purpose", "token_use", "token_type"].iter().any(|name| !absent(name));
    note(
        !typed && !purposed,
        "purpose",
        "nothing tells an access token from an ID token or a link in a mail: one passes for the other",
    );
    missing
}
