//! What is taken out of an application's answers, and what is said to caches (design §7, J04).

use countersign_core::domain::cookie::CookieKind;
use countersign_testkit::{Answer, Client, TestSite, TestUpstream};

use crate::scene::{LAPSE, Scene};

async fn with_header(browser: &Client, prefix: &str, headers: &[&str]) -> Answer {
    let knobs: Vec<String> = headers
        .iter()
        .map(|h| format!("header={}", h.replace(' ', "%20").replace('"', "%22").replace('&', "%26")))
        .collect();
    browser.get(&format!("{prefix}?{}", knobs.join("&"))).losing_cookies().expect_status(200).await
}

/// Only we set our cookies: an application, or whoever controls one, cannot plant a session.
#[tokio::test]
async fn set_cookie_with_our_names_is_removed() {
    let scene = Scene::new().await;
    let browser = scene.browser().await;
    for prefix in ["/a", "/open/a", "/maybe/a"] {
        for kind in CookieKind::ALL {
            let name = scene.name(kind);
            let planted = [
                format!("set-cookie:{name}=evil; Path=/; Secure"),
                format!("set-cookie:{name} =evil"),
                format!("set-cookie:{}=evil", name.to_uppercase()),
                format!("set-cookie:={name}=evil"),
                String::from("set-cookie:theme=dark; Path=/"),
                String::from("set-cookie:lang=en"),
            ];
            let planted: Vec<&str> = planted.iter().map(String::as_str).collect();
            let answer = with_header(&browser, prefix, &planted).await;
            let kept: Vec<_> = answer.headers().get_all("set-cookie").iter().collect();
            assert_eq!(kept, ["theme=dark; Path=/", "lang=en"], "{prefix} {name}");
        }
    }
}

/// Headers by which only we speak.
#[tokio::test]
async fn our_headers_are_removed_from_answers() {
    let scene = Scene::new().await;
    let browser = scene.browser().await;
    for prefix in ["/a", "/open/a"] {
        let ours = [
            "countersign-assertion:x",
            "Countersign-Anything:x",
            "secure-session-registration:x",
            "Secure-Session-Challenge:x",
            "x-theirs:y",
        ];
        let answer = with_header(&browser, prefix, &ours).await;
        for (name, _) in answer.headers() {
            let name = name.as_str();
            assert!(!name.starts_with("countersign-") && !name.starts_with("secure-session-"), "{name}");
        }
        assert_eq!(answer.header("x-theirs").as_deref(), Some("y"));
    }
}

/// Design §4 "Clearing": an application may clear what is its own, not our cookies.
#[tokio::test]
async fn clear_site_data_spares_cookies() {
    let scene = Scene::new().await;
    let browser = scene.browser().await;
    for prefix in ["/a", "/open/a"] {
        for (theirs, left) in [
            ("\"cookies\"", None),
            ("\"*\"", None),
            ("\"cache\", \"cookies\", \"storage\"", Some("\"cache\", \"storage\"")),
        ] {
            let answer = with_header(&browser, prefix, &[&format!("clear-site-data:{theirs}")]).await;
            assert_eq!(answer.header("clear-site-data").as_deref(), left, "{prefix} {theirs}");
        }
    }
}

/// J04: what read a session is never shared-cacheable; an application may choose `private`.
#[tokio::test]
async fn j04_authenticated_answers_are_never_shared() {
    let scene = Scene::new().await;
    let browser = scene.browser().await;
    for (theirs, ours) in [
        ("", "no-store"),
        ("public, max-age=60", "no-store"),
        ("max-age=60", "no-store"),
        ("s-maxage=60", "no-store"),
        ("no-cache", "no-store"),
        ("Public, S-MaxAge=60", "no-store"),
        ("private", "private"),
        ("private, max-age=60", "private, max-age=60"),
        ("private, max-age=60, s-maxage=600, public", "private, max-age=60"),
        ("private=\"set-cookie\", max-age=60", "no-store"),
        ("no-store", "no-store"),
    ] {
        for prefix in ["/a", "/maybe/a"] {
            let mut headers = vec!["surrogate-control:max-age=60", "cdn-cache-control:max-age=60"];
            let theirs = format!("cache-control:{theirs}");
            if theirs != "cache-control:" {
                headers.push(&theirs);
            }
            let answer = with_header(&browser, prefix, &headers).await;
            assert_eq!(answer.header("cache-control").as_deref(), Some(ours), "{theirs}");
            assert_eq!(answer.header("surrogate-control"), None);
            assert_eq!(answer.header("cdn-cache-control"), None);
            let vary = answer.header("vary").unwrap();
            assert!(vary.contains("Cookie"), "{vary}");
        }
    }
    // Two lines count as one list.
    let two = ["cache-control:private", "cache-control:public, s-maxage=9"];
    assert_eq!(with_header(&browser, "/a", &two).await.header("cache-control").as_deref(), Some("private"));
    // By bearer as well, and where cookies were set, private is not enough.
    let access = browser.cookie(CookieKind::Access).unwrap();
    let answer =
        scene.site.client().get("/a?header=cache-control:public").bearer(&access).expect_status(200).await;
    assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"));
    scene.site.advance(LAPSE);
    let answer = with_header(&browser, "/a", &["cache-control:private, max-age=60"]).await;
    assert!(!answer.set_cookies().is_empty());
    assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"));
}

/// J04: nobody's answers on a route with optional identity stay cacheable, but not for somebody.
#[tokio::test]
async fn j04_anonymous_answers_vary_by_cookie() {
    let scene = Scene::new().await;
    let answer = with_header(&scene.site.client(), "/maybe/a", &["cache-control:public, max-age=60"]).await;
    assert_eq!(answer.header("cache-control").as_deref(), Some("public, max-age=60"));
    assert!(answer.header("vary").unwrap().contains("Cookie"));
}

/// J02: every answer of a hardened environment, errors too; J03 on those that are ours.
#[tokio::test]
async fn j02_j03_headers() {
    let scene = Scene::new().await;
    let browser = scene.browser().await;
    for (answer, ours) in [
        (browser.get("/a").send().await, false),
        (browser.get("/open/a?status=500").send().await, false),
        (scene.site.client().get("/a").send().await, true),
        (browser.get("/a").header("host", "evil.test").send().await, true),
        (browser.get("/admin/a").send().await, true),
    ] {
        let age = answer.header("strict-transport-security").unwrap();
        assert!(age.trim_start_matches("max-age=").parse::<u64>().unwrap() >= 31_536_000, "{age}");
        assert!(answer.header("x-request-id").is_some());
        for name in
            ["x-content-type-options", "x-frame-options", "referrer-policy", "content-security-policy"]
        {
            assert_eq!(answer.header(name).is_some(), ours, "{name}");
        }
    }
}

/// J02: an upstream's HSTS would bind every port of localhost, for years.
#[tokio::test]
async fn j02_no_upstream_binds_localhost_to_https() {
    let upstream = TestUpstream::start().await;
    let site = TestSite::development().tls().upstream(upstream.origin()).start().await;
    let answer = site
        .signed_in("ada@example.test")
        .await
        .get("/a?header=strict-transport-security:max-age=1")
        .expect_status(200)
        .await;
    assert!(answer.header("strict-transport-security").is_none());
}
