//! What an attacker can steal: what it is, where it lay, how it is presented.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::secret::Secret;

/// What a credential is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialKind {
    /// Alone, it makes requests act as its owner.
    Access,
    /// It is exchanged for access.
    Refresh,
    /// A key for programs.
    ApiKey,
    /// Handed out with a login, and neither of these as far as the drill could see.
    Other,
}

impl CredentialKind {
    /// For people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
            Self::ApiKey => "API key",
            Self::Other => "other",
        }
    }
}

/// Where it was found.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "in", rename_all = "snake_case")]
pub enum Place {
    /// A cookie.
    Cookie {
        /// Its name.
        name: String,
    },
    /// The JSON of an answer.
    Json {
        /// RFC 6901.
        pointer: String,
    },
    /// A header of an answer.
    Header {
        /// Its name.
        name: String,
    },
    /// The browser: `localStorage`, `sessionStorage`, `IndexedDB`, a global variable, the document.
    Script {
        /// Which, and under which name.
        name: String,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cookie { name } => write!(f, "cookie {name}"),
            Self::Json { pointer } => write!(f, "answer body at {pointer}"),
            Self::Header { name } => write!(f, "answer header {name}"),
            Self::Script { name } => f.write_str(name),
        }
    }
}

/// How it is presented.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Carrier {
    /// A cookie: browsers attach it by themselves.
    Cookie {
        /// Its name.
        name: String,
    },
    /// A header: script attaches it.
    Header {
        /// Its name.
        name: String,
        /// What stands before the token: `Bearer `, `Token `, or nothing.
        prefix: String,
    },
    /// The query.
    Query {
        /// The parameter.
        name: String,
    },
    /// A member of a JSON body.
    Body {
        /// The member.
        name: String,
    },
}

impl fmt::Display for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cookie { name } => write!(f, "cookie {name}"),
            Self::Header { name, prefix } => write!(f, "{name}: {prefix}…"),
            Self::Query { name } => write!(f, "?{name}=…"),
            Self::Body { name } => write!(f, "JSON member {name}"),
        }
    }
}

/// A stolen credential. It prints without its secret.
#[derive(Debug, Clone)]
pub struct Credential {
    /// What it is for.
    pub kind: CredentialKind,
    /// Where it lay.
    pub place: Place,
    /// How it is presented.
    pub carrier: Carrier,
    /// The thing itself.
    pub secret: Secret,
}

impl Credential {
    /// Header and claims, if it is a JWT; unproven.
    #[must_use]
    pub fn jwt(&self) -> Option<Jwt> {
        Jwt::read(self.secret.expose())
    }
}

/// A JWT taken apart, nothing in it proven.
#[derive(Debug, Clone)]
pub struct Jwt {
    /// The header.
    pub header: Value,
    /// The claims.
    pub claims: Value,
}

impl Jwt {
    /// Reads three segments of which two are JSON objects. Padding is tolerated, as lax verifiers do.
    #[must_use]
    pub fn read(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        let (header, claims, _signature) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let decode = |part: &str| -> Option<Value> {
            let bytes = BASE64URL_NOPAD.decode(part.trim_end_matches('=').as_bytes()).ok()?;
            serde_json::from_slice(&bytes).ok().filter(Value::is_object)
        };
        Some(Self { header: decode(header)?, claims: decode(claims)? })
    }

    /// `alg`, or nothing.
    #[must_use]
    pub fn alg(&self) -> &str {
        self.header.get("alg").and_then(Value::as_str).unwrap_or_default()
    }

    /// `exp - iat` in seconds; from `now` on where there is no `iat`. `None` without `exp`.
    #[must_use]
    pub fn lifetime(&self, now: i64) -> Option<u64> {
        let number = |name: &str| {
            let value = self.claims.get(name)?;
            #[expect(
                clippy::cast_possible_truncation,
                reason = "seconds of this era, the fraction does not matter"
            )]
            value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))
        };
        let from = number("iat").unwrap_or(now);
        u64::try_from(number("exp")?.saturating_sub(from)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwt(header: &str, claims: &str) -> String {
        format!(
            "{}.{}.AAAA",
            BASE64URL_NOPAD.encode(header.as_bytes()),
            BASE64URL_NOPAD.encode(claims.as_bytes())
        )
    }

    #[test]
    fn lifetimes() {
        let read = |claims: &str| Jwt::read(&jwt(r#"{"alg":"HS256"}"#, claims)).unwrap();
        assert_eq!(read(r#"{"iat":100,"exp":1000}"#).lifetime(5), Some(900));
        assert_eq!(read(r#"{"exp":1000}"#).lifetime(900), Some(100));
        assert_eq!(read(r#"{"iat":1}"#).lifetime(5), None);
        assert_eq!(read("{}").alg(), "HS256");
        assert!(
            Jwt::read("a.b.c").is_none()
                && Jwt::read("e30.e30").is_none()
                && Jwt::read("e30.e30.e30.e30").is_none()
        );
    }

    /// I03: a credential may be logged.
    #[test]
    fn i03_credentials_print_without_their_secret() {
        let credential = Credential {
            kind: CredentialKind::Access,
            place: Place::Cookie { name: "sid".into() },
            carrier: Carrier::Cookie { name: "sid".into() },
            secret: Secret::new("very-secret"),
        };
        assert!(!format!("{credential:?}").contains("very-secret"));
    }
}
