//! Compact JWS (RFC 7515), strictly: what we sign, and the checks that every kind shares.
//!
//! The verification key comes from the key set by `kid`, never from the token (A03); the key names the algorithm, and
//! the header must agree (A01, A02).

use std::collections::HashMap;

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};

use super::json;
use super::jwk::VerifyingKey;
use crate::domain::signing_key::Algorithm;

/// Longest token in bytes (A16).
pub const MAX_TOKEN: usize = 8 * 1024;
/// Longest header in bytes, decoded (A16).
pub const MAX_HEADER: usize = 1024;

/// Public keys by `kid`.
pub type KeySet = HashMap<Box<str>, VerifyingKey>;

/// Why a JWS was refused: for logs, not for answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum JwsRefusal {
    /// Longer than [`MAX_TOKEN`].
    #[error("token too long")]
    TooLong,
    /// Not three base64url segments of JSON object, JSON object and 64 bytes.
    #[error("not a compact JWS")]
    Malformed,
    /// `alg` is missing, unknown, or not the key's.
    #[error("algorithm not allowed")]
    Algorithm,
    /// A header member that may not be there: `crit`, `b64`, `zip`, `jwk`, `jku`, `x5u`, `x5c`, `enc`.
    #[error("header member not allowed")]
    Header,
    /// `typ` is missing or of another kind.
    #[error("token of another kind")]
    Kind,
    /// No key of that `kid`.
    #[error("unknown key")]
    UnknownKey,
    /// The signature does not match.
    #[error("bad signature")]
    Signature,
}

/// A token split and decoded, nothing proven.
#[derive(Debug)]
pub struct Unverified<'t> {
    signed: &'t str,
    header: Map<String, Value>,
    claims: Map<String, Value>,
    signature: Vec<u8>,
}

/// Whether text has the outward shape of a JWS: three dots-separated segments of which the first starts like a JSON object.
#[must_use]
pub fn looks_like_jws(text: &str) -> bool {
    text.starts_with("eyJ") && text.bytes().filter(|b| *b == b'.').count() == 2
}

impl<'t> Unverified<'t> {
    /// Splits and decodes.
    ///
    /// # Errors
    /// [`JwsRefusal::TooLong`] or [`JwsRefusal::Malformed`].
    pub fn parse(token: &'t str) -> Result<Self, JwsRefusal> {
        if token.len() > MAX_TOKEN {
            return Err(JwsRefusal::TooLong);
        }
        let parse = || {
            let (signed, signature) = token.rsplit_once('.')?;
            let (header, claims) = signed.split_once('.')?;
            if claims.contains('.') || header.len() > MAX_HEADER * 4 / 3 + 2 {
                return None;
            }
            // BASE64URL_NOPAD refuses padding, white space and non-canonical trailing bits (A06).
            let decode = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).ok();
            let object = |bytes: Vec<u8>| match json::parse(&bytes)? {
                Value::Object(map) => Some(map),
                _ => None,
            };
            Some(Self {
                signed,
                header: object(decode(header)?)?,
                claims: object(decode(claims)?)?,
                signature: decode(signature)?,
            })
        };
        parse().ok_or(JwsRefusal::Malformed)
    }

    /// A claim, unproven: only to name an error better (`wrong_environment`).
    #[must_use]
    pub fn unverified_claim(&self, name: &str) -> Option<&str> {
        self.claims.get(name)?.as_str()
    }

    /// A numeric claim, unproven.
    #[must_use]
    pub fn unverified_number(&self, name: &str) -> Option<i64> {
        self.claims.get(name)?.as_i64()
    }

    /// The kind, unproven: only to name an error better (`wrong_purpose`).
    #[must_use]
    pub fn unverified_typ(&self) -> Option<&str> {
        self.header.get("typ")?.as_str()
    }

    /// Verifies header and signature, and gives the claims and the key's id.
    ///
    /// # Errors
    /// [`JwsRefusal`].
    pub fn verify(self, typ: &str, keys: &KeySet) -> Result<(Map<String, Value>, Box<str>), JwsRefusal> {
        // Deny unknown meaning: everything that could change how the token is read or which key is used (A03, A14).
        const REFUSED: [&str; 9] = ["crit", "b64", "zip", "enc", "jwk", "jku", "x5u", "x5c", "p2c"];
        if REFUSED.iter().any(|name| self.header.contains_key(*name)) {
            return Err(JwsRefusal::Header);
        }
        let algorithm = self.header.get("alg").and_then(Value::as_str).and_then(Algorithm::parse);
        let Some(algorithm) = algorithm else { return Err(JwsRefusal::Algorithm) };
        if self.unverified_typ().map(|t| t.strip_prefix("application/").unwrap_or(t)) != Some(typ) {
            return Err(JwsRefusal::Kind);
        }
        // `kid` is opaque and bounded; it only ever meets a hash map (A05).
        let kid = self.header.get("kid").and_then(Value::as_str).filter(|k| k.len() <= 128);
        let Some(key) = kid.and_then(|kid| keys.get(kid)) else { return Err(JwsRefusal::UnknownKey) };
        if key.algorithm() != algorithm {
            return Err(JwsRefusal::Algorithm);
        }
        if !key.verifies(self.signed.as_bytes(), &self.signature) {
            return Err(JwsRefusal::Signature);
        }
        Ok((self.claims, key.kid().into()))
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

/// Puts signature and signed part together.
#[must_use]
pub fn assemble(mut signing_input: String, signature: &[u8]) -> String {
    signing_input.push('.');
    BASE64URL_NOPAD.encode_append(signature, &mut signing_input);
    signing_input
}
