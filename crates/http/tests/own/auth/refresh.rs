//! POST and GET `/auth/refresh`: the table of design §5 as a client sees it.

use countersign_core::domain::cookie::CookieKind;
use countersign_core::domain::event::EventName;
use countersign_core::domain::scope::ScopeSet;
use countersign_core::service::Context;
use countersign_testkit::{Client, Cookies, PASSWORD, Sender, TestSite};

use crate::{DAY, MINUTE, assert_event, seconds};

const ADA: &str = "ada@example.com";

fn refresh_of(client: &Client) -> String {
    client.cookie(CookieKind::Refresh).unwrap()
}

/// D01: Rotate gives the session body, a new refresh token and a new access token.
#[tokio::test]
async fn d01_rotate_then_keep() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    let (first, access) = (refresh_of(&client), client.cookie(CookieKind::Access).unwrap());
    site.advance(MINUTE);
    let answer = client.refresh().await.expect_status(200);
    assert_eq!(answer.json()["user"]["email"], ADA);
    assert_eq!(answer.json()["access_expires_at"], "2026-09-21T14:29:20Z");
    let second = refresh_of(&client);
    assert_ne!(first, second);
    assert_ne!(client.cookie(CookieKind::Access).unwrap(), access);
    // Keep: within 5 graces of the hand-over the refresh cookie is not set again.
    site.advance(seconds(49));
    let kept = client.refresh().await.expect_status(200);
    assert_eq!(kept.set_cookie("__Host-Http-cs-refresh"), None);
    assert!(kept.set_cookie("__Host-Http-cs-access").is_some());
    site.advance(seconds(1));
    client.refresh().await.expect_status(200);
    assert_ne!(refresh_of(&client), second);
}

/// D01: a spent token presented later ends the whole family, live access tokens included.
#[tokio::test]
async fn d01_reuse_kills_the_family() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    let thief = client.copy();
    client.refresh().await.expect_status(200);
    client.get("/auth/session").expect_status(200).await;
    site.advance(seconds(11));
    let answer = thief.refresh().await.expect(401, "refresh_reused");
    answer.sets_no_cookie();
    client.get("/auth/session").expect(401, "session_revoked").await.sets_no_cookie();
    client.refresh().await.expect(401, "session_revoked").sets_no_cookie();
    thief.refresh().await.expect(401, "session_revoked").sets_no_cookie();
    let stolen = site.events().await.into_iter().find(|e| e.name == EventName::TokenReuse).unwrap();
    assert_eq!(stolen.name.severity().as_str(), "critical");
    assert!(stolen.user.is_some() && stolen.session.is_some() && stolen.ip.is_some());
    // The user is not locked out.
    client.log_in(ADA, PASSWORD).await.expect_status(200);
}

/// D07: a refresh does not widen what the session may do, whatever the client asks for.
#[tokio::test]
async fn d07_a_refresh_never_widens() {
    let site = TestSite::production().start().await;
    site.add_user("eve@example.com", &["read"]).await;
    let client = site.client();
    client.log_in("eve@example.com", PASSWORD).await.expect_status(200);
    site.advance(MINUTE);
    let body = serde_json::json!({ "scope": "read admin", "audience": "other" });
    client.post("/auth/refresh").with_csrf().json(&body).expect_status(200).await;
    let access = client.cookie(CookieKind::Access).unwrap();
    let claims = data_encoding::BASE64URL_NOPAD.decode(access.split('.').nth(1).unwrap().as_bytes()).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["scope"], "read");
    assert_eq!(claims["aud"], "app");
}

/// D05: within the grace after confirmation, a slower parallel request gets the same successor.
#[tokio::test]
async fn d05_replay_gives_the_same_successor() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    let slow = client.copy();
    client.refresh().await.expect_status(200);
    client.get("/auth/session").expect_status(200).await;
    site.advance(seconds(10));
    slow.refresh().await.expect_status(200);
    assert_eq!(refresh_of(&slow), refresh_of(&client), "never a second live branch");
    site.advance(seconds(1));
    let late = slow.copy();
    late.get("/auth/session").expect_status(200).await;
}

/// D05, P1: a lost answer is replayed up to 3 graces, then reissued; the lost generation is a trap.
#[tokio::test]
async fn d05_lost_answers() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    let first = refresh_of(&client);
    let lost = client.post("/auth/refresh").with_csrf().losing_cookies().expect_status(200).await;
    let lost_refresh = lost.set_cookie("__Host-Http-cs-refresh").unwrap().value;
    let lost_access = lost.set_cookie("__Host-Http-cs-access").unwrap().value;
    assert_eq!(refresh_of(&client), first);

    site.advance(seconds(29));
    let again = client.post("/auth/refresh").with_csrf().losing_cookies().expect_status(200).await;
    assert_eq!(
        again.set_cookie("__Host-Http-cs-refresh").unwrap().value,
        lost_refresh,
        "P3: one token a generation"
    );

    site.advance(seconds(31));
    client.refresh().await.expect_status(200);
    assert_ne!(refresh_of(&client), lost_refresh, "somebody else may hold that one");
    client.get("/auth/session").expect_status(200).await;
    assert_event(&site, EventName::SessionRenewed, "answer_lost_reissued").await;

    // Whoever holds the lost answer is found, by its access token already.
    let thief = site.client();
    thief.get("/auth/session").bearer(&lost_access).expect(401, "refresh_reused").await;
    client.get("/auth/session").expect(401, "session_revoked").await;
}

/// P2: a thief who rotates ahead in silence is found when the honest user comes back.
#[tokio::test]
async fn p2_a_silent_thief_is_found() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    let thief = client.copy();
    for _ in 0..3 {
        site.advance(MINUTE * 10);
        thief.refresh().await.expect_status(200);
        thief.get("/auth/session").expect_status(200).await;
    }
    client.refresh().await.expect(401, "refresh_reused");
    thief.get("/auth/session").expect(401, "session_revoked").await;
    thief.refresh().await.expect(401, "session_revoked");
}

/// P2: the thief took a lost answer's place without confirming it; the abandoned refresh token is theft.
#[tokio::test]
async fn p2_an_abandoned_refresh_token_is_theft() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    let thief = client.copy();
    thief.refresh().await.expect_status(200);
    site.advance(MINUTE * 16);
    client.refresh().await.expect_status(200);
    thief.refresh().await.expect(401, "refresh_reused");
    client.refresh().await.expect(401, "session_revoked");
}

/// P1: ten lost answers in a row are forgiven, the eleventh is not.
#[tokio::test]
async fn p1_ten_lost_answers() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    for _ in 0..11 {
        client.post("/auth/refresh").with_csrf().losing_cookies().expect_status(200).await;
        site.advance(seconds(40));
    }
    client.refresh().await.expect(401, "refresh_reused");
}

/// D06: refreshing for ever stops at the absolute deadline; no token outlives it.
#[tokio::test]
async fn d06_absolute_deadline() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    for _ in 0..9 {
        site.advance(DAY * 3);
        client.refresh().await.expect_status(200);
    }
    site.advance(DAY * 3 - MINUTE * 5);
    let last = client.refresh().await.expect_status(200);
    assert_eq!(last.json()["access_expires_at"], last.json()["session"]["expires_at"], "capped at the end");
    let max_age = last.set_cookie("__Host-Http-cs-refresh").unwrap();
    assert_eq!(max_age.attribute("Max-Age"), Some("300"), "B10: the session's remaining life");
    site.advance(MINUTE * 5);
    client.refresh().await.expect(401, "session_expired");
    site.advance(seconds(6));
    client.get("/auth/session").expect_status(401).await;
}

/// D06, B10: an idle session ends though the browser kept its cookies.
#[tokio::test]
async fn d06_idle_deadline() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    site.advance(DAY * 7 - seconds(1));
    client.refresh().await.expect_status(200);
    site.advance(DAY * 7 + seconds(1));
    client.refresh().await.expect(401, "session_expired");
    assert!(client.cookie(CookieKind::Refresh).is_some(), "not cleared within the grace");
}

/// Unknown, forged, damaged and foreign tokens change nothing.
#[tokio::test]
async fn unknown_tokens() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    let good = refresh_of(&client);
    let staging = TestSite::production().environment("staging").start().await;
    let foreign = staging.signed_in(ADA).await;
    let other_crc = format!("{}{}", &good[..good.len() - 1], if good.ends_with('0') { '1' } else { '0' });
    for (value, code) in [
        (other_crc.as_str(), "token_invalid"),
        ("csr_production_", "token_invalid"),
        ("x", "token_invalid"),
        (&good[1..], "token_invalid"),
        (&refresh_of(&foreign), "wrong_environment"),
    ] {
        let attempt = client.copy();
        attempt.put_cookie(CookieKind::Refresh, value);
        attempt.refresh().await.expect(401, code).sets_no_cookie();
    }
    site.client().refresh().await.expect(401, "token_missing");
    let empty = client.copy();
    empty.put_cookie(CookieKind::Refresh, "");
    empty.refresh().await.expect(401, "token_invalid");
    client.refresh().await.expect_status(200);
}

/// C12: refresh needs CSRF protection too; what is refused never rotates.
#[tokio::test]
async fn c12_cross_site_refresh_is_refused() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    drop(site.outside.store.take_writes());
    client.post("/auth/refresh").expect(403, "csrf_failed").await.sets_no_cookie();
    for sender in
        [Sender::ForeignForm, Sender::ForeignFetch, Sender::SiblingForm, Sender::SiblingFetch, Sender::Bare]
    {
        let request = client.post("/auth/refresh").with_csrf().sender(sender).cookies(Cookies::All);
        let answer = request.header("accept", "*/*").header("sec-fetch-dest", "empty").send().await;
        answer.expect(403, "origin_denied").sets_no_cookie();
    }
    assert!(site.outside.store.take_writes().is_empty());
    client.refresh().await.expect_status(200);
}

/// GET for page loads: 303 back; without a session to the sign-in page; an own path only.
#[tokio::test]
async fn page_load() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    site.advance(MINUTE * 20);
    let answer =
        client.get("/auth/refresh?return_to=/inbox%3Fa%3D1").sender(Sender::OwnLink).expect_status(303).await;
    assert_eq!(answer.header("location").as_deref(), Some("/inbox?a=1"));
    assert!(answer.set_cookie("__Host-Http-cs-refresh").is_some());
    client.get("/auth/session").expect_status(200).await;
    // The second return within 5 s: cookies do not stick; do not go round and round.
    site.advance(seconds(4));
    let again = client.get("/auth/refresh?return_to=/inbox").sender(Sender::OwnLink).expect_status(303).await;
    assert_eq!(again.header("location").as_deref(), Some("/auth/login?return_to=/inbox"));
    site.advance(seconds(5));
    for foreign in ["//evil.test", "https://evil.test", "%5C%5Cevil.test", "javascript:alert(1)"] {
        let target = format!("/auth/refresh?return_to={foreign}");
        let answer = client.get(&target).sender(Sender::OwnLink).expect_status(303).await;
        assert_eq!(answer.header("location").as_deref(), Some("/"), "{foreign}");
        site.advance(seconds(5));
    }
    let nobody =
        site.client().get("/auth/refresh?return_to=/inbox").sender(Sender::Typed).expect_status(303).await;
    assert_eq!(nobody.header("location").as_deref(), Some("/auth/login?return_to=/inbox"));
}

/// An image of another site does not rotate.
#[tokio::test]
async fn page_load_from_another_site_rotates_nothing() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    site.advance(MINUTE * 20);
    drop(site.outside.store.take_writes());
    for sender in [Sender::ForeignImage, Sender::ForeignFrame, Sender::ForeignFetch, Sender::SiblingFetch] {
        let request = client.get("/auth/refresh?return_to=/").sender(sender).cookies(Cookies::All);
        request.expect_status(303).await.sets_no_cookie();
    }
    assert!(site.outside.store.take_writes().is_empty());
}

/// D07: at a rotation nobody keeps what the user has lost meanwhile, nor gains what the session was not opened with.
#[tokio::test]
async fn d07_a_rotation_mints_what_user_and_session_share() {
    let site = TestSite::production().start().await;
    site.add_user(ADA, &["read", "write"]).await;
    let client = site.client();
    client.log_in(ADA, PASSWORD).await.expect_status(200);
    for (of_user, minted) in [
        ("read write", "read write"),
        ("read", "read"),
        ("admin read write", "read write"),
        ("admin", ""),
        ("", ""),
    ] {
        site.advance(MINUTE);
        site.outside.store.set_scope(Some(ScopeSet::parse(of_user).unwrap()));
        client.refresh().await.expect_status(200);
        let token = client.cookie(CookieKind::Access).unwrap();
        let part =
            data_encoding::BASE64URL_NOPAD.decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&part).unwrap();
        assert_eq!(claims["scope"], minted, "the user has {of_user:?}");
        // What the node remembers of the token it just made says the same.
        let principal = site.site.engine().verify_access(&token, &Context::default()).await.unwrap();
        assert_eq!(principal.scope().to_string(), minted);
    }
}
