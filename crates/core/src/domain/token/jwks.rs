//! JWK sets of other issuers (RFC 7517 §5), from a file or an answer: hostile until read (A18).
//!
//! A set that holds anything private, symmetric or ambiguous is refused as a whole: whoever published it made a mistake
//! that we must not pick the harmless part of. Keys of types that we do not verify with are left out, as the RFC asks.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};

use super::json;
use super::jwk::VerifyingKey;
use super::jws::{KeySet, is_kid};
use crate::domain::signing_key::Algorithm;

/// Longest document in bytes.
pub const MAX_JWKS: usize = 64 * 1024;
/// Most keys in a set.
pub const MAX_KEYS: usize = 64;

/// Members that only private and symmetric keys have (RFC 7518 §6.2.2, §6.3.2, §6.4; RFC 8037 §2).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Why a JWK set was refused; for operators. No part of a key is in it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum JwksRefusal {
    /// More than [`MAX_JWKS`] bytes or [`MAX_KEYS`] keys.
    #[error("the JWK set is too large")]
    TooLarge,
    /// Not a JSON object with an array `keys` of objects with a string `kty`, or a member that comes twice.
    #[error("this is not a JWK set")]
    Malformed,
    /// A private or symmetric key: whoever reads the set could sign with it.
    #[error("the JWK set holds a private or symmetric key; replace that key, it is no secret any more")]
    Secret,
    /// Two keys of one `kid`.
    #[error("two keys of the JWK set have the same kid")]
    DuplicateKid,
    /// A key without a `kid`, or with one that is too long or has odd characters.
    #[error("a key of the JWK set has no usable kid")]
    Kid,
    /// `use` or `key_ops` say that the key is for something else than verifying signatures.
    #[error("a key of the JWK set is not for verifying signatures")]
    Use,
    /// `alg`, `kty` and `crv` contradict each other.
    #[error("alg, kty and crv of a key of the JWK set contradict each other")]
    Algorithm,
    /// The key's bytes are no public key of its type.
    #[error("a key of the JWK set is damaged")]
    Key,
    /// Nothing that we can verify with.
    #[error("the JWK set has no Ed25519 or P-256 key")]
    Empty,
}

/// Reads a JWK set.
///
/// # Errors
/// [`JwksRefusal`].
pub fn parse(bytes: &[u8]) -> Result<KeySet, JwksRefusal> {
    if bytes.len() > MAX_JWKS {
        return Err(JwksRefusal::TooLarge);
    }
    let document = json::parse(bytes).ok_or(JwksRefusal::Malformed)?;
    let listed = document.get("keys").and_then(Value::as_array).ok_or(JwksRefusal::Malformed)?;
    if listed.len() > MAX_KEYS {
        return Err(JwksRefusal::TooLarge);
    }
    let jwks: Vec<&Map<String, Value>> =
        listed.iter().map(|v| v.as_object().ok_or(JwksRefusal::Malformed)).collect::<Result<_, _>>()?;
    // Judged over the whole set first: a harmless key before a private one must not be let in.
    if jwks.iter().any(|jwk| is_secret(jwk)) {
        return Err(JwksRefusal::Secret);
    }
    let mut keys = KeySet::new();
    let mut kids = std::collections::HashSet::new();
    for jwk in jwks {
        let kid = match jwk.get("kid") {
            None => None,
            Some(kid) => Some(kid.as_str().ok_or(JwksRefusal::Kid)?),
        };
        if kid.is_some_and(|kid| !kids.insert(kid)) {
            return Err(JwksRefusal::DuplicateKid);
        }
        check_use(jwk)?;
        let Some(key) = key(jwk)? else { continue };
        let kid = kid.filter(|kid| is_kid(kid)).ok_or(JwksRefusal::Kid)?;
        keys.insert(kid.into(), key);
    }
    if keys.is_empty() { Err(JwksRefusal::Empty) } else { Ok(keys) }
}

fn is_secret(jwk: &Map<String, Value>) -> bool {
    PRIVATE.iter().any(|name| jwk.contains_key(*name))
        || jwk.get("kty").and_then(Value::as_str) == Some("oct")
}

/// `use`, if there, is `sig`; `key_ops`, if there, is `verify` and nothing else (RFC 7517 §4.2, §4.3).
fn check_use(jwk: &Map<String, Value>) -> Result<(), JwksRefusal> {
    let good_use = jwk.get("use").is_none_or(|u| u.as_str() == Some("sig"));
    let good_ops = jwk.get("key_ops").is_none_or(
        |ops| matches!(ops.as_array().map(Vec::as_slice), Some([one]) if one.as_str() == Some("verify")),
    );
    if good_use && good_ops { Ok(()) } else { Err(JwksRefusal::Use) }
}

/// The key, bound to its one algorithm (A02). `None` if it is of a type that we do not verify with.
fn key(jwk: &Map<String, Value>) -> Result<Option<VerifyingKey>, JwksRefusal> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    let kty = text("kty").ok_or(JwksRefusal::Malformed)?;
    let by_type = match (kty, text("crv")) {
        ("OKP", Some("Ed25519")) => Some(Algorithm::EdDsa),
        ("EC", Some("P-256")) => Some(Algorithm::Es256),
        _ => None,
    };
    let stated = match jwk.get("alg") {
        None => None,
        Some(alg) => Some(alg.as_str().ok_or(JwksRefusal::Algorithm)?),
    };
    let by_name = stated.and_then(Algorithm::parse);
    match (by_type, stated) {
        (Some(_), Some(_)) if by_name != by_type => return Err(JwksRefusal::Algorithm),
        // ES256 on another curve, or of another key type.
        (None, Some(_)) if by_name.is_some() => return Err(JwksRefusal::Algorithm),
        _ => {}
    }
    let Some(algorithm) = by_type else { return Ok(None) };
    let coordinate = |name: &str| -> Result<[u8; 32], JwksRefusal> {
        let bytes =
            text(name).and_then(|t| BASE64URL_NOPAD.decode(t.as_bytes()).ok()).ok_or(JwksRefusal::Key)?;
        bytes.try_into().map_err(|_wrong_length| JwksRefusal::Key)
    };
    let raw = match algorithm {
        Algorithm::EdDsa => coordinate("x")?.to_vec(),
        Algorithm::Es256 => [&[4][..], &coordinate("x")?, &coordinate("y")?].concat(),
    };
    VerifyingKey::new(algorithm, &raw).map(Some).map_err(|_not_a_key| JwksRefusal::Key)
}
