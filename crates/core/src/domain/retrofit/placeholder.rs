//! What stands in a token's place (design §7): worth nothing, and front ends still find name and expiry in it.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};

use super::claims;

/// The whole placeholder of an opaque token, and the signature of a JWT's.
pub const WORD: &str = "countersign";

/// Of a JWT the same header and the named claims with the signature `countersign`, else the word `countersign`.
#[must_use]
pub fn placeholder(token: &str, keep: &[Box<str>]) -> String {
    let Some((header, claims)) = claims::read(token) else { return WORD.to_owned() };
    let kept: Map<String, Value> =
        claims.into_iter().filter(|(name, _)| keep.iter().any(|kept| **kept == **name)).collect();
    // A map of JSON values always has a JSON text.
    let kept = serde_json::to_vec(&kept).unwrap_or_default();
    format!("{}.{}.{WORD}", header.trim_end_matches('='), BASE64URL_NOPAD.encode(&kept))
}

/// Whether a token is one of ours in a token's place: no credential at all.
#[must_use]
pub fn is_placeholder(token: &str) -> bool {
    token == WORD || token.strip_suffix(WORD).is_some_and(|rest| rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;
    use crate::domain::recognise::shape;

    fn jwt(claims: &str) -> String {
        let part = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
        format!("{}.{}.c2lnbmF0dXJl", part(r#"{"alg":"HS256","typ":"JWT"}"#), part(claims))
    }

    fn keep() -> Vec<Box<str>> {
        crate::domain::retrofit::PLACEHOLDER_CLAIMS.iter().map(|name| (*name).into()).collect()
    }

    #[test]
    fn a_jwt_keeps_its_header_and_the_named_claims() {
        let token =
            jwt(r#"{"sub":"7","email":"a@b.c","secret":"hidden","exp":12345678901234567890,"jti":"x"}"#);
        let placeholder = placeholder(&token, &keep());
        let parts: Vec<&str> = placeholder.split('.').collect();
        assert_eq!((parts[0], parts[2]), (token.split('.').next().unwrap(), "countersign"));
        let claims: Value =
            serde_json::from_slice(&BASE64URL_NOPAD.decode(parts[1].as_bytes()).unwrap()).unwrap();
        assert_eq!(
            claims,
            serde_json::json!({"sub": "7", "email": "a@b.c", "exp": 12_345_678_901_234_567_890_u64})
        );
        assert!(is_placeholder(&placeholder));
    }

    /// Neither the signature nor what else was in the token survives; scanners take it for none (D19).
    #[test]
    fn d19_nothing_of_the_token_is_left() {
        for token in [
            jwt(r#"{"sub":"7"}"#),
            "opaque-0123456789".into(),
            "a.b.c".into(),
            "a.b.c.d.e".into(),
            String::new(),
        ] {
            let placeholder = placeholder(&token, &keep());
            assert!(!placeholder.contains("c2lnbmF0dXJl") && shape(&placeholder).is_none(), "{placeholder}");
            assert!(is_placeholder(&placeholder));
        }
        assert_eq!(placeholder("opaque", &keep()), "countersign");
    }

    proptest! {
        /// Whatever the token: the placeholder is recognised, is no token, and cannot be mistaken for a real one.
        #[test]
        fn whatever_the_token(token in "[ -~]{0,60}", claims in any::<Vec<u8>>()) {
            for token in [token, format!("eyJhbGciOiJub25lIn0.{}.x", BASE64URL_NOPAD.encode(&claims))] {
                let made = placeholder(&token, &keep());
                assert!(is_placeholder(&made) && shape(&made).is_none(), "{made}");
                assert!(made.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\'), "goes into JSON as it is");
            }
        }
    }

    #[test]
    fn others_are_none() {
        for token in ["", "countersign2", "xcountersign", "a.countersign.b", "Countersign"] {
            assert!(!is_placeholder(token), "{token}");
        }
    }
}
