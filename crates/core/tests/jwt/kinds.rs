//! Kinds exclude each other (A08, A09), and assertions are verified as strictly as access tokens (K02).

use countersign_core::domain::base62;
use countersign_core::domain::environment::Environment;
use countersign_core::domain::signing_key::Algorithm;
use countersign_core::domain::time::Timestamp;
use countersign_core::domain::token::access;
use countersign_core::domain::token::refresh::RefreshToken;
use countersign_core::domain::token::{TokenRefusal, checksum, unverified};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::maker::{Maker, NOW, access_claims, assertion_claims, with, without};

/// Claims that are good for both kinds at once, so that nothing but kind and purpose can tell them apart.
fn claims_of_both() -> Value {
    let mut claims = assertion_claims();
    for (name, value) in access_claims().as_object().unwrap() {
        claims.as_object_mut().unwrap().entry(name.as_str()).or_insert_with(|| value.clone());
    }
    claims
}

fn opaque(prefix: &str, digits: usize, bytes: &[u8]) -> String {
    let mut text = format!("{prefix}{}", base62::encode(bytes, digits));
    text.push_str(&checksum::of(&text));
    text
}

/// A08: every kind at every gate; only the diagonal passes.
#[test]
fn a08_kinds_and_gates() {
    let maker = Maker::new(Algorithm::EdDsa);
    let production = Environment::parse("production").unwrap();
    let tokens = [
        ("access", maker.token("at+jwt", &access_claims())),
        ("assertion", maker.token("cs-assertion+jwt", &assertion_claims())),
        ("refresh", opaque("csr_production_", 72, &[1; 53])),
        ("api key", opaque("csk_production_", 49, &[1; 36])),
        ("csrf", data_encoding::BASE64URL_NOPAD.encode(&[1; 48])),
        ("identity", maker.token("JWT", &access_claims())),
    ];
    for (kind, token) in &tokens {
        assert_eq!(maker.access(token).is_ok(), *kind == "access", "{kind} as access token");
        assert_eq!(maker.assertion(token).is_ok(), *kind == "assertion", "{kind} as assertion");
        assert_eq!(
            RefreshToken::parse(token, &production).is_ok(),
            *kind == "refresh",
            "{kind} as refresh token"
        );
    }
}

proptest! {
    /// A09: no token is good under two profiles, whatever its kind, its purpose and what is missing from it. The same
    /// key, issuer, audience and environment serve both profiles here.
    #[test]
    fn a09_profiles_exclude_each_other(
        typ in prop_oneof!["at\\+jwt", "cs-assertion\\+jwt", "application/at\\+jwt", "application/cs-assertion\\+jwt", "JWT"],
        purpose in prop_oneof!["access", "assertion", "refresh"],
        missing in prop::collection::vec(any::<prop::sample::Index>(), 0..3),
        es256: bool,
    ) {
        let maker = Maker::new(if es256 { Algorithm::Es256 } else { Algorithm::EdDsa });
        let mut claims = with(claims_of_both(), "purpose", json!(purpose));
        for index in &missing {
            let names: Vec<String> = claims.as_object().unwrap().keys().cloned().collect();
            let name = index.get(&names);
            claims = without(claims, name);
        }
        let token = maker.token(&typ, &claims);
        let (access, assertion) = (maker.access(&token), maker.assertion(&token));
        prop_assert!(access.is_err() || assertion.is_err());
        let short = typ.strip_prefix("application/").unwrap_or(&typ);
        if missing.is_empty() {
            prop_assert_eq!(access.is_ok(), short == "at+jwt" && purpose == "access");
            prop_assert_eq!(assertion.is_ok(), short == "cs-assertion+jwt" && purpose == "assertion");
        }
    }
}

/// A09: kind without purpose and purpose without kind are not enough.
#[test]
fn a09_kind_and_purpose() {
    let maker = Maker::new(Algorithm::EdDsa);
    let of = |typ: &str, purpose: &str| maker.token(typ, &with(claims_of_both(), "purpose", json!(purpose)));
    assert!(maker.access(&of("at+jwt", "access")).is_ok());
    assert!(maker.assertion(&of("cs-assertion+jwt", "assertion")).is_ok());
    for (typ, purpose) in [("at+jwt", "assertion"), ("cs-assertion+jwt", "access")] {
        assert_eq!(maker.access(&of(typ, purpose)).unwrap_err(), TokenRefusal::Purpose);
        assert_eq!(maker.assertion(&of(typ, purpose)).unwrap_err(), TokenRefusal::Purpose);
    }
}

/// K02: who an assertion speaks of.
#[test]
fn k02_a_good_assertion() {
    let maker = Maker::new(Algorithm::Es256);
    let asserted = maker.assertion(&maker.token("cs-assertion+jwt", &assertion_claims())).unwrap();
    assert_eq!((asserted.user.as_str(), asserted.email.as_deref()), ("user-1", Some("ada@example.com")));
    assert_eq!(
        (asserted.session.as_ref().map(|id| id.as_str()), &asserted.api_key),
        (Some("session-1"), &None)
    );
    assert_eq!(
        (asserted.scope.to_string(), asserted.auth_time.map(|t| t.as_secs())),
        (String::from("read"), Some(NOW - 3600))
    );
    assert_eq!(&*asserted.amr[0], "pwd");
    let mut key = assertion_claims();
    for name in ["session", "auth_time", "amr", "email", "email_verified"] {
        key = without(key, name);
    }
    let asserted =
        maker.assertion(&maker.token("cs-assertion+jwt", &with(key, "api_key", json!("key-1")))).unwrap();
    assert_eq!(asserted.api_key.map(|id| id.as_str().to_owned()), Some(String::from("key-1")));
    assert_eq!((asserted.session, asserted.auth_time, asserted.email), (None, None, None));
}

/// A10-A12 for assertions: each claim missing or wrong; an hour-long one; an address nobody vouched for.
#[test]
fn a10_a12_assertions() {
    let maker = Maker::new(Algorithm::EdDsa);
    let refusal =
        |claims: &Value| maker.assertion(&maker.token("cs-assertion+jwt", claims)).map(|_| ()).unwrap_err();
    for name in
        ["iss", "sub", "aud", "exp", "iat", "jti", "session", "env", "purpose", "scope", "auth_time", "amr"]
    {
        let name: &'static str = name;
        assert_eq!(refusal(&without(assertion_claims(), name)), TokenRefusal::Claim(name));
        for wrong in [json!(null), json!(true), json!(1.5), json!({}), json!([1])] {
            assert_eq!(refusal(&with(assertion_claims(), name, wrong)), TokenRefusal::Claim(name), "{name}");
        }
    }
    for (name, value, wanted) in [
        ("aud", json!("other"), TokenRefusal::Audience),
        ("aud", json!([]), TokenRefusal::Audience),
        ("env", json!("staging"), TokenRefusal::Environment),
        ("iss", json!("https://issuer.example/"), TokenRefusal::Issuer),
        ("exp", json!(NOW), TokenRefusal::Expired),
        ("iat", json!(NOW + 1), TokenRefusal::NotYet),
        ("exp", json!(NOW + 51), TokenRefusal::Lifetime),
        ("cnf", json!({}), TokenRefusal::Bound),
        ("email_verified", json!(false), TokenRefusal::Claim("email_verified")),
        ("email_verified", json!("true"), TokenRefusal::Claim("email_verified")),
        ("email", json!(1), TokenRefusal::Claim("email")),
        ("email", json!(""), TokenRefusal::Claim("email")),
        ("api_key", json!("key-1"), TokenRefusal::Claim("session")),
    ] {
        assert_eq!(refusal(&with(assertion_claims(), name, value.clone())), wanted, "{name}: {value}");
    }
    assert_eq!(refusal(&without(assertion_claims(), "email")), TokenRefusal::Claim("email"));
    assert_eq!(
        refusal(&without(assertion_claims(), "email_verified")),
        TokenRefusal::Claim("email_verified")
    );
}

/// What a token says of itself before anything is proven: to name what was pasted, and to judge an expired one as of its own time.
#[test]
fn i06_what_a_token_claims_to_be() {
    let maker = Maker::new(Algorithm::EdDsa);
    let token = maker.token("at+jwt", &access_claims());
    assert_eq!(access::issued_at_unverified(&token), Some(Timestamp::from_secs(NOW - 300)));
    assert_eq!(access::issued_at_unverified("a.b.c"), None);
    let audience = |aud: Value| {
        let token = maker.token("at+jwt", &with(access_claims(), "aud", aud));
        unverified::read(&token).unwrap().aud.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(audience(json!("app")), ["app"]);
    assert_eq!(audience(json!(["app", "api"])), ["app", "api"]);
    assert!(audience(json!(7)).is_empty());
}
