//! Response headers of everything that we answer ourselves (J02, J03, J05), and who is let in at all (K09).

use countersign_testkit::{Answer, Sender, TestSite};
use http::Method;

const ADA: &str = "ada@example.com";

fn hardening(answer: &Answer) {
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(answer.header(name).as_deref(), Some(value), "{name}");
    }
    assert!(answer.header("permissions-policy").unwrap().contains("camera=()"));
    assert!(answer.header("content-security-policy").unwrap().contains("frame-ancestors 'none'"));
    assert_eq!(answer.header("x-powered-by"), None);
    assert_eq!(answer.header("server"), None);
}

/// J02, J03: every own route, by every method, well and badly asked for.
#[tokio::test]
async fn j02_j03_every_route() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    for route in countersign_http::own_routes() {
        let target = route.path.replace("{id}", "x").replace("{name}", "x");
        for method in ["GET", "POST", "DELETE", "PUT", "PATCH", "OPTIONS", "TRACE", "BREW"] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            for sender in [Sender::OwnFetch, Sender::OwnLink, Sender::ForeignForm] {
                let answer = client.copy().request(method.clone(), &target).sender(sender).send().await;
                hardening(&answer);
                assert_eq!(answer.header("strict-transport-security").as_deref(), Some("max-age=63072000"));
                assert!(answer.header("x-request-id").is_some());
                let cache = answer.header("cache-control").unwrap();
                assert!(
                    cache == "no-store" || (cache.starts_with("public") && answer.set_cookies().is_empty()),
                    "{target}: {cache}"
                );
                assert!(!answer.status().is_server_error(), "{method} {target}: {}", answer.status());
            }
        }
    }
}

/// J02: on refusals before any route too; never in development, where it would catch every port of localhost.
#[tokio::test]
async fn j02_hsts_on_errors_and_not_in_development() {
    let site = TestSite::production().start().await;
    let client = site.client();
    for (request, status) in [
        (client.get("/auth/nothing"), 404),
        (client.request(Method::PUT, "/auth/login"), 405),
        (client.post("/auth/login").body("text/plain", "x"), 415),
        (client.post("/auth/login").body("application/json", "x".repeat(70_000)), 413),
        (client.get("/auth/login").header("host", "evil.test"), 421),
        (client.get("/auth/login").without_header("x-forwarded-proto"), 400),
        (client.get("/auth/login").header("x-forwarded-proto", "http"), 400),
        (client.get("/nothing/of/ours"), 404),
    ] {
        let answer = request.expect_status(status).await;
        assert_eq!(
            answer.header("strict-transport-security").as_deref(),
            Some("max-age=63072000"),
            "{status}"
        );
        assert_eq!(answer.header("content-type").as_deref(), Some("application/problem+json"), "{status}");
        hardening(&answer);
    }
    for site in [TestSite::development().start().await, TestSite::development().tls().start().await] {
        for target in ["/auth/login", "/auth/nothing", "/.well-known/jwks.json"] {
            let answer = site.client().get(target).send().await;
            assert_eq!(answer.header("strict-transport-security"), None, "{target}");
            hardening(&answer);
        }
    }
}

/// J05: what a cache would take for a static file is not found, signed in or not.
#[tokio::test]
async fn j05_cache_deception() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    for target in [
        "/auth/session/x.css",
        "/auth/session;.css",
        "/auth/session%2fx.css",
        "/auth/session%3b.css",
        "/auth/session.css",
        "/auth/session/",
        "/auth/account/x.js",
        "/auth/account;x.js",
        "/auth/account%2f..%2fx.css",
        "/auth/account/..%2fx.css",
        "/auth/csrf%00.css",
        "/auth//session",
        "/auth/./session",
        "/auth/x/../session",
        "/auth/%73ession/x.png",
        "/AUTH/session",
        "/auth/Session",
    ] {
        let answer = client.get(target).expect_status(404).await;
        assert!(!answer.text().contains(ADA), "{target}");
        assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"), "{target}");
    }
}

/// K09, design §4: development refuses requests that were forwarded; production refuses those that were not.
#[tokio::test]
async fn k09_who_may_speak() {
    let site = TestSite::development().start().await;
    for name in ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "forwarded", "x-real-ip"] {
        site.client().get("/auth/login").header(name, "203.0.113.1").expect(400, "invalid_request").await;
    }
    let own = format!("localhost:{}", site.address().port());
    for (host, status) in [
        (own.as_str(), 200),
        (&format!("127.0.0.1:{}", site.address().port()), 200),
        ("evil.test", 421),
        ("localhost.evil.test", 421),
        ("", 421),
    ] {
        site.client().get("/auth/login").header("host", host).expect_status(status).await;
    }
    let site = TestSite::production().start().await;
    for (host, status) in [
        ("app.countersign.test", 200),
        ("APP.countersign.test", 200),
        ("app.countersign.test:443", 200),
        ("app.countersign.test:80", 421),
        ("localhost", 421),
        ("127.0.0.1", 421),
        ("app.countersign.test.", 421),
        ("app.countersign.test@evil.test", 421),
    ] {
        site.client().get("/auth/login").header("host", host).expect_status(status).await;
    }
}

/// Methods: what an end point does not know is 405 and names what it does; TRACE never echoes.
#[tokio::test]
async fn k09_methods() {
    let site = TestSite::production().start().await;
    let answer = site.client().request(Method::PUT, "/auth/login").expect(405, "invalid_request").await;
    let allow = answer.header("allow").unwrap();
    assert!(allow.contains("GET") && allow.contains("POST"), "{allow}");
    let trace =
        site.client().request(Method::TRACE, "/auth/session").header("x-canary", "echo-me").send().await;
    assert!(trace.status().is_client_error());
    assert!(!trace.text().contains("echo-me"));
}
