//! JWS (RFC 7515), strictly: what we sign, and the checks that every signed kind shares.
//!
//! The verification key comes from trusted keys by (issuer, `kid`), never from the token (A03, A04); the key names the
//! algorithm, and the header must agree (A01, A02).

use std::borrow::Cow;
use std::collections::HashMap;

use data_encoding::BASE64URL_NOPAD;

use super::compact::Compact;
use super::jwk::VerifyingKey;
use super::members::{self, Field, slots};
use crate::domain::signing_key::Algorithm;

pub use super::compact::{MAX_HEADER, MAX_TOKEN, assemble, looks_like_jws};

/// One issuer's public keys by `kid`.
pub type KeySet = HashMap<Box<str>, VerifyingKey>;

/// Why a JWS was refused: for logs, not for answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum JwsRefusal {
    /// Longer than [`MAX_TOKEN`].
    #[error("token too long")]
    TooLong,
    /// Not three segments of canonical base64url that hold two JSON objects and a signature.
    #[error("not a compact JWS")]
    Malformed,
    /// `alg` is missing, unknown, or not the key's.
    #[error("algorithm not allowed")]
    Algorithm,
    /// A header member that may not be there: `crit`, `b64`, `zip`, `enc`, `jwk`, `jku`, `x5u`, `x5c`, `p2c`, `p2s`.
    #[error("header member not allowed")]
    Header,
    /// `typ` is missing or of another kind.
    #[error("token of another kind")]
    Kind,
    /// `kid` is missing, too long, or has characters that no key id of ours has (A05).
    #[error("key id missing or malformed")]
    KeyId,
    /// The issuer has no key of that `kid`.
    #[error("unknown key")]
    UnknownKey,
    /// The signature does not match.
    #[error("bad signature")]
    Signature,
}

/// Whether text can be a `kid`: 1 to 128 characters of `[A-Za-z0-9._~:@+=-]`. It is opaque and only ever meets a hash
/// map (A05); the alphabet keeps out what a path, a shell or SQL would make something of.
#[must_use]
pub fn is_kid(text: &str) -> bool {
    let good = |c: u8| c.is_ascii_alphanumeric() || b"._~:@+=-".contains(&c);
    (1..=128).contains(&text.len()) && text.bytes().all(good)
}

slots! {
    /// Header members: the three that are read, and those that change how a token is read or which key is used.
    Members {
        alg: "alg", kid: "kid", typ: "typ",
        crit: "crit", b64: "b64", zip: "zip", enc: "enc", jwk: "jwk", jku: "jku", x5u: "x5u", x5c: "x5c",
        p2c: "p2c", p2s: "p2s",
    }
}

/// A JWS header whose members have meanings that we know. Nothing is proven.
#[derive(Debug)]
pub struct Header<'h> {
    alg: Cow<'h, str>,
    kid: Option<Cow<'h, str>>,
    typ: Option<Cow<'h, str>>,
}

impl<'h> Header<'h> {
    /// Reads a decoded header.
    ///
    /// # Errors
    /// [`JwsRefusal::Malformed`], [`JwsRefusal::Header`], [`JwsRefusal::Algorithm`] or [`JwsRefusal::KeyId`].
    pub fn read(bytes: &'h [u8]) -> Result<Self, JwsRefusal> {
        let mut read = Members::default();
        members::read(bytes, &mut read).ok_or(JwsRefusal::Malformed)?;
        // Deny unknown meaning. `crit` whatever it lists: we understand no extension, an empty list is an error, and so
        // is one that lists standard or absent members (A14). A key in the token is never looked at (A03).
        let denied = [
            &read.crit, &read.b64, &read.zip, &read.enc, &read.jwk, &read.jku, &read.x5u, &read.x5c,
            &read.p2c, &read.p2s,
        ];
        if denied.iter().any(|field| field.is_some()) {
            return Err(JwsRefusal::Header);
        }
        let Some(Field::Text(alg)) = read.alg else { return Err(JwsRefusal::Algorithm) };
        let kid = match read.kid {
            None => None,
            Some(Field::Text(kid)) if is_kid(&kid) => Some(kid),
            Some(_) => return Err(JwsRefusal::KeyId),
        };
        let typ = match read.typ {
            None => None,
            Some(Field::Text(typ)) => Some(typ),
            Some(_) => return Err(JwsRefusal::Kind),
        };
        Ok(Self { alg, kid, typ })
    }

    /// `alg`, as written.
    #[must_use]
    pub fn alg(&self) -> &str {
        &self.alg
    }

    /// `kid`, well formed.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// `typ`. A value without a slash is read as `application/…` (RFC 7515 §4.1.9), so both spellings give the short one.
    #[must_use]
    pub fn typ(&self) -> Option<&str> {
        self.typ.as_deref().map(|typ| typ.strip_prefix("application/").unwrap_or(typ))
    }

    /// The algorithm, if it is one of ours: exact and case-sensitive (A01).
    #[must_use]
    pub fn algorithm(&self) -> Option<Algorithm> {
        Algorithm::parse(&self.alg)
    }
}

/// Checks a signature with one key, whose algorithm must be the header's (A02).
///
/// # Errors
/// [`JwsRefusal::Algorithm`] or [`JwsRefusal::Signature`].
pub fn check_signature(
    compact: &Compact<'_>,
    header: &Header<'_>,
    key: &VerifyingKey,
) -> Result<(), JwsRefusal> {
    if header.algorithm() != Some(key.algorithm()) {
        return Err(JwsRefusal::Algorithm);
    }
    if key.verifies(compact.signed().as_bytes(), compact.signature()) {
        Ok(())
    } else {
        Err(JwsRefusal::Signature)
    }
}

/// The part of a JWS that is signed: `base64url(header).base64url(claims)`.
#[must_use]
pub fn signing_input(algorithm: Algorithm, kid: &str, typ: &str, claims: &impl serde::Serialize) -> String {
    let header = serde_json::json!({"alg": algorithm.as_str(), "kid": kid, "typ": typ}).to_string();
    // Serialising our own plain structs cannot fail; an empty payload would be refused by every verifier.
    let claims = serde_json::to_vec(claims).unwrap_or_default();
    let mut text = BASE64URL_NOPAD.encode(header.as_bytes());
    text.push('.');
    BASE64URL_NOPAD.encode_append(&claims, &mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &str) -> Result<Header<'_>, JwsRefusal> {
        Header::read(header.as_bytes())
    }

    #[test]
    fn known_members() {
        let header =
            read(r#"{"alg":"EdDSA","kid":"a-b_C9","typ":"application/at+jwt","cty":"x","iat":1}"#).unwrap();
        assert_eq!((header.alg(), header.kid(), header.typ()), ("EdDSA", Some("a-b_C9"), Some("at+jwt")));
        assert_eq!(read(r#"{"alg":"ES256","typ":"at+jwt"}"#).unwrap().typ(), Some("at+jwt"));
        assert_eq!(
            read(r#"{"alg":"ES256","typ":"application/application/at+jwt"}"#).unwrap().typ(),
            Some("application/at+jwt")
        );
    }

    /// A01: exact names only.
    #[test]
    fn a01_alg() {
        for bad in ["{}", r#"{"alg":null}"#, r#"{"alg":["EdDSA"]}"#, r#"{"alg":1}"#] {
            assert_eq!(read(bad).unwrap_err(), JwsRefusal::Algorithm, "{bad}");
        }
        for word in
            ["none", "None", "NONE", "noNE", "", "eddsa", "EDDSA", "es256", "HS256", "RS256", "EdDSA "]
        {
            assert_eq!(read(&format!(r#"{{"alg":"{word}"}}"#)).unwrap().algorithm(), None, "{word}");
        }
    }

    /// A03, A14, A16: members that would change the meaning.
    #[test]
    fn a03_a14_a16_denied_members() {
        for (name, value) in [
            ("crit", "[]"),
            ("crit", "[\"exp\"]"),
            ("crit", "[\"b64\"]"),
            ("crit", "null"),
            ("b64", "false"),
            ("b64", "true"),
            ("zip", "\"DEF\""),
            ("enc", "\"A128GCM\""),
            ("jwk", "{}"),
            ("jku", "\"https://e\""),
            ("x5u", "\"\""),
            ("x5c", "[]"),
            ("p2c", "1000000"),
            ("p2s", "\"\""),
        ] {
            let header = format!(r#"{{"alg":"EdDSA","{name}":{value}}}"#);
            assert_eq!(read(&header).unwrap_err(), JwsRefusal::Header, "{header}");
        }
    }

    /// A05: opaque, bounded, and of a harmless alphabet.
    #[test]
    fn a05_kid() {
        assert!(is_kid("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k") && is_kid("2026-01:eu@issuer"));
        for bad in [
            "",
            "../../dev/null",
            "' OR 1=1",
            "a b",
            "a\0",
            "a\n",
            "é",
            "$(id)",
            "a%2f",
            &"a".repeat(129),
            &"a".repeat(10_000),
        ] {
            assert!(!is_kid(bad), "{bad:?}");
        }
        for bad in ["1", "null", "[\"a\"]", "{}", "true", "\"\"", r#""\u0000""#] {
            assert_eq!(
                read(&format!(r#"{{"alg":"EdDSA","kid":{bad}}}"#)).unwrap_err(),
                JwsRefusal::KeyId,
                "{bad}"
            );
        }
    }

    /// A15: two readers must not see two algorithms.
    #[test]
    fn a15_duplicates() {
        assert_eq!(read(r#"{"alg":"none","alg":"ES256"}"#).unwrap_err(), JwsRefusal::Malformed);
        assert_eq!(read(r#"{"alg":"EdDSA","cty":"a","cty":"b"}"#).unwrap_err(), JwsRefusal::Malformed);
    }
}
