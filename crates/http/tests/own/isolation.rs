//! Which requests act for the user at our own end points (design §7 "CSRF and isolation"; C01, C05-C08, C10, C11).

use countersign_core::domain::isolation::Origins;
use countersign_testkit::{Client, Cookies, Sender, TestSite};
use http::Method;

const ADA: &str = "ada@example.com";

async fn signed_in() -> (TestSite, Client) {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    (site, client)
}

/// Unsafe methods: our own pages pass, everything else is refused before the token is looked at.
fn passes_unsafe(sender: Sender) -> bool {
    matches!(sender, Sender::OwnFetch | Sender::OwnLink | Sender::OwnForm | Sender::Typed)
}

/// Safe methods: our own pages, top-level navigations, and clients without either header act for the user.
fn passes_safe(sender: Sender) -> bool {
    passes_unsafe(sender)
        || matches!(sender, Sender::SiblingForm | Sender::ForeignLink | Sender::ForeignForm | Sender::Bare)
}

/// C01, C05, C12: method × sender, with every cookie and a good CSRF token, so that only the origin decides.
#[tokio::test]
async fn c01_c05_matrix() {
    let (site, client) = signed_in().await;
    for sender in Sender::ALL {
        for (method, target) in [
            (Method::POST, "/auth/refresh"),
            (Method::DELETE, "/auth/sessions/0000000000000000000000"),
            (Method::POST, "/auth/account/sessions/end-others"),
        ] {
            drop(site.outside.store.take_writes());
            let request =
                client.request(method.clone(), target).with_csrf().sender(sender).cookies(Cookies::All);
            let answer = request.header("accept", "*/*").header("sec-fetch-dest", "empty").send().await;
            if passes_unsafe(sender) {
                assert_ne!(answer.status(), 403, "{sender:?} {method} {target}");
            } else {
                answer.expect(403, "origin_denied").sets_no_cookie();
                assert!(site.outside.store.take_writes().is_empty(), "{sender:?} {method} {target}");
            }
        }
        for method in [Method::GET, Method::HEAD] {
            let request =
                client.request(method.clone(), "/auth/session").sender(sender).cookies(Cookies::All);
            let answer = request.header("accept", "*/*").send().await;
            // HEAD is no navigation.
            let identity = passes_safe(sender)
                && (method == Method::GET || passes_unsafe(sender) || sender == Sender::Bare);
            let expected = if identity { 200 } else { 401 };
            assert_eq!(answer.status().as_u16(), expected, "{sender:?} {method}");
            answer.sets_no_cookie();
        }
    }
    client.get("/auth/session").expect_status(200).await;
}

/// C06: compared with the configured origins, exactly; never with Host; `null` fails.
#[tokio::test]
async fn c06_origin_is_exact() {
    let (_site, client) = signed_in().await;
    for origin in [
        "null",
        "",
        "http://app.countersign.test",
        "https://app.countersign.test:444",
        "https://app.countersign.test:443",
        "https://app.countersign.test/",
        "https://app.countersign.test.evil.test",
        "https://evilapp.countersign.test",
        "https://user@app.countersign.test",
        "https://APP.countersign.test",
        "https://countersign.test",
        "https://app.countersign.test, https://evil.test",
    ] {
        let request = client.post("/auth/refresh").with_csrf().sender(Sender::Bare).cookies(Cookies::All);
        request.header("origin", origin).expect(403, "origin_denied").await;
    }
    let twice = client.post("/auth/refresh").with_csrf().sender(Sender::Bare).cookies(Cookies::All);
    let twice = twice.header("origin", "https://app.countersign.test").header("origin", "https://evil.test");
    twice.expect(403, "origin_denied").await;
    let good = client.post("/auth/refresh").with_csrf().sender(Sender::Bare).cookies(Cookies::All);
    good.header("origin", "https://app.countersign.test").expect_status(200).await;
}

/// C06: neither `Host` nor what a proxy says of the host decides whose origin is ours: an attacker writes both.
#[tokio::test]
async fn c06_host_headers_never_decide() {
    let (site, client) = signed_in().await;
    drop(site.outside.store.take_writes());
    for name in ["x-forwarded-host", "x-forwarded-server", "x-original-host", "x-host", "forwarded"] {
        let value = if name == "forwarded" { "host=evil.test;proto=https" } else { "evil.test" };
        let posted = |sender| {
            let request = client.post("/auth/refresh").with_csrf().sender(sender).cookies(Cookies::All);
            request.header("origin", "https://evil.test").header(name, value)
        };
        for sender in [Sender::Bare, Sender::ForeignFetch] {
            posted(sender).expect(403, "origin_denied").await.sets_no_cookie();
        }
        // A form is answered by a page.
        posted(Sender::ForeignForm).expect_status(403).await.sets_no_cookie();
        // Nor do they take anything from us.
        let good = client.post("/auth/refresh").with_csrf().sender(Sender::Bare).cookies(Cookies::All);
        good.header("origin", site.origin()).header(name, value).expect_status(200).await;
        drop(site.outside.store.take_writes());
    }
    assert!(site.outside.store.take_writes().is_empty());

    // In development any name of this machine is ours to answer, at any port: another application there is still another origin.
    let site = TestSite::development().start().await;
    let client = site.signed_in(ADA).await;
    for host in ["localhost:9", "127.0.0.1:9", "[::1]:9", "localhost"] {
        let request = client.post("/auth/refresh").with_csrf().sender(Sender::Bare).cookies(Cookies::All);
        let request = request.header("host", host).header("origin", format!("http://{host}"));
        request.expect(403, "origin_denied").await.sets_no_cookie();
    }
    let good = client.post("/auth/refresh").with_csrf().sender(Sender::Bare).cookies(Cookies::All);
    good.header("host", "127.0.0.1:9").header("origin", site.origin()).expect_status(200).await;
}

/// C05: odd Fetch Metadata is not trusted; an allowed origin passes whatever it says.
#[tokio::test]
async fn c05_unknown_fetch_metadata() {
    let site = TestSite::production()
        .settings(|s| {
            let sibling = String::from("https://sibling.countersign.test");
            s.origins = Origins::new("https://app.countersign.test", [sibling]);
        })
        .start()
        .await;
    let client = site.signed_in(ADA).await;
    for value in ["bogus", "", "SAME-ORIGIN", "same-origin, same-origin"] {
        let request = client.post("/auth/refresh").with_csrf().header("sec-fetch-site", value);
        request.without_header("origin").expect(403, "origin_denied").await;
    }
    let doubled = client.post("/auth/refresh").with_csrf().without_header("origin");
    let doubled = doubled.header("sec-fetch-site", "same-origin").header("sec-fetch-site", "cross-site");
    doubled.expect(403, "origin_denied").await;
    client.post("/auth/refresh").with_csrf().sender(Sender::SiblingFetch).expect_status(200).await;
    let foreign = client.post("/auth/refresh").with_csrf().sender(Sender::ForeignFetch).cookies(Cookies::All);
    foreign.expect(403, "origin_denied").await;
}

/// C08: only JSON (and the forms of our own pages); a body-less POST still needs the header.
#[tokio::test]
async fn c08_content_types() {
    let (site, client) = signed_in().await;
    drop(site.outside.store.take_writes());
    for kind in [
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/jsonx",
        "application/x-json",
        "text/json",
        "application/xml",
        "",
        "application/json, text/plain",
    ] {
        for target in ["/auth/refresh", "/auth/logout", "/auth/login", "/auth/signup"] {
            let request = client.post(target).with_csrf().body(kind, "{}");
            request.expect(415, "unsupported_media_type").await.sets_no_cookie();
        }
    }
    client.post("/auth/refresh").with_csrf().form(&[("a", "b")]).expect(415, "unsupported_media_type").await;
    let untyped = client.post("/auth/refresh").with_csrf().body("x", "{}").without_header("content-type");
    untyped.expect_status(415).await;
    client.post("/auth/refresh").expect(403, "csrf_failed").await;
    assert!(site.outside.store.take_writes().is_empty());
    for kind in ["application/json", "Application/JSON; charset=utf-8"] {
        client.post("/auth/refresh").with_csrf().body(kind, "{}").expect_status(200).await;
    }
}

/// C10: the list is exact, nothing is reflected, preflights are never 401.
#[tokio::test]
async fn c10_cors() {
    let site = TestSite::production()
        .settings(|s| s.cors_origins = vec![String::from("https://trusted.test")])
        .start()
        .await;
    let client = site.signed_in(ADA).await;
    let ask = |origin: &str| {
        let request = site.client().request(Method::OPTIONS, "/auth/session").header("origin", origin);
        request
            .header("access-control-request-method", "GET")
            .header("access-control-request-headers", "x-csrf-token")
    };
    let answer = ask("https://trusted.test").expect_status(204).await.sets_no_cookie();
    assert_eq!(answer.header("access-control-allow-origin").as_deref(), Some("https://trusted.test"));
    assert_eq!(answer.header("access-control-allow-credentials").as_deref(), Some("true"));
    assert_eq!(answer.header("access-control-allow-headers").as_deref(), Some("x-csrf-token"));
    for origin in [
        "https://trusted.test.evil",
        "http://trusted.test",
        "https://trusted.test:8443",
        "null",
        "https://eviltrusted.test",
    ] {
        let answer = ask(origin).expect_status(204).await;
        assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
        assert_eq!(answer.header("access-control-allow-credentials"), None, "{origin}");
        let read = client.get("/auth/session").header("origin", origin).send().await;
        assert_eq!(read.header("access-control-allow-origin"), None, "{origin}");
    }
    let read = client.get("/auth/session").header("origin", "https://trusted.test").expect_status(200).await;
    assert_eq!(read.header("access-control-allow-origin").as_deref(), Some("https://trusted.test"));
    assert!(read.header("vary").unwrap().contains("Origin"));
}

/// C11: caches are told what an answer depends on.
#[tokio::test]
async fn c11_vary() {
    let (_site, client) = signed_in().await;
    for target in ["/auth/session", "/auth/csrf", "/auth/login", "/auth/sessions", "/auth/nothing"] {
        let vary = client.get(target).send().await.header("vary").unwrap();
        assert!(vary.contains("Sec-Fetch-Site") && vary.contains("Origin"), "{target}: {vary}");
    }
}
