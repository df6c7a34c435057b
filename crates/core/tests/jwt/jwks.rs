//! JWK sets of others: A04, A17, A18, A20.

use countersign_core::domain::signing_key::Algorithm;
use countersign_core::domain::token::jwks::{self, JwksRefusal, MAX_JWKS};
use countersign_core::domain::token::jws::MAX_TOKEN;
use serde_json::{Value, json};

use crate::maker::{Maker, with, without};

fn jwk(algorithm: Algorithm) -> Value {
    let maker = Maker::new(algorithm);
    maker.keys[maker.kid.as_str()].to_jwk()
}

fn of(keys: &[Value]) -> Result<usize, JwksRefusal> {
    jwks::parse(json!({ "keys": keys }).to_string().as_bytes()).map(|set| set.len())
}

fn ed() -> Value {
    jwk(Algorithm::EdDsa)
}

/// What we publish ourselves is read, unknown members of set and key are ignored, and keys go by their own `kid`.
#[test]
fn a18_good_sets() {
    assert_eq!(of(&[ed(), jwk(Algorithm::Es256)]), Ok(2));
    assert_eq!(of(&[with(ed(), "alg", json!("Ed25519"))]), Ok(1), "A20");
    assert_eq!(of(&[without(without(ed(), "alg"), "use")]), Ok(1));
    assert_eq!(of(&[with(ed(), "key_ops", json!(["verify"]))]), Ok(1));
    assert_eq!(of(&[with(ed(), "x5t", json!("x"))]), Ok(1));
    let named = with(ed(), "kid", json!("2026-01"));
    let document = json!({"keys": [named], "issued_by": "somebody"}).to_string();
    assert!(jwks::parse(document.as_bytes()).unwrap().contains_key("2026-01"));
}

/// Keys of types that we do not verify with are left out; a set of nothing else is of no use.
#[test]
fn a18_unknown_types_are_left_out() {
    let rsa = json!({"kty": "RSA", "n": "AAAA", "e": "AQAB", "alg": "RS256", "use": "sig", "kid": "rsa"});
    let p384 = json!({"kty": "EC", "crv": "P-384", "x": "AAAA", "y": "AAAA", "alg": "ES384", "kid": "p384"});
    let x25519 = json!({"kty": "OKP", "crv": "X25519", "x": "AAAA", "kid": "x"});
    let new = json!({"kty": "AKP", "alg": "ML-DSA-65", "pub": "AAAA", "kid": "new"});
    assert_eq!(of(&[rsa.clone(), ed(), p384, x25519, new]), Ok(1));
    assert_eq!(of(&[rsa]), Err(JwksRefusal::Empty));
    assert_eq!(of(&[]), Err(JwksRefusal::Empty));
}

/// A18: anything private or symmetric spoils the set, wherever it stands and whatever else it says.
#[test]
fn a17_a18_secrets() {
    for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        for secret in [with(ed(), name, json!("AAAA")), with(ed(), name, json!(null))] {
            assert_eq!(of(&[ed(), secret.clone()]), Err(JwksRefusal::Secret), "{name}");
            assert_eq!(of(&[secret, ed()]), Err(JwksRefusal::Secret), "{name}");
        }
    }
    assert_eq!(of(&[ed(), json!({"kty": "oct", "kid": "x"})]), Err(JwksRefusal::Secret));
    assert_eq!(
        of(&[json!({"kty": "RSA", "n": "AAAA", "e": "AQAB", "d": "AAAA", "kid": "x"}), ed()]),
        Err(JwksRefusal::Secret)
    );
}

/// A18: ambiguity, purpose, and contradictions between type, curve and algorithm (A02).
#[test]
fn a18_refused_sets() {
    let es = || jwk(Algorithm::Es256);
    let one = ed();
    let named = |kid: &Value| with(ed(), "kid", kid.clone());
    let cases = [
        (vec![one.clone(), with(es(), "kid", one["kid"].clone())], JwksRefusal::DuplicateKid),
        (vec![one.clone(), json!({"kty": "RSA", "kid": one["kid"]})], JwksRefusal::DuplicateKid),
        (vec![without(ed(), "kid")], JwksRefusal::Kid),
        (vec![named(&json!(""))], JwksRefusal::Kid),
        (vec![named(&json!(1))], JwksRefusal::Kid),
        (vec![named(&json!("../x"))], JwksRefusal::Kid),
        (vec![named(&json!("x".repeat(129)))], JwksRefusal::Kid),
        (vec![with(ed(), "use", json!("enc"))], JwksRefusal::Use),
        (vec![with(ed(), "use", json!(["sig"]))], JwksRefusal::Use),
        (vec![ed(), with(es(), "use", json!("enc"))], JwksRefusal::Use),
        (vec![with(ed(), "key_ops", json!(["encrypt"]))], JwksRefusal::Use),
        (vec![with(ed(), "key_ops", json!(["sign", "verify"]))], JwksRefusal::Use),
        (vec![with(ed(), "key_ops", json!(["verify", "verify"]))], JwksRefusal::Use),
        (vec![with(ed(), "key_ops", json!([]))], JwksRefusal::Use),
        (vec![with(ed(), "key_ops", json!("verify"))], JwksRefusal::Use),
        (vec![with(ed(), "alg", json!("ES256"))], JwksRefusal::Algorithm),
        (vec![with(es(), "alg", json!("EdDSA"))], JwksRefusal::Algorithm),
        (vec![with(es(), "alg", json!("ES384"))], JwksRefusal::Algorithm),
        (vec![with(es(), "alg", json!(null))], JwksRefusal::Algorithm),
        (vec![with(es(), "crv", json!("P-384"))], JwksRefusal::Algorithm),
        (vec![with(es(), "kty", json!("RSA"))], JwksRefusal::Algorithm),
        (vec![with(ed(), "x", json!("AAAA"))], JwksRefusal::Key),
        (vec![with(ed(), "x", json!(1))], JwksRefusal::Key),
        (vec![without(ed(), "x")], JwksRefusal::Key),
        (vec![with(es(), "y", es()["x"].clone())], JwksRefusal::Key),
        (vec![without(ed(), "kty")], JwksRefusal::Malformed),
        (vec![json!("x")], JwksRefusal::Malformed),
        (vec![json!({"kty": "RSA", "kid": "x"}); 65], JwksRefusal::TooLarge),
    ];
    for (keys, wanted) in cases {
        assert_eq!(of(&keys), Err(wanted), "{keys:?}");
    }
}

/// Not JSON, not a set, too large, or with a member that two readers could read differently (A15).
#[test]
fn a15_a16_a18_documents() {
    let parse = |text: &str| jwks::parse(text.as_bytes()).map(|set| set.len());
    for bad in [
        "",
        "[]",
        "{}",
        "null",
        r#"{"keys":{}}"#,
        r#"{"keys":null}"#,
        "{\"keys\":[]} x",
        r#"{"keys":[],"keys":[]}"#,
        "<html>",
    ] {
        assert_eq!(parse(bad), Err(JwksRefusal::Malformed), "{bad}");
    }
    let twice = json!({"keys": [ed()]}).to_string().replacen("\"kty\"", "\"kty\":\"oct\",\"kty\"", 1);
    assert_eq!(parse(&twice), Err(JwksRefusal::Malformed));
    assert_eq!(parse(&" ".repeat(MAX_JWKS + 1)), Err(JwksRefusal::TooLarge));
}

/// A16: the caps themselves, in numbers: a cap that is compared with itself may be anything.
#[test]
fn a16_the_caps_in_numbers() {
    assert_eq!((MAX_JWKS, MAX_TOKEN), (65_536, 8_192));
    let of = |keys: usize| {
        let listed: Vec<_> = (0..keys).map(|n| format!(r#"{{"kty":"RSA","kid":"{n}"}}"#)).collect();
        jwks::parse(format!(r#"{{"keys":[{}]}}"#, listed.join(",")).as_bytes()).err()
    };
    assert_ne!(of(64), Some(JwksRefusal::TooLarge));
    assert_eq!(of(65), Some(JwksRefusal::TooLarge));
}
