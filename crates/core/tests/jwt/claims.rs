//! Times, standing and binding: A11, A19, E04.

use std::time::Duration;

use countersign_core::domain::environment::Environment;
use countersign_core::domain::id::Epoch;
use countersign_core::domain::signing_key::Algorithm;
use countersign_core::domain::time::Timestamp;
use countersign_core::domain::token::TokenRefusal;
use countersign_core::domain::token::access::{self, AccessProfile};
use countersign_core::domain::token::standing::{Fallen, Standing, Unproven};
use serde_json::json;

use crate::maker::{Maker, NOW, access_claims, access_profile, alive, with};

/// A11: the last good millisecond and the first bad one, with and without leeway, which never exceeds a minute.
#[test]
fn a11_expiry() {
    let maker = Maker::new(Algorithm::EdDsa);
    let token = maker.token("at+jwt", &access_claims());
    let exp = (NOW + 600) * 1000;
    for (leeway, counted) in [(0, 0), (5, 5), (60, 60), (61, 60), (86_400, 60)] {
        let end = exp + counted * 1000;
        let at = |millis| maker.access_at(&token, millis, Duration::from_secs(leeway)).map(|_| ());
        assert_eq!(at(exp - 1000), Ok(()), "{leeway}");
        assert_eq!(at(end - 1), Ok(()), "{leeway}");
        assert_eq!(at(end), Err(TokenRefusal::Expired), "{leeway}");
        assert_eq!(at(end + 1000), Err(TokenRefusal::Expired), "{leeway}");
    }
    let profile = AccessProfile { leeway: Duration::from_secs(86_400), ..access_profile() };
    let end = Timestamp::from_millis(exp);
    assert!(!profile.has_expired(end, Timestamp::from_millis(exp + 59_999)));
    assert!(profile.has_expired(end, Timestamp::from_millis(exp + 60_000)));
}

/// A11: not before `iat` and `nbf`, less the leeway.
#[test]
fn a11_not_yet() {
    let maker = Maker::new(Algorithm::EdDsa);
    let iat = (NOW - 300) * 1000;
    for (claims, start) in
        [(access_claims(), iat), (with(access_claims(), "nbf", json!(NOW - 100)), (NOW - 100) * 1000)]
    {
        let token = maker.token("at+jwt", &claims);
        for (leeway, counted) in [(0, 0), (5, 5), (3600, 60)] {
            let at = |millis| maker.access_at(&token, millis, Duration::from_secs(leeway)).map(|_| ());
            assert_eq!(at(start - counted * 1000), Ok(()));
            assert_eq!(at(start - counted * 1000 - 1), Err(TokenRefusal::NotYet));
        }
    }
}

/// Revocations are remembered for an hour, so nothing hardened may live longer; development may.
#[test]
fn lifetime_is_bounded_where_it_counts() {
    let maker = Maker::new(Algorithm::EdDsa);
    let long = with(with(access_claims(), "exp", json!(NOW + 86_400)), "env", json!("development"));
    let profile =
        AccessProfile { environment: Environment::parse("development").unwrap(), ..access_profile() };
    let token = maker.token("at+jwt", &long);
    drop(access::check(&token, &profile, &maker.trusted(), Timestamp::from_secs(NOW)).unwrap());
    let token = maker.token("at+jwt", &with(long, "env", json!("production")));
    assert_eq!(maker.access(&token).unwrap_err(), TokenRefusal::Lifetime);
}

/// The one call asks how the session stands, for good tokens only, and believes the answer.
#[test]
fn the_session_must_stand() {
    let maker = Maker::new(Algorithm::EdDsa);
    let token = maker.token("at+jwt", &access_claims());
    let verify = |token: &str, standing| {
        let mut asked = false;
        let found = access::verify(
            token,
            &access_profile(),
            &maker.trusted(),
            Timestamp::from_secs(NOW),
            |subject| {
                asked = true;
                assert_eq!(
                    (subject.user.as_str(), subject.generation.0, subject.epoch, subject.foreign),
                    ("user-1", 3, Epoch(2), None)
                );
                standing
            },
        );
        (found.map(|proven| proven.claims().client.to_string()), asked)
    };
    let fallen = |why| (Err(Unproven::Fallen(why)), true);
    assert_eq!(verify(&token, alive()), (Ok(String::from("countersign")), true));
    assert_eq!(verify(&token, Standing::Live { epoch: Epoch(2) }), (Ok(String::from("countersign")), true));
    assert_eq!(verify(&token, Standing::Live { epoch: Epoch(3) }), fallen(Fallen::Revoked));
    assert_eq!(verify(&token, Standing::Revoked), fallen(Fallen::Revoked));
    assert_eq!(verify(&token, Standing::Expired), fallen(Fallen::Expired));
    assert_eq!(verify(&token, Standing::Abandoned), fallen(Fallen::Abandoned));
    let bound = maker.token("at+jwt", &with(access_claims(), "cnf", json!({"jkt": "x"})));
    assert_eq!(verify(&bound, alive()), (Err(Unproven::Refused(TokenRefusal::Bound)), false));
}

/// A19: another spelling of an ES256 signature is another string and the same session: whoever revokes by the sid has
/// revoked it too.
#[test]
fn a19_revocation_is_by_sid() {
    let maker = Maker::new(Algorithm::Es256);
    let token = maker.token("at+jwt", &access_claims());
    let twin = crate::issuers::other_signature(&token);
    assert_ne!(token, twin);
    let (one, two) = (maker.access(&token).unwrap(), maker.access(&twin).unwrap());
    assert_eq!(one.subject().sid, two.subject().sid);
    assert!(two.stands(Standing::Revoked).is_err());
}
