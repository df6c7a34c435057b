//! Several issuers: A04, A13, A21.

use countersign_core::domain::environment::Environment;
use countersign_core::domain::signing_key::Algorithm;
use countersign_core::domain::time::Timestamp;
use countersign_core::domain::token::access::AccessProfile;
use countersign_core::domain::token::jws::{JwsRefusal, KeySet};
use countersign_core::domain::token::standing::Statement;
use countersign_core::domain::token::trust::{Issuers, Trusted};
use countersign_core::domain::token::{TokenRefusal, access};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::maker::{ISSUER, Maker, NOW, access_claims, access_profile, alive, with};

const OTHER: &str = "https://other.example";

/// The same claims with the mirror image of an ECDSA signature, s' = n - s: also valid, for anybody to make (A19).
pub(crate) fn other_signature(token: &str) -> String {
    const ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let order = data_encoding::HEXLOWER.decode(ORDER.as_bytes()).unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let mut signature = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
    let mut borrow = 0i16;
    for (byte, order) in signature[32..].iter_mut().zip(&order).rev() {
        let difference = i16::from(*order) - i16::from(*byte) - borrow;
        borrow = i16::from(difference < 0);
        *byte = u8::try_from(difference.rem_euclid(256)).unwrap();
    }
    format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
}

struct Two {
    ours: Maker,
    theirs: Maker,
    others: Issuers,
}

impl Two {
    /// Another issuer, whose key goes by the same `kid` as ours.
    fn new() -> Self {
        let (ours, mut theirs) = (Maker::new(Algorithm::EdDsa), Maker::new(Algorithm::EdDsa));
        let key = std::mem::take(&mut theirs.keys).into_values().next().unwrap();
        theirs.kid.clone_from(&ours.kid);
        let mut others = Issuers::default();
        assert!(others.trust(OTHER, KeySet::from([(ours.kid.as_str().into(), key)])));
        Self { ours, theirs, others }
    }

    fn judge(&self, token: &str) -> Result<Statement, TokenRefusal> {
        let trusted = Trusted::only(ISSUER, &self.ours.keys).beside(&self.others);
        access::check(token, &access_profile(), &trusted, Timestamp::from_secs(NOW))
    }
}

fn from(issuer: &str) -> Value {
    with(access_claims(), "iss", json!(issuer))
}

/// A04: each issuer's key signs for that issuer only, also under one `kid`.
#[test]
fn a04_keys_sign_for_their_issuer() {
    let two = Two::new();
    drop(two.judge(&two.ours.token("at+jwt", &from(ISSUER))).unwrap());
    drop(two.judge(&two.theirs.token("at+jwt", &from(OTHER))).unwrap());
    assert_eq!(two.judge(&two.ours.token("at+jwt", &from(OTHER))).unwrap_err(), JwsRefusal::Signature.into());
    assert_eq!(
        two.judge(&two.theirs.token("at+jwt", &from(ISSUER))).unwrap_err(),
        JwsRefusal::Signature.into()
    );
    for stranger in ["https://third.example", "https://other.example/", "https://OTHER.example", ""] {
        assert_eq!(
            two.judge(&two.theirs.token("at+jwt", &from(stranger))).unwrap_err(),
            TokenRefusal::Issuer
        );
    }
    // Whoever is not told of the other issuer knows nobody but us.
    assert_eq!(two.ours.access(&two.theirs.token("at+jwt", &from(OTHER))).unwrap_err(), TokenRefusal::Issuer);
}

/// A21: the other issuer's user of a name is not ours of that name.
#[test]
fn a21_same_sub_two_users() {
    let two = Two::new();
    let ours = two.judge(&two.ours.token("at+jwt", &from(ISSUER))).unwrap();
    let theirs = two.judge(&two.theirs.token("at+jwt", &from(OTHER))).unwrap();
    assert_eq!(ours.subject().foreign, None);
    assert_eq!(theirs.subject().foreign, Some(OTHER));
    let (ours, theirs) = (ours.stands(alive()).unwrap(), theirs.stands(alive()).unwrap());
    assert_eq!(ours.claims().user.as_str(), "user-1");
    assert_ne!(theirs.claims().user.as_str(), "user-1");
    assert_eq!((ours.foreign_issuer(), theirs.foreign_issuer()), (None, Some(OTHER)));
}

/// Another issuer's tokens obey all other rules: environment (A13), audience (A12), and at most an hour of life, in
/// development too, since it is not our configuration that bounds it.
#[test]
fn a04_other_issuers_obey_the_rules() {
    let two = Two::new();
    let judge = |claims: &Value| two.judge(&two.theirs.token("at+jwt", claims)).unwrap_err();
    assert_eq!(judge(&with(from(OTHER), "env", json!("staging"))), TokenRefusal::Environment);
    assert_eq!(judge(&with(from(OTHER), "aud", json!("theirs"))), TokenRefusal::Audience);
    assert_eq!(judge(&with(from(OTHER), "exp", json!(NOW + 86_400))), TokenRefusal::Lifetime);
}

/// A04: an hour of life, to the second, where our own configuration bounds nothing (development).
#[test]
fn a04_an_hour_in_development_too() {
    let two = Two::new();
    let development =
        AccessProfile { environment: Environment::parse("development").unwrap(), ..access_profile() };
    let judge = |maker: &Maker, issuer: &str, life: i64| {
        let claims = with(with(from(issuer), "env", json!("development")), "iat", json!(NOW));
        let token = maker.token("at+jwt", &with(claims, "exp", json!(NOW + life)));
        let trusted = Trusted::only(ISSUER, &two.ours.keys).beside(&two.others);
        access::check(&token, &development, &trusted, Timestamp::from_secs(NOW)).map(drop)
    };
    assert_eq!(judge(&two.theirs, OTHER, 3600), Ok(()));
    for life in [3601, 7200] {
        assert_eq!(judge(&two.theirs, OTHER, life), Err(TokenRefusal::Lifetime));
    }
    assert_eq!(judge(&two.ours, ISSUER, 7200), Ok(()));
}
