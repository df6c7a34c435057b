//! What a token must be. The rules themselves are core's, with their own tests: these show that they all hold at the edge.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use countersign_verify::{Credential, Timestamp};
use serde_json::{Value, json};

use crate::issuer::{Issuer, TestKey, asserted, bearer, headers, now, outcome, ready};

#[tokio::test]
async fn good_tokens_name_their_principal() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().await;
    let direct = verifier.verify_headers(&issuer.access(&json!({}))).await.unwrap();
    assert_eq!(
        (direct.credential(), direct.user(), direct.client()),
        (Credential::AccessToken, "LPJNul", Some("web"))
    );
    assert_eq!((direct.session(), direct.verified_email()), (None, None));
    assert_eq!(direct.amr().collect::<Vec<_>>(), ["pwd"]);
    let through = verifier.verify_headers(&issuer.assertion(&json!({}))).await.unwrap();
    assert_eq!((through.credential(), through.user()), (Credential::Assertion, "LPJNul"));
    assert_eq!((through.session(), through.verified_email()), (Some("pub1"), Some("ada@example.com")));
    assert!(
        verifier.verify_headers(&issuer.access(&json!({"aud": "api"}))).await.is_ok(),
        "aud may be a string"
    );
}

/// A02, A08-A13 at the edge.
#[tokio::test]
async fn a08_to_a13_refusals_and_their_codes() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().await;
    let late = now() - 1000;
    let cases: Vec<(Value, &str)> = vec![
        (json!({"aud": "ap"}), "wrong_audience"),
        (json!({"aud": []}), "wrong_audience"),
        (json!({"aud": ["API", "api/"]}), "wrong_audience"),
        (json!({"aud": null}), "token_invalid"),
        (json!({"iss": format!("{}/", issuer.origin)}), "token_invalid"),
        (json!({"env": "staging"}), "wrong_environment"),
        (json!({"purpose": "assertion"}), "wrong_purpose"),
        (json!({"exp": late, "iat": late - 900}), "token_expired"),
        (json!({"iat": now() + 60}), "token_invalid"),
        (json!({"nbf": now() + 60}), "token_invalid"),
        (json!({"cnf": {"jkt": "x"}}), "token_invalid"),
        (json!({"sid": null}), "token_invalid"),
        (json!({"sid": "short"}), "token_invalid"),
        (json!({"gen": "3"}), "token_invalid"),
        (json!({"scope": 1}), "token_invalid"),
    ];
    for (over, code) in cases {
        assert_eq!(outcome(&verifier, &issuer.access(&over)).await, code, "{over}");
    }
    for (over, code) in [
        (json!({"aud": ["web"]}), "wrong_audience"),
        (json!({"exp": now() + 120}), "token_invalid"),
        (json!({"session": null}), "token_invalid"),
        (json!({"purpose": "access"}), "wrong_purpose"),
        (json!({"env": "staging"}), "wrong_environment"),
    ] {
        assert_eq!(outcome(&verifier, &issuer.assertion(&over)).await, code, "assertion {over}");
    }
    for garbage in ["", "x", "a.b.c", &"x".repeat(1 << 20)] {
        assert_eq!(outcome(&verifier, &bearer(garbage)).await, "token_invalid");
    }
}

/// A08, A09: no kind passes for another, whichever header it comes in.
#[tokio::test]
async fn a09_no_kind_passes_for_another() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().await;
    let (key, access, assertion) =
        (issuer.key(), issuer.access_claims(&json!({})), issuer.assertion_claims(&json!({})));
    for (headers, code) in [
        (bearer(&key.sign("cs-assertion+jwt", &assertion)), "wrong_purpose"),
        (asserted(&key.sign("at+jwt", &access)), "wrong_purpose"),
        (bearer(&key.sign("JWT", &access)), "wrong_purpose"),
        (bearer(&key.sign("at+jwt", &assertion)), "wrong_purpose"),
        (asserted(&key.sign("cs-assertion+jwt", &access)), "wrong_purpose"),
    ] {
        assert_eq!(outcome(&verifier, &headers).await, code);
    }
}

/// A02, A04: a signature of another key under a known name; a known signature over other claims.
#[tokio::test]
async fn a04_signatures() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().await;
    let mut stranger = TestKey::new();
    stranger.kid = issuer.key().kid.clone();
    let claims = issuer.access_claims(&json!({}));
    assert_eq!(outcome(&verifier, &bearer(&stranger.sign("at+jwt", &claims))).await, "token_invalid");
    let good = issuer.key().sign("at+jwt", &claims);
    let other = issuer.key().sign("at+jwt", &issuer.access_claims(&json!({"sub": "root"})));
    let (head, rest) = good.split_once('.').unwrap();
    let (_, signature) = rest.split_once('.').unwrap();
    let payload = other.split('.').nth(1).unwrap();
    assert_eq!(outcome(&verifier, &bearer(&format!("{head}.{payload}.{signature}"))).await, "token_invalid");
}

/// A11: to the second, with the leeway of 5 s.
#[tokio::test]
async fn a11_times() {
    let issuer = Issuer::start().await;
    let start = i64::try_from(now()).unwrap();
    let clock = Arc::new(AtomicI64::new(start));
    let reading = Arc::clone(&clock);
    let verifier =
        ready(issuer.builder().clock(move || Timestamp::from_secs(reading.load(Ordering::Relaxed)))).await;
    let token = issuer.access(&json!({"iat": start, "exp": start + 900}));
    for (offset, code) in [
        (899, "ok"),
        (900, "ok"),
        (904, "ok"),
        (905, "token_expired"),
        (906, "token_expired"),
        (-5, "ok"),
        (-6, "token_invalid"),
    ] {
        clock.store(start + offset, Ordering::Relaxed);
        assert_eq!(outcome(&verifier, &token).await, code, "{offset} s");
    }
}

/// What is not accepted is not looked at.
#[tokio::test]
async fn only_the_kinds_that_are_accepted() {
    let issuer = Issuer::start().await;
    let builder =
        countersign_verify::Verifier::builder(&issuer.origin, "development").audience("api").assertions();
    let behind = ready(builder).await;
    let token = issuer.key().sign("at+jwt", &issuer.access_claims(&json!({})));
    let statement = issuer.key().sign("cs-assertion+jwt", &issuer.assertion_claims(&json!({})));
    assert_eq!(outcome(&behind, &bearer(&token)).await, "token_missing");
    let both =
        headers(&[("authorization", &format!("Bearer {token}")), ("countersign-assertion", &statement)]);
    assert_eq!(outcome(&behind, &both).await, "ok");
    assert!(behind.verify_access_token(&token).await.is_err());
    assert_eq!(outcome(&issuer.verifier().await, &both).await, "token_invalid", "two credentials");
}
