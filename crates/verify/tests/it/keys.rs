//! Keys: fetched from one place, seldom, and again when one is unknown (H08, H09).

use std::sync::Arc;
use std::time::Duration;

use countersign_verify::{Builder, ConfigError, Verifier};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::issuer::{Issuer, KeysAnswer, TestKey, asserted, outcome, ready};

const SECOND: Duration = Duration::from_secs(1);

/// Assertions only: a feed that is not there yet must not hide what keys do.
fn quick(issuer: &Issuer) -> Builder {
    let builder = Verifier::builder(&issuer.origin, "development").audience("api").assertions();
    builder.key_refresh(60 * SECOND).key_cooldown(SECOND)
}

/// H08: a new key is fetched when its first token comes, once for all who wait.
#[tokio::test]
async fn h08_unknown_key_is_fetched_once() {
    let issuer = Issuer::start().await;
    let verifier = ready(quick(&issuer)).await;
    sleep(SECOND + Duration::from_millis(100)).await;
    let next = Arc::new(TestKey::new());
    let token = asserted(&next.sign("cs-assertion+jwt", &issuer.assertion_claims(&json!({}))));
    let before = {
        let mut state = issuer.state();
        state.keys.push(next);
        state.fetched_keys
    };
    let all = (0..50).map(|_| outcome(&verifier, &token));
    assert!(futures_util::future::join_all(all).await.iter().all(|code| *code == "ok"));
    assert_eq!(issuer.state().fetched_keys, before + 1);
}

/// H08: ten thousand invented key ids cost at most one fetch an interval, and honest requests go on.
#[tokio::test]
async fn h08_invented_keys_cost_nothing() {
    let issuer = Issuer::start().await;
    let verifier = ready(quick(&issuer)).await;
    let (before, start) = (issuer.state().fetched_keys, Instant::now());
    let mut invented = TestKey::new();
    let claims = issuer.assertion_claims(&json!({}));
    for n in 0..10_000 {
        invented.kid = format!("invented{n}");
        let token = asserted(&invented.sign("cs-assertion+jwt", &claims));
        assert_eq!(outcome(&verifier, &token).await, "token_invalid");
    }
    let intervals = usize::try_from(start.elapsed().as_secs()).unwrap() + 1;
    let fetched = issuer.state().fetched_keys - before;
    assert!(fetched <= intervals, "{fetched} fetches in {intervals} intervals");
    assert_eq!(outcome(&verifier, &issuer.assertion(&json!({}))).await, "ok");
}

/// H08: a key that the issuer took back is gone after the next refresh.
#[tokio::test]
async fn h08_retired_keys_go() {
    let issuer = Issuer::start().await;
    let verifier = ready(issuer.builder().key_refresh(SECOND).key_cooldown(SECOND)).await;
    let old = issuer.access(&json!({}));
    assert_eq!(outcome(&verifier, &old).await, "ok");
    issuer.state().keys = vec![Arc::new(TestKey::new())];
    sleep(SECOND * 3 / 2).await;
    assert_eq!(outcome(&verifier, &old).await, "token_invalid");
    assert_eq!(outcome(&verifier, &issuer.access(&json!({}))).await, "ok");
}

/// K11: without keys, or with keys that nobody confirmed for too long, nothing passes.
#[tokio::test]
async fn k11_no_keys_no_pass() {
    let issuer = Issuer::start().await;
    issuer.state().keys_answer = KeysAnswer::Status(500);
    let verifier = quick(&issuer).key_refresh(SECOND).key_max_age(2 * SECOND).start().unwrap();
    let token = issuer.assertion(&json!({}));
    assert_eq!(outcome(&verifier, &token).await, "store_unavailable");
    issuer.state().keys_answer = KeysAnswer::Good;
    tokio::time::timeout(10 * SECOND, verifier.ready()).await.unwrap();
    assert_eq!(outcome(&verifier, &token).await, "ok");
    issuer.state().keys_answer = KeysAnswer::Status(500);
    sleep(SECOND).await;
    assert_eq!(outcome(&verifier, &token).await, "ok", "an outage of a second does no harm");
    sleep(SECOND * 3 / 2).await;
    assert_eq!(outcome(&verifier, &token).await, "store_unavailable");
}

/// H09: redirects, other types, long, endless and missing answers are no keys.
#[tokio::test]
async fn h09_what_is_not_taken_for_keys() {
    let evil = Issuer::start().await;
    let answers = [
        KeysAnswer::Redirects(format!("{}/.well-known/jwks.json", evil.origin)),
        KeysAnswer::Status(203),
        KeysAnswer::Html,
        KeysAnswer::Long,
        KeysAnswer::Endless,
        KeysAnswer::Never,
    ];
    for answer in answers {
        let issuer = Issuer::start().await;
        {
            // Whoever took the answer for keys would believe this token.
            let mut state = issuer.state();
            state.keys_answer = answer.clone();
            state.keys = vec![evil.key()];
        }
        let verifier = quick(&issuer).start().unwrap();
        let token = asserted(&evil.key().sign("cs-assertion+jwt", &issuer.assertion_claims(&json!({}))));
        assert_eq!(outcome(&verifier, &token).await, "store_unavailable", "{answer:?}");
        assert!(!verifier.is_ready());
    }
    assert_eq!(evil.state().fetched_keys, 0, "nothing was followed");
}

/// H09: TLS, and only from somebody whose certificate is trusted.
#[tokio::test]
async fn h09_certificates() {
    let issuer = Issuer::start_tls().await;
    let pem = issuer.certificate.clone().unwrap();
    let verifier = ready(issuer.builder().certificate_authorities(pem.as_bytes())).await;
    assert_eq!(outcome(&verifier, &issuer.access(&json!({}))).await, "ok");
    let other = Issuer::start_tls().await.certificate.clone().unwrap();
    let wary = issuer.builder().certificate_authorities(other.as_bytes()).start().unwrap();
    assert_eq!(outcome(&wary, &issuer.assertion(&json!({}))).await, "store_unavailable");
    assert!(!wary.is_ready());
}

/// H09, A11, and settings that would be unsafe.
#[tokio::test]
async fn h09_settings() {
    let builder =
        |issuer: &str, environment: &str| Verifier::builder(issuer, environment).audience("api").assertions();
    let app = "https://app.example.com";
    assert!(builder(app, "production").start().is_ok());
    assert!(builder("http://localhost:1", "development").start().is_ok());
    assert!(builder(app, "production").fetch_from("https://10.0.0.1:8443").start().is_ok());
    for insecure in [
        builder("http://app.example.com", "production"),
        builder("http://app.example.com", "development"),
        builder("http://localhost:1", "production"),
        builder(app, "production").fetch_from("http://127.0.0.1:1"),
    ] {
        assert!(matches!(insecure.start(), Err(ConfigError::Origin(_))));
    }
    assert!(matches!(builder(app, "Prod").start(), Err(ConfigError::Environment(_))));
    let bare = || Verifier::builder(app, "production");
    assert!(matches!(bare().assertions().start(), Err(ConfigError::NoAudience)));
    assert!(matches!(bare().audience("api").start(), Err(ConfigError::NothingAccepted)));
    assert!(matches!(bare().audience("api").access_tokens().start(), Err(ConfigError::NoRevocations)));
    assert!(bare().audience("api").access_tokens().dangerous().without_revocations().start().is_ok());
    for odd in [
        builder(app, "production").leeway(61 * SECOND),
        builder(app, "production").max_staleness(SECOND),
        builder(app, "production").max_staleness(61 * SECOND),
        builder(app, "production").key_max_age(SECOND),
    ] {
        assert!(matches!(odd.start(), Err(ConfigError::OutOfRange(_))));
    }
    assert!(matches!(
        builder(app, "production").certificate_authorities(b"x").start(),
        Err(ConfigError::Certificates)
    ));
}
