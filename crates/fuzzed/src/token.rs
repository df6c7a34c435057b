//! Signed tokens, their JSON, and other issuers' keys.

use std::sync::LazyLock;
use std::time::Duration;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use countersign_core::domain::environment::Environment;
use countersign_core::domain::id::{Epoch, Generation, Sid, TokenId, UserId};
use countersign_core::domain::scope::ScopeSet;
use countersign_core::domain::signing_key::Algorithm;
use countersign_core::domain::time::Timestamp;
use countersign_core::domain::token::access::{self, AccessClaims, AccessProfile};
use countersign_core::domain::token::compact::Compact;
use countersign_core::domain::token::jwk::VerifyingKey;
use countersign_core::domain::token::jws::{self, Header, JwsRefusal, KeySet};
use countersign_core::domain::token::trust::Trusted;
use countersign_core::domain::token::{json as strict, jwks as keys, unverified};
use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// One genuine access token, and what verifies it.
struct Genuine {
    text: String,
    profile: AccessProfile,
    keys: KeySet,
}

static GENUINE: LazyLock<Option<Genuine>> = LazyLock::new(genuine);

fn genuine() -> Option<Genuine> {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).ok()?;
    let key = VerifyingKey::new(Algorithm::EdDsa, pair.public_key().as_ref()).ok()?;
    let profile = AccessProfile {
        issuer: "https://app.example.com".into(),
        audience: vec!["app".into()],
        environment: Environment::parse("production").ok()?,
        leeway: Duration::ZERO,
    };
    let claims = AccessClaims {
        user: UserId::from_random([1; 16]),
        sid: Sid::from_bytes([2; 16]),
        generation: Generation(3),
        epoch: Epoch(0),
        scope: ScopeSet::parse("read write").ok()?,
        auth_time: NOW,
        amr: vec!["pwd".into()],
        client: access::COOKIE_CLIENT.into(),
        id: TokenId::from_random([3; 16]),
        issued_at: NOW,
        expires_at: NOW.plus(Duration::from_secs(900)),
    };
    let signed =
        jws::signing_input(Algorithm::EdDsa, key.kid(), access::TYP, &access::to_json(&claims, &profile));
    let text = jws::assemble(signed.clone(), pair.sign(signed.as_bytes()).as_ref());
    Some(Genuine { text, profile, keys: KeySet::from([(key.kid().into(), key)]) })
}

/// Compact JWS: an accepted one has one spelling, and its two JSON parts are read as a strict reader of whole trees reads them (A06,
/// A15). The same bytes are then edits of a genuine token: none but that token itself is ever good (A01-A03).
pub fn token(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(compact) = Compact::decode(&text) {
        let parts = [compact.header(), compact.payload(), compact.signature()];
        let spelled = parts.map(|part| BASE64URL_NOPAD.encode(part)).join(".");
        assert_eq!(spelled, *text, "a token with two spellings");
        if unverified::read(&text).is_some() {
            for part in [compact.header(), compact.payload()] {
                assert!(
                    strict::parse(part).is_some_and(|v| v.is_object()),
                    "read, but no strict JSON object"
                );
            }
        }
    }
    let Some(genuine) = &*GENUINE else { unreachable!("the genuine token could not be made") };
    let good = |token: &str| {
        access::check(token, &genuine.profile, &Trusted::only(&genuine.profile.issuer, &genuine.keys), NOW)
            .is_ok()
    };
    assert!(good(&genuine.text), "the genuine token is refused");
    assert!(!good(&text) || *text == genuine.text, "a token that nobody signed is good");
    let mut edited = genuine.text.clone().into_bytes();
    for edit in data.chunks_exact(3).take(8) {
        let [high, low, byte] = edit else { continue };
        let at = usize::from(u16::from_be_bytes([*high, *low]));
        let length = edited.len();
        if let Some(place) = edited.get_mut(at % length) {
            *place = *byte;
        }
    }
    if let Ok(edited) = String::from_utf8(edited) {
        assert!(!good(&edited) || edited == genuine.text, "an edited token is good: {edited}");
    }
}

/// JSON: the tree reader is no laxer than `serde_json` and means the same, survives a round trip, and agrees with the reader that
/// builds no tree (A15, A16).
pub fn json(data: &[u8]) {
    let tree = strict::parse(data);
    if let Some(value) = &tree {
        assert_eq!(serde_json::from_slice::<Value>(data).ok().as_ref(), Some(value), "another meaning");
        let written = value.to_string();
        // `serde_json` rounds fractions and huge numbers once more each time; no claim may be one (A10).
        if !rounds(value) {
            assert_eq!(
                strict::parse(written.as_bytes()).map(|v| v.to_string()),
                Some(written),
                "no round trip"
            );
        }
    }
    let object = tree.is_some_and(|value| value.is_object());
    let header = Header::read(data);
    assert_eq!(object, !matches!(header, Err(JwsRefusal::Malformed)), "the two readers disagree");
    if let Ok(header) = header {
        assert!(header.kid().is_none_or(jws::is_kid));
    }
}

fn rounds(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(items) => items.iter().any(rounds),
        Value::Object(members) => members.values().any(rounds),
        _ => false,
    }
}

/// JWK sets: what is accepted holds nothing secret, stays within its bounds, and is accepted again in our own spelling (A18).
pub fn jwks(data: &[u8]) {
    let Ok(set) = keys::parse(data) else { return };
    assert!(data.len() <= keys::MAX_JWKS && (1..=keys::MAX_KEYS).contains(&set.len()));
    let Ok(document) = serde_json::from_slice::<Value>(data) else { unreachable!("accepted, but no JSON") };
    let listed = document.get("keys").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for jwk in listed {
        let secret = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|name| jwk.get(name).is_some());
        assert!(!secret && jwk.get("kty").is_some_and(|kty| kty != "oct"), "a secret key was published");
    }
    for (kid, key) in &set {
        assert!(jws::is_kid(kid));
        assert_eq!(listed.iter().filter(|jwk| jwk.get("kid").is_some_and(|k| k == &**kid)).count(), 1);
        let ours = serde_json::json!({"keys": [key.to_jwk()]}).to_string();
        let again = keys::parse(ours.as_bytes());
        assert!(again.is_ok_and(|again| again.contains_key(key.kid())), "our own spelling is refused");
    }
}
