//! CORS on proxied routes (design §7): an exact allow-list, preflights before authentication.

use countersign_core::domain::event::EventName;
use countersign_core::domain::isolation::Origins;
use countersign_testkit::{Cookies, Request, Sender};
use http::Method;

use crate::scene::Scene;

const FRONT: &str = "https://front.test";

async fn scene() -> Scene {
    Scene::with(|builder| {
        builder.settings(|s| {
            s.cors_origins = vec![FRONT.to_owned()];
            s.origins = Origins::new(&s.public_origin, [FRONT.to_owned()]);
        })
    })
    .await
}

fn preflight(scene: &Scene, target: &str, origin: &str) -> Request {
    let request = scene.site.client().request(Method::OPTIONS, target).sender(Sender::Bare);
    request
        .header("origin", origin)
        .header("access-control-request-method", "PUT")
        .header("access-control-request-headers", "content-type, x-csrf-token")
}

/// Never 401, though a preflight carries no credentials; and the application is not asked.
#[tokio::test]
async fn preflights_are_answered_before_authentication() {
    let scene = scene().await;
    for target in ["/a", "/open/a", "/maybe/a", "/admin/a", "/form/a"] {
        let answer = preflight(&scene, target, FRONT).expect_status(204).await;
        assert_eq!(answer.header("access-control-allow-origin").as_deref(), Some(FRONT), "{target}");
        assert_eq!(answer.header("access-control-allow-credentials").as_deref(), Some("true"));
        assert_eq!(answer.header("access-control-allow-methods").as_deref(), Some("PUT"));
        assert_eq!(
            answer.header("access-control-allow-headers").as_deref(),
            Some("content-type, x-csrf-token")
        );
        assert!(answer.header("vary").unwrap().contains("Origin"));
    }
    assert_eq!(scene.arrived(), 0);
    assert!(!scene.site.event_names().await.contains(&EventName::MaliciousCors));
    for target in ["/a", "/auth/session"] {
        let answer = preflight(&scene, target, "https://evil.test").expect_status(204).await;
        assert_eq!(answer.header("access-control-allow-origin"), None, "{target}");
    }
    assert!(scene.site.event_names().await.contains(&EventName::MaliciousCors), "noted");
}

/// C10: no other origin is ever reflected, least of all with credentials.
#[tokio::test]
async fn c10_no_other_origin_is_reflected() {
    let scene = scene().await;
    let browser = scene.browser().await;
    for origin in [
        "https://evil.test",
        "https://front.test.evil.test",
        "https://evilfront.test",
        "http://front.test",
        "https://front.test:8443",
        "https://FRONT.test",
        "https://front.test/",
        "null",
        "*",
    ] {
        let answer = preflight(&scene, "/a", origin).expect_status(204).await;
        assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
        assert_eq!(answer.header("access-control-allow-credentials"), None, "{origin}");
        assert_eq!(answer.header("access-control-allow-methods"), None, "{origin}");
        let lax =
            "/maybe/a?header=access-control-allow-origin:*&header=access-control-allow-credentials:true";
        let answer = browser.get(lax).sender(Sender::ForeignFetch).cookies(Cookies::All);
        let answer = answer.header("origin", origin).expect_status(200).await;
        assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
        assert_eq!(answer.header("access-control-allow-credentials"), None, "{origin}");
    }
}

/// An allowed origin acts with the cookies and reads the answer, refusals too; the application's own word does not count.
#[tokio::test]
async fn allowed_origins_read_answers() {
    let scene = scene().await;
    let browser = scene.browser().await;
    let from =
        |request: Request| request.sender(Sender::ForeignFetch).cookies(Cookies::All).header("origin", FRONT);
    let liberal =
        "/a?header=access-control-allow-origin:https%3A%2F%2Fevil.test&header=access-control-allow-methods:*";
    for request in [browser.get(liberal), browser.post(liberal)] {
        let answer = from(request).expect_status(200).await;
        assert_eq!(answer.header("access-control-allow-origin").as_deref(), Some(FRONT));
        assert_eq!(answer.header("access-control-allow-credentials").as_deref(), Some("true"));
        assert_eq!(answer.header("access-control-allow-methods"), None);
        assert!(scene.upstream.last().header("x-auth-user").is_some());
    }
    let answer = from(scene.site.client().get("/a")).expect(401, "token_missing").await;
    assert_eq!(answer.header("access-control-allow-origin").as_deref(), Some(FRONT));
    let answer = from(browser.post("/form/a")).expect(403, "csrf_failed").await;
    assert_eq!(answer.header("access-control-allow-origin").as_deref(), Some(FRONT));
}

/// C11: what one origin may read must not come out of a cache for another, on open routes as well.
#[tokio::test]
async fn c11_answers_vary_by_origin() {
    let scene = scene().await;
    for request in [scene.site.client().get("/open/a"), scene.site.client().get("/maybe/a")] {
        let answer = request.expect_status(200).await;
        assert!(answer.header("vary").unwrap().contains("Origin"));
    }
}

/// `cors = "upstream"`: the application answers, for nobody, and its headers stay.
#[tokio::test]
async fn the_application_may_answer_for_itself() {
    let scene = scene().await;
    let browser = scene.browser().await;
    let theirs = "/theirs/a?header=access-control-allow-origin:https%3A%2F%2Fpartner.test";
    let answer = preflight(&scene, theirs, "https://partner.test").expect_status(200).await;
    assert_eq!(answer.header("access-control-allow-origin").as_deref(), Some("https://partner.test"));
    let with_cookies = browser.request(Method::OPTIONS, theirs).sender(Sender::ForeignFetch);
    let with_cookies = with_cookies.cookies(Cookies::All).header("access-control-request-method", "PUT");
    with_cookies.expect_status(200).await;
    let seen = scene.upstream.last();
    assert_eq!((seen.header("x-auth-user"), seen.header("cookie")), (None, None));
    // An OPTIONS that is no preflight is a request as any other.
    scene.site.client().request(Method::OPTIONS, theirs).expect(401, "token_missing").await;

    let answer = browser.get(theirs).expect_status(200).await;
    assert_eq!(answer.header("access-control-allow-origin").as_deref(), Some("https://partner.test"));
}
