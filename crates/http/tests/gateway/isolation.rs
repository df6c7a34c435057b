//! CSRF and isolation on proxied routes (design §7): who may act with the cookies that a browser sends along.

use countersign_core::domain::event::EventName;
use countersign_core::domain::isolation::Origins;
use countersign_testkit::{Client, Cookies, Sender};
use http::Method;

use crate::scene::Scene;

/// What becomes of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    Identity,
    Nobody,
    Refused,
}

/// On a route with optional identity, with every cookie of the jar sent along: what must hold without SameSite.
async fn fate(scene: &Scene, request: countersign_testkit::Request) -> Fate {
    let before = scene.arrived();
    let answer = request.cookies(Cookies::All).send().await;
    if answer.status() == 403 {
        assert_eq!(scene.arrived(), before, "a refused request arrived");
        return Fate::Refused;
    }
    let answer = answer.expect_status(200);
    let vary = answer.header("vary").unwrap().to_ascii_lowercase();
    assert!(["sec-fetch-site", "origin", "cookie"].iter().all(|name| vary.contains(name)), "C11: {vary}");
    // J04: whether they counted or not.
    assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"));
    if scene.upstream.last().header("x-auth-user").is_some() { Fate::Identity } else { Fate::Nobody }
}

fn expected(sender: Sender, method: &Method) -> Fate {
    let safe = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    match sender {
        Sender::OwnFetch | Sender::OwnLink | Sender::OwnForm | Sender::Typed => Fate::Identity,
        // Neither header: no browser that knows Fetch Metadata, or one that knows Origin only with unsafe methods.
        Sender::Bare if safe => Fate::Identity,
        // A top-level GET navigation is protected as under Lax.
        Sender::SiblingForm | Sender::ForeignForm | Sender::ForeignLink if *method == Method::GET => {
            Fate::Identity
        }
        _ if safe => Fate::Nobody,
        _ => Fate::Refused,
    }
}

/// C01, C05: method × header set.
#[tokio::test]
async fn c01_c05_the_matrix() {
    let scene = Scene::new().await;
    let browser = scene.browser().await;
    let propfind = Method::from_bytes(b"PROPFIND").unwrap();
    for sender in Sender::ALL {
        for method in [
            Method::GET,
            Method::HEAD,
            Method::OPTIONS,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
            propfind.clone(),
        ] {
            let request = browser.request(method.clone(), "/maybe/a").sender(sender);
            let found = fate(&scene, request).await;
            assert_eq!(found, expected(sender, &method), "{method} by {sender:?}");
        }
    }
    assert!(scene.site.event_names().await.contains(&EventName::MaliciousCsrf));
}

/// C05: values that no browser sends, headers that came twice, and each header alone.
#[tokio::test]
async fn c05_odd_headers() {
    let scene = Scene::new().await;
    let browser = scene.browser().await;
    let bare = |method| browser.request(method, "/maybe/a").sender(Sender::Bare);
    let (get, post) = (Method::GET, Method::POST);
    for site in ["same-site", "cross-site", "bogus", "", "SAME-ORIGIN", "same-origin, none"] {
        assert_eq!(
            fate(&scene, bare(post.clone()).header("sec-fetch-site", site)).await,
            Fate::Refused,
            "{site}"
        );
        assert_eq!(
            fate(&scene, bare(get.clone()).header("sec-fetch-site", site)).await,
            Fate::Nobody,
            "{site}"
        );
    }
    let twice =
        bare(post.clone()).header("sec-fetch-site", "same-origin").header("sec-fetch-site", "same-origin");
    assert_eq!(fate(&scene, twice).await, Fate::Refused);
    for site in ["same-origin", "none"] {
        assert_eq!(fate(&scene, bare(post.clone()).header("sec-fetch-site", site)).await, Fate::Identity);
    }
    for dest in ["iframe", "frame", "embed", "object"] {
        let framed = browser.get("/maybe/a").sender(Sender::ForeignLink).header("sec-fetch-dest", dest);
        assert_eq!(fate(&scene, framed).await, Fate::Nobody, "{dest}");
    }
    let worker = browser.get("/maybe/a").sender(Sender::ForeignLink).header("sec-fetch-dest", "empty");
    assert_eq!(fate(&scene, worker).await, Fate::Identity);
}

/// C06: origins are compared exactly, with what is configured and not with what the request says of itself.
#[tokio::test]
async fn c06_origins() {
    let scene = Scene::with(|builder| {
        builder.settings(|s| s.origins = Origins::new(&s.public_origin, ["https://admin.test:8443".into()]))
    })
    .await;
    let browser = scene.browser().await;
    let from = |origin: &str| browser.post("/maybe/a").sender(Sender::Bare).header("origin", origin);
    for good in ["https://app.countersign.test", "https://admin.test:8443"] {
        assert_eq!(fate(&scene, from(good)).await, Fate::Identity, "{good}");
        let sibling = from(good).header("sec-fetch-site", "same-site");
        assert_eq!(fate(&scene, sibling).await, Fate::Identity, "{good}");
        let image = browser.get("/maybe/a").sender(Sender::ForeignImage).header("origin", good);
        assert_eq!(fate(&scene, image).await, Fate::Identity, "{good}");
    }
    for bad in [
        "null",
        "",
        "http://app.countersign.test",
        "https://app.countersign.test:8443",
        "https://app.countersign.test.evil.test",
        "https://evilapp.countersign.test",
        "https://user@app.countersign.test",
        "https://app.countersign.test/",
        "https://APP.countersign.test",
        "https://admin.test",
        "https://evil.test, https://app.countersign.test",
    ] {
        assert_eq!(fate(&scene, from(bad)).await, Fate::Refused, "{bad}");
        let spoofed = from(bad)
            .header("x-forwarded-host", "evil.test")
            .header("referer", "https://app.countersign.test/");
        assert_eq!(fate(&scene, spoofed).await, Fate::Refused, "{bad}");
    }
    let twice = from("https://app.countersign.test").header("origin", "https://app.countersign.test");
    assert_eq!(fate(&scene, twice).await, Fate::Refused);
}

/// On a route that requires identity, acting as nobody is not being let in.
#[tokio::test]
async fn an_image_of_another_site_acts_as_nobody() {
    let scene = Scene::new().await;
    let browser = scene.browser().await;
    let image =
        |browser: &Client| browser.get("/delete-account").sender(Sender::ForeignImage).cookies(Cookies::All);
    image(&browser).expect(401, "token_missing").await.sets_no_cookie();
    assert_eq!(scene.arrived(), 0);
    let form = browser.post("/transfer").sender(Sender::ForeignForm).cookies(Cookies::All);
    // A form is a page load: its answer is a page.
    let page = form.expect_status(403).await;
    assert!(page.text().contains("<html"), "{}", page.text());
    browser.get("/a").expect_status(200).await;
}
