//! B08: our own GET, HEAD and OPTIONS change nothing of anybody's.

use countersign_core::domain::cookie::CookieKind;
use countersign_core::domain::user::Email;
use countersign_core::port::Store;
use countersign_testkit::{Sender, TestSite};
use http::Method;

use crate::MINUTE;

const ADA: &str = "ada@example.com";

/// The store's view of a user and the sessions, to compare.
async fn picture(site: &TestSite) -> String {
    let store = &site.outside.store;
    let user = store.user_by_email(&Email::parse(ADA).unwrap()).await.unwrap().unwrap();
    let sessions: Vec<_> = store
        .sessions_of(&user.id, true)
        .await
        .unwrap()
        .into_iter()
        .map(|s| (s.public_id, s.epoch, s.rotation, s.ended, s.expires_at, s.scope))
        .collect();
    format!("{user:?} {sessions:?}")
}

/// Every GET of the router's own table, with HEAD and OPTIONS beside, by every kind of sender, fresh and stale, signed in and
/// not: the store's verbs that change something are not called, and its picture stays. GET `/auth/refresh` is the stated
/// exception (session upkeep).
#[tokio::test]
async fn b08_reading_changes_nothing() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    let before = picture(&site).await;
    drop(site.outside.store.take_writes());
    for stale in [false, true] {
        if stale {
            site.advance(MINUTE * 20);
        }
        for route in countersign_http::own_routes() {
            let target = route.path.replace("{id}", "x").replace("{name}", "x");
            let target = format!(
                "{target}?code=AAAAAAAAAAAAAAAAAAAAAAAAAAAA&return_to=/&done=others-ended&_method=DELETE"
            );
            for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
                if route.path == "/auth/refresh" && method != Method::OPTIONS {
                    continue;
                }
                for sender in [Sender::OwnFetch, Sender::OwnLink, Sender::ForeignLink, Sender::Bare] {
                    for browser in [client.copy(), site.client()] {
                        let request = browser.request(method.clone(), &target).sender(sender).with_csrf();
                        let request = request.header("x-http-method-override", "DELETE");
                        let answer = request.send().await;
                        assert!(!answer.status().is_server_error(), "{method} {target}");
                        let writes = site.outside.store.take_writes();
                        assert!(writes.is_empty(), "{method} {target} by {sender:?}: {writes:?}");
                    }
                }
            }
        }
    }
    assert_eq!(picture(&site).await, before);
    assert!(client.cookie(CookieKind::Refresh).is_some());
    client.refresh().await.expect_status(200);
    assert_ne!(picture(&site).await, before, "the picture does show changes");
}

/// The stated exception writes session upkeep and nothing else.
#[tokio::test]
async fn b08_get_refresh_only_rotates() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    drop(site.outside.store.take_writes());
    client.get("/auth/refresh?return_to=/").sender(Sender::OwnLink).expect_status(303).await;
    assert_eq!(site.outside.store.take_writes(), ["rotate_if_current"]);
}
