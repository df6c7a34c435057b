//! A JWT taken apart, more leniently than any verifier may: what a careless one would accept has to be explained too.

use countersign_core::domain::token::compact::Compact;
use countersign_core::domain::token::json;
use data_encoding::{Encoding, Specification};
use serde_json::{Map, Value};

use super::input::Unreadable;

/// A decoded JWT.
pub(super) struct Decoded<'t> {
    pub(super) header: Map<String, Value>,
    pub(super) claims: Map<String, Value>,
    /// The part that is signed.
    pub(super) signed: &'t str,
    pub(super) signature: Vec<u8>,
    /// Whether its base64url is the only spelling (A06) and its size within bounds (A16).
    pub(super) canonical: bool,
    /// Whether its JSON has one reading: no member twice, no deep nesting (A15, A16).
    pub(super) unambiguous: bool,
}

/// Decodes. `Ok(None)` for text that has the outward shape of a JWT but whose first part names no algorithm: a signed
/// cookie of a web framework, for example.
pub(super) fn decode(token: &str) -> Result<Option<Decoded<'_>>, Unreadable> {
    let mut parts = token.rsplitn(2, '.');
    let (signature, signed) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let (header, claims) = signed.split_once('.').unwrap_or((signed, ""));
    let lenient = lenient();
    let bytes = |part: &'static str, text: &str| {
        let problem = "is no base64url";
        lenient.decode(text.as_bytes()).map_err(|_foreign| Unreadable::Damaged { part, problem })
    };
    let (header, header_strict) = object("header", &bytes("header", header)?)?;
    if !header.contains_key("alg") {
        return Ok(None);
    }
    let (claims, claims_strict) = object("claims", &bytes("claims", claims)?)?;
    let signature = bytes("signature", signature)?;
    let canonical = Compact::decode(token).is_ok();
    Ok(Some(Decoded {
        header,
        claims,
        signed,
        signature,
        canonical,
        unambiguous: header_strict && claims_strict,
    }))
}

/// Whether text has the outward shape of an encrypted JWT (RFC 7516 §7.1).
pub(super) fn looks_like_jwe(text: &str) -> bool {
    text.starts_with("eyJ") && text.bytes().filter(|b| *b == b'.').count() == 4
}

fn object(part: &'static str, bytes: &[u8]) -> Result<(Map<String, Value>, bool), Unreadable> {
    if let Some(Value::Object(members)) = json::parse(bytes) {
        return Ok((members, true));
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(members)) => Ok((members, false)),
        _ => Err(Unreadable::Damaged { part, problem: "is no JSON object" }),
    }
}

/// Base64url with or without padding, with whatever trailing bits.
fn lenient() -> Encoding {
    let mut specification = Specification::new();
    specification.symbols.push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
    specification.check_trailing_bits = false;
    specification.ignore.push('=');
    specification.encoding().unwrap_or(data_encoding::BASE64URL_NOPAD)
}
