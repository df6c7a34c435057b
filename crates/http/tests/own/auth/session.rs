//! GET `/auth/session`: who am I.

use countersign_core::domain::cookie::CookieKind;
use countersign_core::domain::event::EventName;
use countersign_core::domain::id::PublicId;
use countersign_core::domain::user::Email;
use countersign_core::service::{Context, Target, VerifyError};
use countersign_testkit::{Mode, Sender, TestOutside, TestSite};

use crate::{MINUTE, assert_event, seconds};

const ADA: &str = "ada@example.com";

#[tokio::test]
async fn tells_who_is_signed_in() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    let answer = client.get("/auth/session").expect_status(200).await.sets_no_cookie();
    assert_eq!(answer.json()["user"]["email"], ADA);
    assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"));
    let token = answer.json()["csrf_token"].as_str().unwrap().to_owned();
    client.post("/auth/refresh").header("x-csrf-token", token).expect_status(200).await;
    site.client().get("/auth/session").expect(401, "token_missing").await.sets_no_cookie();
}

/// Design §7: under `/auth` nothing rotates inline; a stale access token is 401 `token_expired`, with leeway and not more (A11).
#[tokio::test]
async fn nothing_rotates_here() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    let refresh = client.cookie(CookieKind::Refresh);
    drop(site.outside.store.take_writes());
    site.advance(MINUTE * 15 + seconds(4));
    client.get("/auth/session").expect_status(200).await;
    site.advance(seconds(1));
    client.get("/auth/session").expect(401, "token_expired").await.sets_no_cookie();
    client.drop_cookie(CookieKind::Access);
    client.get("/auth/session").expect(401, "token_expired").await.sets_no_cookie();
    assert!(site.outside.store.take_writes().is_empty());
    assert_eq!(client.cookie(CookieKind::Refresh), refresh);
    client.refresh().await.expect_status(200);
    client.get("/auth/session").expect_status(200).await;
}

/// B12: each cookie of the set may be lost.
#[tokio::test]
async fn b12_losing_one_cookie() {
    let site = TestSite::production().start().await;
    for (kind, status, code) in [
        (CookieKind::Access, 401, "token_expired"),
        (CookieKind::Refresh, 200, ""),
        (CookieKind::Csrf, 200, ""),
        (CookieKind::Hint, 200, ""),
    ] {
        let client = site.client();
        let email = format!("{status}{}@example.com", format!("{kind:?}").to_lowercase());
        site.add_user(&email, &[]).await;
        client.log_in(&email, countersign_testkit::PASSWORD).await.expect_status(200);
        client.drop_cookie(kind);
        let answer = client.get("/auth/session").expect_status(status).await;
        assert_eq!(answer.code(), code);
        if kind == CookieKind::Refresh {
            // Nothing to refresh with: a clean 401 and the session goes on until the access token ends.
            client.refresh().await.expect(401, "token_missing").sets_no_cookie();
        } else {
            // Silent recovery.
            client.csrf().await;
            client.refresh().await.expect_status(200);
            assert!(client.cookie(kind).is_some(), "{kind:?} is back");
        }
    }
}

/// D11: a disabled user is out at once, seen tokens included.
#[tokio::test]
async fn d11_disabling_kills_sessions() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    client.get("/auth/session").expect_status(200).await;
    let ada = Email::parse(ADA).unwrap();
    site.site.engine().set_disabled(&ada, true, &Context::default()).await.unwrap();
    client.get("/auth/session").expect(401, "session_revoked").await;
    client.refresh().await.expect(401, "session_revoked");
    assert_event(&site, EventName::SessionUseAfterExpire, "session_revoked").await;
    site.site.engine().set_disabled(&ada, false, &Context::default()).await.unwrap();
    client.get("/auth/session").expect(401, "session_revoked").await;
}

/// H04: an operator's revocation, of one session and of everyone, holds when the call returns.
#[tokio::test]
async fn h04_d12_operators_revoke() {
    let site = TestSite::production().start().await;
    let (ada, bob) = (site.signed_in(ADA).await, site.signed_in("bob@example.com").await);
    let engine = site.site.engine();
    let me = ada.get("/auth/session").expect_status(200).await.json();
    bob.get("/auth/session").expect_status(200).await;
    let id = PublicId::parse(me["session"]["id"].as_str().unwrap()).unwrap();
    engine.revoke(&Target::Session(id), &Context::default()).await.unwrap();
    ada.get("/auth/session").expect(401, "session_revoked").await.sets_no_cookie();
    bob.get("/auth/session").expect_status(200).await;
    ada.log_in(ADA, countersign_testkit::PASSWORD).await.expect_status(200);
    engine.revoke(&Target::Everyone, &Context::default()).await.unwrap();
    for client in [&ada, &bob] {
        client.get("/auth/session").expect(401, "session_revoked").await;
        client.refresh().await.expect(401, "session_revoked");
    }
    ada.log_in(ADA, countersign_testkit::PASSWORD).await.expect_status(200);
    ada.get("/auth/session").expect_status(200).await;
}

/// Design §6, K11: a node that has not heard of revocations asks the store, and with no store answers 503; never passes.
#[tokio::test]
async fn k11_a_stale_node_asks_or_refuses() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    site.tick().await;
    site.advance(seconds(6));
    site.outside.store.set(Mode::Unavailable);
    let answer = client.get("/auth/session").expect(503, "store_unavailable").await;
    assert!(answer.header("retry-after").is_some());
    answer.sets_no_cookie();
    client.refresh().await.expect(503, "store_unavailable").sets_no_cookie();
    client.log_out().await.expect(503, "store_unavailable").sets_no_cookie();
    site.outside.store.set(Mode::Working);
    client.get("/auth/session").expect_status(200).await;
}

/// Design §6, H03: a revocation on another node whose notices do not arrive holds here once this node is stale, with no request to
/// the store before; with the store down nothing passes, a token seen before included.
#[tokio::test]
async fn h03_k11_a_node_without_notices() {
    let outside = TestOutside::default();
    let here = TestSite::production().outside(outside.clone()).start().await;
    let client = here.signed_in(ADA).await;
    let deaf = TestOutside { bus: TestOutside::default().bus, ..outside };
    let there = TestSite::production().outside(deaf).start().await;
    let token = client.cookie(CookieKind::Access).unwrap();
    let (engine, context) = (here.site.engine(), Context::default());
    here.tick().await;
    engine.verify_access(&token, &context).await.unwrap();

    here.outside.store.set(Mode::Unavailable);
    here.advance(seconds(5));
    engine.verify_access(&token, &context).await.expect("fresh enough to answer from memory");
    here.advance(seconds(1));
    let unsure = engine.verify_access(&token, &context).await.unwrap_err();
    assert!(matches!(unsure, VerifyError::Store(_)), "{unsure}");

    here.outside.store.set(Mode::Working);
    there.adopt(&client).log_out().await.expect_status(204);
    let refused = engine.verify_access(&token, &context).await.unwrap_err();
    assert!(matches!(refused, VerifyError::Revoked), "{refused}");
}

/// Problems are pages only for page loads.
#[tokio::test]
async fn problems_are_pages_for_documents() {
    let site = TestSite::production().start().await;
    let page = site.client().get("/auth/session").sender(Sender::Typed).expect_status(401).await;
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    assert!(page.text().contains(&page.header("x-request-id").unwrap()), "the request id is in the footer");
}
