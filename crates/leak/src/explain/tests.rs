//! Whole explanations, and that none of them gives the token away.

use aws_lc_rs::hmac;
use countersign_core::domain::environment::Environment;
use countersign_core::domain::secret::SecretArray;
use countersign_core::domain::token::{api_key, checksum};
use countersign_core::domain::{base62, time::Timestamp};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use super::*;

const NOW: i64 = 1_790_000_000;

fn now() -> Timestamp {
    Timestamp::from_secs(NOW)
}

fn jwt(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    format!("{}.{}.{}", part(header), part(claims), BASE64URL_NOPAD.encode(&[0x5a; 64]))
}

fn signed_with(secret: &str, claims: &Value) -> String {
    let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let signed = format!("{}.{}", part(&json!({"alg": "HS256", "typ": "JWT"})), part(claims));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), signed.as_bytes());
    format!("{signed}.{}", BASE64URL_NOPAD.encode(tag.as_ref()))
}

fn ours() -> Value {
    json!({
        "iss": "https://app.example.com", "sub": "u1", "aud": ["app"], "client_id": "countersign", "exp": NOW + 600,
        "iat": NOW - 300, "jti": "j1", "sid": "AAECAwQFBgcICQoLDA0ODw", "gen": 3, "epoch": 0, "env": "staging",
        "purpose": "access", "scope": "orders:read", "auth_time": NOW - 300, "amr": ["pwd"],
    })
}

fn refresh() -> String {
    let mut bytes = vec![1];
    bytes.extend([9; 16]);
    bytes.extend(7u32.to_be_bytes());
    bytes.extend([0xcd; 32]);
    let text = format!("csr_production_{}", base62::encode(&bytes, 72));
    format!("{text}{}", checksum::of(&text))
}

fn key() -> String {
    let random = SecretArray::new(std::array::from_fn(|i| u8::try_from(i * 7).unwrap()));
    api_key::mint(&Environment::parse("staging").unwrap(), &random).text.expose().to_owned()
}

fn ids(explanation: &Explanation) -> Vec<&'static str> {
    explanation.flaws.iter().map(|flaw| flaw.id).collect()
}

#[test]
fn our_access_token_has_no_flaw_and_ends_soon() {
    let explanation =
        explain(&jwt(&json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "k"}), &ours()), now()).unwrap();
    assert_eq!(explanation.kind, Kind::Access);
    assert_eq!(explanation.flaws, []);
    assert_eq!(explanation.missing, []);
    assert_eq!(explanation.blast_radius.reach, Reach::AtMost { seconds: 600 });
    assert_eq!(explanation.blast_radius.headline, "Whoever holds it is user u1 at app for 10 min more.");
    assert_eq!(explanation.environment.as_deref(), Some("staging"));
    assert_eq!(explanation.powers, ["orders:read"]);
    assert_eq!((explanation.times.age_seconds, explanation.times.lifetime_seconds), (Some(300), Some(900)));
}

/// What is wrong with the usual token of a tutorial, all at once.
#[test]
fn the_token_of_a_tutorial() {
    let claims = json!({"id": 7, "email": "ada@example.com", "role": "admin", "iat": NOW - 86_400, "exp": NOW + 29 * 86_400});
    let explanation =
        explain(&format!("Authorization: Bearer {}", signed_with("secret", &claims)), now()).unwrap();
    assert_eq!(explanation.kind, Kind::Jwt);
    assert_eq!(ids(&explanation), ["known_secret", "long_life", "no_audience", "personal_data"]);
    let missing: Vec<_> = explanation.missing.iter().map(|missing| missing.claim).collect();
    assert_eq!(missing, ["aud", "iss", "sub", "jti", "env", "purpose"]);
    assert_eq!(
        explanation.blast_radius.headline,
        "Whoever holds it is user 7 at every service that trusts its issuer for 29 d more."
    );
    assert!(explanation.blast_radius.can.join(" ").contains("with admin"));
    let random = signed_with("Zk3vX1pQ8sT6yW0bN4mL", &claims);
    assert!(ids(&explain(&random, now()).unwrap()).contains(&"alg_symmetric"));
}

/// Each flaw by the least change that brings it, from a token that has none.
#[test]
fn each_flaw_alone() {
    let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": "k1"});
    let claims = json!({"iss": "https://i.example", "sub": "u1", "aud": "api", "iat": NOW, "exp": NOW + 900, "jti": "1",
        "env": "production"});
    assert_eq!(ids(&explain(&jwt(&header, &claims), now()).unwrap()), [""; 0]);
    let with = |base: &Value, name: &str, value: Value| {
        let mut changed = base.clone();
        changed[name] = value;
        changed
    };
    for (name, value, flaw) in [
        ("alg", json!("none"), "alg_none"),
        ("alg", json!("NoNe"), "alg_none"),
        ("alg", json!(""), "alg_none"),
        ("alg", json!("HS512"), "alg_symmetric"),
        ("alg", json!("RS1"), "alg_unknown"),
        ("jwk", json!({}), "key_in_header"),
        ("jku", json!("https://evil.example/keys"), "key_in_header"),
        ("kid", json!("../../dev/null"), "kid_odd"),
        ("kid", json!("' OR 1=1"), "kid_odd"),
        ("kid", json!(7), "kid_odd"),
        ("crit", json!(["b64"]), "crit"),
    ] {
        let explanation = explain(&jwt(&with(&header, name, value), &claims), now()).unwrap();
        assert_eq!(ids(&explanation), [flaw], "{name}");
    }
    for (name, value, flaw) in [
        ("exp", Value::Null, "no_expiry"),
        ("exp", json!((NOW + 900) * 1000), "expiry_in_milliseconds"),
        ("exp", json!("soon"), "expiry_unreadable"),
        ("exp", json!((NOW + 900).to_string()), "time_as_text"),
        ("exp", json!(NOW + 3601), "long_life"),
        ("iat", json!(NOW + 200), "from_the_future"),
        ("aud", json!([]), "no_audience"),
        ("aud", json!(""), "no_audience"),
        ("email", json!("a@example.com"), "personal_data"),
        ("contact", json!("a@example.com"), "personal_data"),
        ("user", json!({"phone": "1"}), "personal_data"),
        ("password", json!("hunter2"), "secret_in_claims"),
        ("user", json!({"passwordHash": "$2b$"}), "secret_in_claims"),
    ] {
        let explanation = explain(&jwt(&header, &with(&claims, name, value)), now()).unwrap();
        assert_eq!(ids(&explanation), [flaw], "{name}");
    }
    let twice = format!(
        "{}.{}.AAAA",
        BASE64URL_NOPAD.encode(header.to_string().as_bytes()),
        BASE64URL_NOPAD.encode(claims.to_string().replace('}', r#","sub":"root"}"#).as_bytes())
    );
    assert_eq!(ids(&explain(&twice, now()).unwrap()), ["ambiguous"]);
}

/// For how long, as a verifier would let it: no end, an end in milliseconds, an end that has passed.
#[test]
fn reach_is_what_verifiers_allow() {
    let header = json!({"alg": "ES256"});
    let reach = |exp: Value| {
        let token = jwt(&header, &json!({"iat": NOW - 9000, "exp": exp}));
        explain(&token, now()).unwrap().blast_radius.reach
    };
    assert_eq!(reach(json!(NOW + 60)), Reach::AtMost { seconds: 60 });
    assert_eq!(reach(json!(NOW)), Reach::Nothing);
    assert_eq!(reach(json!((NOW + 60) * 1000)), Reach::Endless);
    assert_eq!(reach(Value::Null), Reach::Endless);
    let unsigned = jwt(&json!({"alg": "none"}), &json!({"exp": NOW - 60}));
    assert_eq!(
        explain(&unsigned, now()).unwrap().blast_radius.reach,
        Reach::Endless,
        "anybody writes another"
    );
    let bound = jwt(&header, &json!({"iss": "https://i.example", "exp": NOW + 60, "cnf": {"jkt": "x"}}));
    assert_eq!(explain(&bound, now()).unwrap().blast_radius.reach, Reach::Nothing);
}

#[test]
fn other_kinds_of_ours() {
    let of = |token: &str| explain(token, now()).unwrap();
    let refresh = of(&refresh());
    assert_eq!((refresh.kind, refresh.environment.as_deref()), (Kind::Refresh, Some("production")));
    assert!(refresh.title.contains("number 7"), "{}", refresh.title);
    assert_eq!((of(&key()).kind, of(&key()).environment.as_deref()), (Kind::ApiKey, Some("staging")));
    assert!(of(&key()).key_id.is_some());
    assert_eq!(of(key().get(..40).unwrap()).kind, Kind::Damaged);
    assert_eq!(of("eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.countersign").kind, Kind::Placeholder);
    assert_eq!(of("countersign").kind, Kind::Placeholder);
    let mut assertion = ours();
    assertion["purpose"] = json!("assertion");
    assert_eq!(
        of(&jwt(&json!({"alg": "EdDSA", "typ": "cs-assertion+jwt"}), &assertion)).kind,
        Kind::Assertion
    );
    let csrf = BASE64URL_NOPAD.encode(&[7; 48]);
    assert_eq!(of(&format!("__Host-cs-csrf={csrf}")).kind, Kind::Csrf);
    assert_eq!(of(&format!("X-CSRF-Token: {csrf}")).kind, Kind::Csrf);
    let alone = of(&csrf);
    assert_eq!(
        (alone.kind, alone.blast_radius.reach),
        (Kind::Opaque, Reach::Unknown),
        "size alone proves nothing"
    );
}

#[test]
fn kinds_of_others() {
    let kind = |token: &str| explain(token, now()).unwrap().kind;
    assert_eq!(kind("eyJhbGciOiJkaXIifQ..aXY.Y2lwaGVy.dGFn"), Kind::Jwe);
    let flask = format!("{}.aGVsbG8.c2lnbmF0dXJl", BASE64URL_NOPAD.encode(br#"{"user_id":7}"#));
    assert_eq!(kind(&flask), Kind::SignedCookie);
    assert_eq!(kind("q8h2d0y5k1w9x7c3v6b4n2m0"), Kind::Opaque);
    assert_eq!(ids(&explain("123456", now()).unwrap()), ["guessable"]);
    assert_eq!(ids(&explain("550e8400e29b41d4a716446655440000", now()).unwrap()), [""; 0]);
}

/// A cut token is no token: what is said of it is why.
#[test]
fn damaged_jwts_are_named_as_such() {
    let whole = jwt(&json!({"alg": "ES256"}), &ours());
    let (head, rest) = whole.split_once('.').unwrap();
    for (text, part) in [
        (format!("{head}.{}.AA", rest.get(..31).unwrap()), "claims"),
        (format!("{}.{rest}", head.get(..9).unwrap()), "header"),
        (whole.replace(".Wlpa", ".W!pa"), "signature"),
    ] {
        match explain(&text, now()) {
            Err(Unreadable::Damaged { part: named, .. }) => assert_eq!(named, part),
            other => panic!("{part}: {other:?}"),
        }
    }
}

/// The server's word counts: dead is dead, and its end is the end.
#[test]
fn a_servers_word_counts() {
    let standing = |active, seconds: Option<i64>| Standing {
        asked: "https://app.example.com".into(),
        active,
        expires_at: seconds.map(|s| Timestamp::from_secs(NOW + s)),
        ..Standing::default()
    };
    let reach =
        |token: &str, said| explain(token, now()).unwrap().with_standing(said, now()).blast_radius.reach;
    assert_eq!(reach(&refresh(), standing(false, None)), Reach::Nothing);
    assert_eq!(reach(&refresh(), standing(true, Some(5000))), Reach::AtMost { seconds: 5000 });
    assert_eq!(reach(&refresh(), standing(true, None)), Reach::Unknown);
    let access = jwt(&json!({"alg": "EdDSA", "typ": "at+jwt"}), &ours());
    assert_eq!(reach(&access, standing(true, Some(5000))), Reach::AtMost { seconds: 600 });
}

/// I01: no explanation holds the token, its signature, its secret part or the sid.
#[test]
fn i01_no_explanation_gives_the_token_away() {
    let mut claims = ours();
    claims["nested"] = json!({"refresh_token": "hidden-value-1", "copy": refresh(), "note": key()});
    for token in [
        jwt(&json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "k"}), &claims),
        signed_with("secret", &claims),
        refresh(),
        key(),
        key().get(..50).unwrap().to_owned(),
        BASE64URL_NOPAD.encode(&[7; 48]),
        "q8h2d0y5k1w9x7c3v6b4n2m0".to_owned(),
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789".to_owned(),
    ] {
        let explanation = explain(&token, now()).unwrap();
        let said = format!("{} {explanation:?}", serde_json::to_string(&explanation).unwrap());
        let mut windows = token.as_bytes().windows(12).map(|w| std::str::from_utf8(w).unwrap());
        assert_eq!(windows.find(|part| said.contains(part) && *part != "csr_producti"), None, "{said}");
        for secret in [
            "hidden-value-1",
            "AAECAwQFBgcICQoLDA0ODw",
            refresh().get(20..40).unwrap(),
            key().get(20..40).unwrap(),
        ] {
            assert!(!said.contains(secret), "{secret}: {said}");
        }
    }
}
