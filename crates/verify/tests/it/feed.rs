//! Revocations: by stream, by poll, and what happens without either (H03, H04, K11).

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::issuer::{Issuer, Way, hashed, outcome, ready, sid, until};

const SECOND: Duration = Duration::from_secs(1);

/// H03, H04: session, user and abandoned generation, each within a second by stream; nobody else.
#[tokio::test]
async fn h03_h04_by_stream() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().await;
    assert_eq!(issuer.state().authorizations.iter().collect::<Vec<_>>(), ["Bearer csk_development_x"]);
    let cases = [
        ("sessions", json!(hashed(&sid(1))), json!({"sid": sid(1)}), json!({"sid": sid(2)})),
        (
            "users",
            json!({"user": hashed("eve"), "epoch": 4}),
            json!({"sub": "eve", "epoch": 3}),
            json!({"sub": "eve", "epoch": 4}),
        ),
        (
            "abandoned",
            json!({"session": hashed(&sid(3)), "first": 7, "last": 8}),
            json!({"sid": sid(3), "gen": 8}),
            json!({"sid": sid(3), "gen": 9}),
        ),
    ];
    for (kind, entry, dead, alive) in cases {
        let victim = issuer.access(&dead);
        let principal = verifier.verify_headers(&victim).await.unwrap();
        assert!(verifier.still_stands(&principal));
        issuer.state().revoke(kind, &entry);
        let took = until(&verifier, &victim, "session_revoked", SECOND).await;
        println!("{kind}: {took:?}");
        assert!(!verifier.still_stands(&principal), "a connection that is open learns it too");
        assert_eq!(outcome(&verifier, &issuer.access(&alive)).await, "ok");
    }
    assert_eq!(issuer.state().polls, 0, "no polls while the stream delivers");
}

/// H03: without a stream, by poll.
#[tokio::test]
async fn h03_by_poll() {
    let issuer = Issuer::start().await;
    issuer.state().stream = Way::Off;
    let verifier = issuer.verifier().await;
    let victim = issuer.access(&json!({"sid": sid(1)}));
    assert_eq!(outcome(&verifier, &victim).await, "ok");
    issuer.state().revoke("sessions", &json!(hashed(&sid(1))));
    until(&verifier, &victim, "session_revoked", SECOND * 5 / 2).await;
}

/// H03: a stream that breaks misses nothing.
#[tokio::test]
async fn h03_broken_stream() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().await;
    {
        let mut state = issuer.state();
        state.cut();
        state.note("sessions", &json!(hashed(&sid(1))));
    }
    until(&verifier, &issuer.access(&json!({"sid": sid(1)})), "session_revoked", SECOND * 5 / 2).await;
    assert_eq!(outcome(&verifier, &issuer.access(&json!({}))).await, "ok");
}

/// H03, K11: a feed that is silent or away is 503, never a pass; what is known stays known; and it mends itself.
#[tokio::test]
async fn h03_k11_stale_feed() {
    let issuer = Issuer::start().await;
    let verifier = ready(issuer.builder().max_staleness(2 * SECOND)).await;
    let (good, dead) = (issuer.access(&json!({})), issuer.access(&json!({"sid": sid(1)})));
    issuer.state().revoke("sessions", &json!(hashed(&sid(1))));
    until(&verifier, &dead, "session_revoked", SECOND).await;
    let principal = verifier.verify_headers(&good).await.unwrap();
    {
        let mut state = issuer.state();
        state.stream = Way::Silent;
        state.poll = Way::Off;
    }
    until(&verifier, &good, "store_unavailable", 4 * SECOND).await;
    assert!(!verifier.is_ready() && !verifier.still_stands(&principal));
    let before = issuer.asked().0;
    let deadline = Instant::now() + 5 * SECOND;
    while issuer.asked().0 == before {
        assert!(Instant::now() < deadline, "a silent stream is given up");
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(outcome(&verifier, &dead).await, "session_revoked");
    assert_eq!(
        outcome(&verifier, &issuer.assertion(&json!({}))).await,
        "ok",
        "assertions do not need the feed"
    );
    {
        let mut state = issuer.state();
        state.stream = Way::On;
        state.cut();
    }
    until(&verifier, &good, "ok", 4 * SECOND).await;
}

/// H03: the feed of another issuer says nothing about ours.
#[tokio::test]
async fn h03_feed_of_another_issuer() {
    let issuer = Issuer::start().await;
    issuer.state().issuer = String::from("https://staging.example.com");
    let verifier = issuer.builder().start().unwrap();
    sleep(SECOND * 9 / 5).await;
    let (streams, polls) = issuer.asked();
    assert!(streams >= 1 && polls >= 1, "{streams} streams, {polls} polls");
    assert_eq!(outcome(&verifier, &issuer.access(&json!({}))).await, "store_unavailable");
}

/// H03: what is not in the format is no news.
#[tokio::test]
async fn h03_feed_in_another_format() {
    let issuer = Issuer::start().await;
    let verifier = ready(issuer.builder().max_staleness(2 * SECOND)).await;
    {
        let mut state = issuer.state();
        state.note("sessions", &json!("short"));
        state.cut();
    }
    until(&verifier, &issuer.access(&json!({})), "store_unavailable", 6 * SECOND).await;
}

/// A key that is refused is not tried in a hurry.
#[tokio::test]
async fn refused_key() {
    let issuer = Issuer::start().await;
    {
        let mut state = issuer.state();
        state.stream = Way::Refused;
        state.poll = Way::Refused;
    }
    let verifier = issuer.builder().start().unwrap();
    sleep(SECOND * 7 / 2).await;
    assert_eq!(issuer.asked(), (1, 1));
    assert_eq!(outcome(&verifier, &issuer.access(&json!({}))).await, "store_unavailable");
}

/// The background work ends with the last clone.
#[tokio::test]
async fn dropping_the_verifier_ends_its_work() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().await;
    drop(verifier.clone());
    assert_eq!(outcome(&verifier, &issuer.access(&json!({}))).await, "ok");
    drop(verifier);
    sleep(Duration::from_millis(300)).await;
    issuer.state().cut();
    let before = issuer.state().streams;
    sleep(SECOND * 3 / 2).await;
    assert_eq!(issuer.state().streams, before);
}
