//! What a JWT of the upstream says. Nothing is verified: the upstream made it and will judge it.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};

/// Bytes of the longest token that is looked into.
const LONGEST: usize = 16 * 1024;

/// The header as it stands, and the claims, if the token is a JWT.
pub(super) fn read(token: &str) -> Option<(&str, Map<String, Value>)> {
    if token.len() > LONGEST {
        return None;
    }
    let mut parts = token.split('.');
    let (header, claims, signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || signature.is_empty() {
        return None;
    }
    object(header)?.get("alg")?;
    Some((header, object(claims)?))
}

fn object(segment: &str) -> Option<Map<String, Value>> {
    // Some libraries pad.
    let bytes = BASE64URL_NOPAD.decode(segment.trim_end_matches('=').as_bytes()).ok()?;
    serde_json::from_slice(&bytes).ok()
}
