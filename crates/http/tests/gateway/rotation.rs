//! Inline rotation (design §5): a stale request is renewed on its way through.

use std::time::Duration;

use countersign_core::domain::cookie::CookieKind;
use countersign_core::domain::event::EventName;
use countersign_testkit::{Mode, Sender};
use futures_util::future::join_all;

use crate::scene::{AFTER_GRACE, LAPSE, Scene};

#[tokio::test]
async fn a_stale_request_is_answered_with_new_cookies() {
    let scene = Scene::new().await;
    let browser = scene.stale().await;
    let before = browser.cookie(CookieKind::Refresh);
    let answer = browser.get("/a?header=cache-control:private%2C%20max-age%3D60").expect_status(200).await;
    let mut names: Vec<String> = answer.set_cookies().into_iter().map(|c| c.name).collect();
    names.sort_unstable();
    let mut expected = CookieKind::SESSION.map(|kind| scene.name(kind)).to_vec();
    expected.sort_unstable();
    assert_eq!(names, expected);
    // J04: never Set-Cookie on an answer that may be kept.
    assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"));
    assert!(scene.upstream.last().header("x-auth-user").is_some());
    assert_ne!(browser.cookie(CookieKind::Refresh), before);
    assert_eq!(scene.rotations(), 1);

    browser.get("/a").expect_status(200).await.sets_no_cookie();
    assert_eq!(scene.rotations(), 0);
}

/// B12: the loss of the access cookie is mended in silence.
#[tokio::test]
async fn a_missing_or_damaged_access_cookie_is_replaced() {
    let scene = Scene::new().await;
    let browser = scene.browser().await;
    browser.drop_cookie(CookieKind::Access);
    browser.get("/a").expect_status(200).await;
    assert!(browser.cookie(CookieKind::Access).is_some());
    scene.site.advance(Duration::from_secs(60));
    browser.put_cookie(CookieKind::Access, "damaged");
    browser.get("/a").expect_status(200).await;
    assert_ne!(browser.cookie(CookieKind::Access).as_deref(), Some("damaged"));
}

/// D02: fifty parallel stale requests of one browser make one commit, and all of them pass.
#[tokio::test]
async fn d02_parallel_stale_requests_make_one_commit() {
    let scene = Scene::new().await;
    let browser = scene.stale().await;
    scene.site.outside.store.set(Mode::Slow(Duration::from_millis(30)));
    let answers = join_all((0..50).map(|n| browser.get(&format!("/a/{n}")).losing_cookies().send())).await;
    let name = scene.name(CookieKind::Refresh);
    let mut successors: Vec<String> = answers
        .into_iter()
        .map(|answer| answer.expect_status(200).set_cookie(&name).expect("the new refresh token").value)
        .collect();
    successors.dedup();
    assert_eq!(successors.len(), 1, "one successor");
    assert_eq!(scene.rotations(), 1, "one commit");
}

/// Keep: right after a rotation only the access token is made anew, and the refresh cookie is not set again.
#[tokio::test]
async fn keep_sets_the_access_cookie_only() {
    let scene = Scene::new().await;
    let browser = scene.stale().await;
    browser.get("/a").expect_status(200).await;
    scene.site.advance(Duration::from_secs(30));
    browser.drop_cookie(CookieKind::Access);
    let answer = browser.get("/a").expect_status(200).await;
    assert!(answer.set_cookie(&scene.name(CookieKind::Access)).is_some());
    assert!(answer.set_cookie(&scene.name(CookieKind::Refresh)).is_none());
    assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"));
}

/// A head that comes later than G after the verdict leaves the cookies out, which counts as a lost answer: the next one has them.
#[tokio::test]
async fn late_heads_leave_the_cookies_out() {
    let scene = Scene::new().await;
    let browser = scene.stale().await;
    let before = browser.cookie(CookieKind::Refresh);
    let slow = tokio::spawn(browser.get("/a?delay_ms=400").send());
    while scene.arrived() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    scene.site.advance(AFTER_GRACE);
    slow.await.unwrap().expect_status(200).sets_no_cookie();
    assert_eq!(browser.cookie(CookieKind::Refresh), before);

    browser.get("/a").expect_status(200).await;
    assert_ne!(browser.cookie(CookieKind::Refresh), before);
    browser.get("/a").expect_status(200).await;
}

/// Within G the cookies are written, however long the application thought about it.
#[tokio::test]
async fn heads_within_the_grace_carry_the_cookies() {
    let scene = Scene::new().await;
    let browser = scene.stale().await;
    let slow = tokio::spawn(browser.get("/a?delay_ms=400").send());
    while scene.arrived() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    scene.site.advance(Duration::from_secs(10));
    let answer = slow.await.unwrap().expect_status(200);
    assert!(answer.set_cookie(&scene.name(CookieKind::Refresh)).is_some());
}

/// P4: what was revoked while the application was thinking is not handed out.
#[tokio::test]
async fn a_session_that_ends_meanwhile_gets_no_cookies() {
    let scene = Scene::new().await;
    let browser = scene.stale().await;
    let slow = tokio::spawn(browser.get("/a?delay_ms=400").send());
    while scene.arrived() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    browser.copy().log_out().await.expect_status(204);
    slow.await.unwrap().expect_status(200).sets_no_cookie();
    browser.get("/a").expect(401, "session_revoked").await.sets_no_cookie();
}

/// A refusal after the rotation must not lose its tokens.
#[tokio::test]
async fn refusals_after_a_rotation_carry_the_cookies() {
    let scene = Scene::new().await;
    let browser = scene.stale().await;
    let answer = browser.get("/admin/a").expect(403, "insufficient_scope").await;
    assert!(answer.set_cookie(&scene.name(CookieKind::Refresh)).is_some());
    scene.site.advance(LAPSE);
    scene.upstream.stop();
    let answer = browser.get("/a").expect(502, "upstream_unavailable").await;
    assert!(answer.set_cookie(&scene.name(CookieKind::Refresh)).is_some());
}

/// What is refused, or served without identity, never rotates (design §7 "Order of checks").
#[tokio::test]
async fn refused_requests_never_rotate() {
    use countersign_testkit::Cookies::All;
    let scene = Scene::new().await;
    let browser = scene.stale().await;
    browser.post("/a").sender(Sender::ForeignFetch).cookies(All).expect(403, "origin_denied").await;
    browser.get("/a").sender(Sender::ForeignImage).cookies(All).expect(401, "token_missing").await;
    browser
        .get("/maybe/a")
        .sender(Sender::ForeignImage)
        .cookies(All)
        .expect_status(200)
        .await
        .sets_no_cookie();
    browser.post("/form/a").expect(403, "csrf_failed").await;
    browser.get("/a").bearer("nonsense").expect(401, "token_invalid").await.sets_no_cookie();
    browser.get("/open/a").expect_status(200).await.sets_no_cookie();
    assert_eq!(scene.rotations(), 0);
    browser.get("/a").expect_status(200).await;
    assert_eq!(scene.rotations(), 1);
}

/// D06: deadlines hold for requests through the gateway; nobody is logged out by a cleared cookie before.
#[tokio::test]
async fn d06_idle_and_absolute_deadlines() {
    let scene = Scene::new().await;
    let day = Duration::from_secs(86_400);
    let browser = scene.browser().await;
    for _ in 0..4 {
        scene.site.advance(6 * day);
        browser.get("/a").expect_status(200).await;
    }
    scene.site.advance(6 * day);
    browser.get("/a").expect(401, "session_expired").await.clears_nothing();
    let idle = scene.site.client();
    idle.log_in("ada@example.test", countersign_testkit::PASSWORD).await.expect_status(200);
    scene.site.advance(8 * day);
    idle.get("/a").expect(401, "session_expired").await;
    assert!(scene.site.event_names().await.contains(&EventName::SessionExpired));
}
