//! K11: with the store down or silent nobody is let through, and what needs no store still answers (design §6, §7).

use std::time::Duration;

use countersign_core::domain::cookie::CookieKind;
use countersign_testkit::{Client, Mode, Request, Sender};

use tokio::time::Instant;

use crate::scene::{LAPSE, Scene};

/// Longer than a node may go without hearing of revocations.
const STALENESS: Duration = Duration::from_secs(6);

async fn refused(request: Request) {
    let answer = request.losing_cookies().expect(503, "store_unavailable").await.sets_no_cookie();
    let after: u64 = answer.header("retry-after").expect("Retry-After").parse().unwrap();
    assert!((1..=60).contains(&after), "{after}");
}

async fn still_answers(scene: &Scene, browser: &Client) {
    browser.get("/open/a").expect_status(200).await;
    scene.site.client().get("/.well-known/jwks.json").expect_status(200).await;
    scene.site.client().get("/a").expect(401, "token_missing").await;
}

#[tokio::test]
async fn k11_a_failing_store_is_503() {
    let scene = Scene::new().await;
    let browser = scene.browser().await;
    browser.get("/a").expect_status(200).await;
    let arrived = scene.arrived();
    scene.site.outside.store.set(Mode::Unavailable);
    // A token seen before is good only as long as this node has heard of revocations.
    scene.site.advance(STALENESS);
    for target in ["/a", "/maybe/a", "/admin/a"] {
        refused(browser.get(target)).await;
    }
    refused(browser.post("/form/a").with_csrf()).await;
    refused(browser.get("/a").bearer(&browser.cookie(CookieKind::Access).unwrap())).await;
    let page = browser.get("/a").sender(Sender::Typed).expect_status(503).await;
    assert!(page.header("retry-after").is_some() && page.text().contains("<html"));
    assert_eq!(scene.arrived(), arrived, "nothing passed");
    still_answers(&scene, &browser).await;

    scene.site.advance(LAPSE);
    refused(browser.get("/a")).await;
    scene.site.outside.store.set(Mode::Working);
    browser.get("/a").expect_status(200).await;
}

/// Nor must somebody who signs in, up or out.
#[tokio::test]
async fn k11_end_points_do_not_wait_for_a_hanging_store_either() {
    let scene = Scene::new().await;
    let (browser, stranger) = (scene.browser().await, scene.site.client());
    scene.site.outside.store.set(Mode::Hanging);
    let began = Instant::now();
    tokio::join!(
        async {
            stranger.log_in("ada@example.test", "wrong horse battery staple").await.expect_status(503);
        },
        refused(browser.post("/auth/logout").with_csrf()),
        refused(browser.get("/auth/sessions")),
    );
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    scene.site.outside.store.set(Mode::Working);
    browser.get("/a").expect_status(200).await;
}

/// A store that does not answer at all is down: the request must not wait for ever.
#[tokio::test]
async fn k11_a_hanging_store_is_503_in_time() {
    let scene = Scene::new().await;
    let browser = scene.stale().await;
    let other = browser.copy();
    other.drop_cookie(CookieKind::Refresh);
    scene.site.outside.store.set(Mode::Hanging);
    let began = Instant::now();
    let bearer = other.cookie(CookieKind::Access).unwrap();
    tokio::join!(
        refused(browser.get("/a")),
        refused(browser.get("/maybe/a")),
        refused(browser.post("/form/a").with_csrf()),
        still_answers(&scene, &browser),
        async {
            other.get("/a").bearer(&bearer).expect(401, "token_expired").await.sets_no_cookie();
        },
    );
    assert!(began.elapsed() < Duration::from_secs(9), "{:?}", began.elapsed());
    scene.site.outside.store.set(Mode::Working);
    browser.get("/a").expect_status(200).await;
}
