//! POST `/auth/logout` and `/auth/logout/all`.

use countersign_core::domain::cookie::CookieKind;
use countersign_core::domain::event::EventName;
use countersign_testkit::{Client, Cookies, PASSWORD, Sender, TestSite};

use crate::{DAY, assert_event, seconds};

const ADA: &str = "ada@example.com";
const SESSION: [&str; 4] =
    ["__Host-Http-cs-access", "__Host-Http-cs-refresh", "__Host-cs-csrf", "__Host-cs-hint"];

/// D10, J06, B13: the server forgets at once, access tokens included, and exactly the four session cookies go.
#[tokio::test]
async fn d10_j06_logout_is_immediate_and_deletes() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    let thief = client.copy();
    thief.get("/auth/session").expect_status(200).await;
    let answer = client.log_out().await.expect_status(204);
    assert_eq!(answer.deleted(), SESSION);
    for cookie in answer.set_cookies() {
        assert!(cookie.is_acceptable(), "{cookie:?} would be ignored by browsers");
        assert_eq!((cookie.value.as_str(), cookie.attribute("Max-Age")), ("", Some("0")));
        assert!(cookie.attribute("Secure").is_some() && cookie.attribute("Path") == Some("/"));
    }
    assert_eq!(answer.header("clear-site-data"), None, "it would clear the whole registrable domain");
    for kind in CookieKind::SESSION {
        assert_eq!(client.cookie(kind), None);
    }
    thief.get("/auth/session").expect(401, "session_revoked").await;
    let bearer = thief.cookie(CookieKind::Access).unwrap();
    site.client().get("/auth/session").bearer(&bearer).expect(401, "session_revoked").await;
    thief.refresh().await.expect(401, "session_revoked");
    assert_event(&site, EventName::TokenRevoked, "logout").await;
}

/// J06: `Clear-Site-Data` only by configuration.
#[tokio::test]
async fn j06_clear_site_data_by_configuration() {
    let site = TestSite::production().settings(|s| s.clear_site_data = true).start().await;
    let client = site.signed_in(ADA).await;
    let answer = client.log_out().await.expect_status(204);
    assert_eq!(answer.header("clear-site-data").as_deref(), Some("\"cache\", \"cookies\", \"storage\""));
}

/// Design §7: 204 with a dead session too: revoked, expired, or with the access cookie gone or alone.
#[tokio::test]
async fn a_dead_session_may_leave() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    let (second, third) = (client.copy(), client.copy());
    client.log_out().await.expect_status(204);
    assert_eq!(second.log_out().await.expect_status(204).deleted(), SESSION);
    third.drop_cookie(CookieKind::Refresh);
    assert_eq!(third.log_out().await.expect_status(204).deleted(), SESSION);

    let client = site.signed_in("bob@example.com").await;
    client.drop_cookie(CookieKind::Access);
    site.advance(DAY * 40);
    assert_eq!(client.log_out().await.expect_status(204).deleted(), SESSION);
}

/// C12: leaving needs CSRF protection too; a refused one leaves the session alive.
#[tokio::test]
async fn c12_cross_site_logout_is_refused() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    for target in ["/auth/logout", "/auth/logout/all"] {
        client.post(target).expect(403, "csrf_failed").await.sets_no_cookie();
        for sender in [Sender::ForeignForm, Sender::ForeignFetch, Sender::SiblingFetch, Sender::Bare] {
            let request = client.post(target).with_csrf().sender(sender).cookies(Cookies::All);
            let answer = request.header("accept", "*/*").without_header("sec-fetch-dest").send().await;
            answer.expect(403, "origin_denied").sets_no_cookie();
        }
        client.post(target).without_cookies().expect(401, "token_missing").await.sets_no_cookie();
    }
    client.get("/auth/session").expect_status(200).await;
}

async fn three(site: &TestSite) -> [Client; 3] {
    site.add_user(ADA, &[]).await;
    let clients = [site.client(), site.client(), site.client()];
    for client in &clients {
        client.log_in(ADA, PASSWORD).await.expect_status(200);
    }
    clients
}

/// H04, D10: everywhere means everywhere, access tokens seen before included, and nobody else.
#[tokio::test]
async fn logout_all_ends_every_session_of_the_user() {
    let site = TestSite::production().start().await;
    let clients = three(&site).await;
    let bob = site.signed_in("bob@example.com").await;
    for client in &clients {
        client.get("/auth/session").expect_status(200).await;
    }
    let answer = clients[0].post("/auth/logout/all").with_csrf().expect_status(204).await;
    assert_eq!(answer.deleted(), SESSION);
    for client in &clients[1..] {
        client.get("/auth/session").expect(401, "session_revoked").await.sets_no_cookie();
        client.refresh().await.expect(401, "session_revoked");
    }
    bob.get("/auth/session").expect_status(200).await;
    clients[1].log_in(ADA, PASSWORD).await.expect_status(200);
    clients[1].get("/auth/session").expect_status(200).await;
}

/// A dead session may leave this browser, but speaks for no other: a stolen, revoked jar cannot log its owner out.
#[tokio::test]
async fn a_dead_session_does_not_speak_for_others() {
    let site = TestSite::production().start().await;
    let [first, second, _third] = three(&site).await;
    let stolen = first.copy();
    first.log_out().await.expect_status(204);
    stolen.post("/auth/logout/all").with_csrf().expect_status(204).await;
    second.get("/auth/session").expect_status(200).await;
}

/// A bearer token judges the request alone: no CSRF token, no cookies touched.
#[tokio::test]
async fn bearer_logout() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    let access = client.cookie(CookieKind::Access).unwrap();
    let app = site.client();
    app.post("/auth/logout").bearer(&access).expect_status(204).await.sets_no_cookie();
    client.get("/auth/session").expect(401, "session_revoked").await;
    app.post("/auth/logout").bearer("nonsense").expect(401, "token_invalid").await;
}

/// The forms of our pages redirect.
#[tokio::test]
async fn form_logout_redirects() {
    let site = TestSite::production().start().await;
    for target in ["/auth/logout", "/auth/logout/all"] {
        let client = site.client();
        site.add_user(&format!("u{}@example.com", target.len()), &[]).await;
        client.log_in(&format!("u{}@example.com", target.len()), PASSWORD).await.expect_status(200);
        let csrf = client.csrf().await;
        let request = client.post(target).sender(Sender::OwnForm).form(&[("_csrf", &csrf)]);
        let answer = request.expect_status(303).await;
        assert_eq!(answer.header("location").as_deref(), Some("/auth/signed-out"));
        assert_eq!(answer.deleted(), SESSION);
        site.advance(seconds(1));
    }
}
