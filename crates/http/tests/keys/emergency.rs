//! A key that leaked: what it signed dies at once, and nobody is logged out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use countersign_core::domain::cookie::CookieKind;
use countersign_core::domain::event::EventName;
use countersign_core::domain::signing_key::KeyState;
use countersign_core::port::Store;
use countersign_core::service::Context;
use countersign_testkit::{Mode, TestSite, TestUpstream};

use crate::{SECOND, kid_of, kids, signed_by};

#[tokio::test]
async fn a_retired_keys_tokens_die_and_sessions_live_on() {
    let upstream = TestUpstream::start().await;
    let site = TestSite::production().upstream(upstream.origin()).start().await;
    let engine = site.site.engine();
    let client = site.signed_in("ada@example.com").await;
    client.get("/auth/session").expect_status(200).await;
    let leaked = client.cookie(CookieKind::Access).unwrap();
    let first = kids(&site).await[0].clone();
    let next = engine.rotate_signing_key(false, &Context::default()).await.unwrap();

    assert!(engine.revoke_signing_key(&first, &Context::default()).await.unwrap());
    // The principal was remembered: that memory is gone too.
    let thief = site.client();
    thief.get("/auth/session").bearer(&leaked).expect(401, "token_invalid").await;
    assert_eq!(
        kids(&site).await,
        [next.kid.to_string()],
        "the next one took over, and the old one is not served"
    );
    client.get("/anything").expect_status(200).await;
    assert_eq!(signed_by(&client), *next.kid);
    client.get("/auth/session").expect_status(200).await;
    let states: Vec<KeyState> = engine.signing_keys().iter().map(|(_, state)| *state).collect();
    assert!(states.contains(&KeyState::Active) && states.contains(&KeyState::Revoked), "{states:?}");
    let reasons: Vec<_> =
        site.events().await.into_iter().filter(|e| e.name == EventName::KeyRotated).collect();
    assert!(
        reasons.iter().any(|e| &*e.reason == "signing_key_revoked" && *e.detail == *first),
        "{reasons:?}"
    );
}

/// Without a next one a new key is made, also where the one before it still verifies: that one is not signed with again.
#[tokio::test]
async fn a_new_key_takes_over_where_there_is_no_next_one() {
    let site = TestSite::production().start().await;
    let engine = site.site.engine();
    let first = kids(&site).await[0].clone();
    let second = engine.rotate_signing_key(true, &Context::default()).await.unwrap();
    site.advance(SECOND);
    engine.tend_keys().await.unwrap();
    assert!(engine.revoke_signing_key(&second.kid, &Context::default()).await.unwrap());
    site.advance(SECOND);
    engine.tend_keys().await.unwrap();
    let signer = signed_by(&site.signed_in("ada@example.com").await);
    assert!(signer != first && signer != *second.kid, "{signer}");
    assert!(!engine.revoke_signing_key("no-such-key", &Context::default()).await.unwrap());
}

/// A token that was being verified while its key was revoked is not remembered as good.
#[tokio::test]
async fn a_verification_beside_the_revocation_is_not_remembered() {
    let site = TestSite::production().start().await;
    let client = site.signed_in("ada@example.com").await;
    let token = client.cookie(CookieKind::Access).unwrap();
    let first = kids(&site).await[0].clone();
    // A node that has not seen the token yet, and whose store takes its time.
    let node = TestSite::production().outside(site.outside.clone()).start().await;
    let engine = Arc::clone(node.site.engine());
    node.outside.store.set(Mode::Slow(Duration::from_millis(200)));
    let verifying = tokio::spawn({
        let (engine, token) = (Arc::clone(&engine), token.clone());
        async move { engine.verify_access(&token, &Context::default()).await.is_ok() }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    node.outside.store.set(Mode::Working);
    assert!(engine.revoke_signing_key(&first, &Context::default()).await.unwrap());
    assert!(verifying.await.unwrap(), "it had begun before");
    assert!(engine.verify_access(&token, &Context::default()).await.is_err(), "and is judged anew after");
}

/// An assertion that a revoked key signed is not handed to an upstream again.
#[tokio::test]
async fn assertions_are_made_anew() {
    let upstream = TestUpstream::start().await;
    let site = TestSite::production().upstream(upstream.origin()).start().await;
    let engine = site.site.engine();
    let client = site.signed_in("ada@example.com").await;
    let first = signed_by(&client);
    let second = engine.rotate_signing_key(true, &Context::default()).await.unwrap();
    site.advance(SECOND);
    engine.tend_keys().await.unwrap();
    let assertion = || kid_of(&upstream.last().header("countersign-assertion").unwrap());
    client.get("/a").expect_status(200).await;
    assert_eq!((signed_by(&client), assertion()), (first.clone(), second.kid.to_string()));
    engine.revoke_signing_key(&second.kid, &Context::default()).await.unwrap();
    // The access token is as good as before, and the assertion that was made for it is not.
    client.get("/a").expect_status(200).await;
    assert_eq!(signed_by(&client), first);
    assert_ne!(assertion(), *second.kid);
}

/// Eight browsers at work while the active key is revoked ten times: every request passes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_keys_are_revoked() {
    let upstream = TestUpstream::start().await;
    let site = Arc::new(TestSite::production().upstream(upstream.origin()).start().await);
    let (done, passed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut browsers = Vec::new();
    for n in 0..8 {
        let client = site.signed_in(&format!("u{n}@example.com")).await;
        let (done, passed) = (Arc::clone(&done), Arc::clone(&passed));
        browsers.push(tokio::spawn(async move {
            while !done.load(Ordering::SeqCst) {
                client.get("/a").expect_status(200).await;
                passed.fetch_add(1, Ordering::SeqCst);
            }
        }));
    }
    for round in 1..=10 {
        while passed.load(Ordering::SeqCst) < round * 24 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let engine = site.site.engine();
        let active =
            engine.signing_keys().into_iter().find(|(_, state)| *state == KeyState::Active).unwrap().0;
        assert!(engine.revoke_signing_key(&active.kid, &Context::default()).await.unwrap());
        assert_eq!(kids(&site).await.len(), 1);
        site.advance(SECOND);
    }
    done.store(true, Ordering::SeqCst);
    for browser in browsers {
        browser.await.unwrap();
    }
}

/// A store that was restored after its only key was retired has none that signs: the start makes one, or takes the next.
#[tokio::test]
async fn a_store_whose_keys_are_all_retired_starts() {
    let site = TestSite::production().start().await;
    let store = &site.outside.store;
    let retired = store.signing_keys().await.unwrap().remove(0).kid;
    // As a restore writes it, with no engine at hand that would see to a successor.
    assert!(store.revoke_signing_key(&retired, site.site.engine().now()).await.unwrap());
    let restarted = TestSite::production().outside(site.outside.clone()).start().await;
    let keys = restarted.site.engine().signing_keys();
    assert_eq!(keys.len(), 2);
    let client = restarted.signed_in("ada@example.com").await;
    client.get("/auth/session").expect_status(200).await;
    let jwks = client.get("/.well-known/jwks.json").expect_status(200).await.json();
    assert!(jwks["keys"].as_array().unwrap().iter().all(|key| key["kid"] != *retired), "{jwks}");

    // With a next key that is published already, that one signs at once.
    let next = restarted.site.engine().rotate_signing_key(false, &Context::default()).await.unwrap();
    let active = jwks["keys"][0]["kid"].as_str().unwrap();
    assert!(store.revoke_signing_key(active, restarted.site.engine().now()).await.unwrap());
    let again = TestSite::production().outside(site.outside.clone()).start().await;
    assert_eq!(again.site.engine().signing_keys().len(), 3, "none was made");
    let client = again.signed_in("eve@example.com").await;
    let token = client.cookie(CookieKind::Access).unwrap();
    let header = data_encoding::BASE64URL_NOPAD.decode(token.split('.').next().unwrap().as_bytes()).unwrap();
    assert!(String::from_utf8(header).unwrap().contains(&*next.kid));
}
