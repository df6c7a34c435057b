//! Host, X-Forwarded-*, Location, and who may stand in front (design §7, §4).

use countersign_core::domain::route::RouteRule;
use countersign_proxy::client_ip::Trusted;
use countersign_proxy::{HostHeader, Upstream, UpstreamConfig};
use countersign_testkit::{Sender, TestSite, TestUpstream};

use crate::raw;
use crate::scene::Scene;

/// `Host` is preserved, and `X-Forwarded-*` says what we know ourselves.
#[tokio::test]
async fn the_application_learns_who_asked_and_where() {
    let scene = Scene::new().await;
    let answer = scene.site.client().at("198.51.100.4").get("/open/a?b=c");
    let spoofed = answer.header("x-forwarded-port", "1").header("x-forwarded-host", "evil.test");
    spoofed.header("x-forwarded-server", "evil").expect_status(200).await;
    let seen = scene.upstream.last();
    assert_eq!(seen.target, "/open/a?b=c");
    assert_eq!(seen.header("host").as_deref(), Some("app.countersign.test"));
    assert_eq!(seen.header("x-forwarded-for").as_deref(), Some("198.51.100.4"));
    assert_eq!(seen.header("x-forwarded-proto").as_deref(), Some("https"));
    assert_eq!(seen.header("x-forwarded-host").as_deref(), Some("app.countersign.test"));
    assert_eq!(seen.header("x-forwarded-port").as_deref(), Some("443"));
    assert_eq!(seen.header("x-forwarded-server"), None);
}

#[tokio::test]
async fn the_application_may_want_its_own_host() {
    let scene = Scene::with(|builder| {
        builder.settings(|s| {
            let origin = s.upstreams[0].upstream.origin().clone();
            let config = UpstreamConfig { host: HostHeader::Upstream, ..UpstreamConfig::new("app", origin) };
            s.upstreams[0].upstream = Upstream::new(config);
        })
    })
    .await;
    scene.site.client().get("/open/a").expect_status(200).await;
    let seen = scene.upstream.last();
    assert_eq!(seen.header("host"), Some(scene.upstream.origin().replace("http://", "")));
    assert_eq!(seen.header("x-forwarded-host").as_deref(), Some("app.countersign.test"));
}

/// A `Location` that names the application's own address is rewritten; others stay.
#[tokio::test]
async fn locations_are_rewritten() {
    let scene = Scene::new().await;
    let browser = scene.browser().await;
    let answer = browser.get("/redirect").expect_status(302).await;
    assert_eq!(answer.header("location").as_deref(), Some("https://app.countersign.test/landed"));
    for location in ["/relative", "https://elsewhere.test/x", "http://127.0.0.1:1/x"] {
        let answer = browser.get(&format!("/a?status=302&header=location:{location}"));
        assert_eq!(answer.expect_status(302).await.header("location").as_deref(), Some(location));
    }
}

/// K04: the client's address is the first untrusted hop from the right, whatever the client wrote to its left (CVE-2026-40575).
#[tokio::test]
async fn k04_spoofed_chains() {
    let scene = Scene::with(|builder| {
        builder.settings(|s| {
            s.trusted = Trusted::Nets(vec!["127.0.0.0/8".parse().unwrap(), "10.0.0.0/8".parse().unwrap()]);
        })
    })
    .await;
    for (chain, client) in [
        ("203.0.113.9", "203.0.113.9"),
        ("6.6.6.6, 203.0.113.9", "203.0.113.9"),
        ("127.0.0.1, 203.0.113.9, 10.1.2.3", "203.0.113.9"),
        ("6.6.6.6, nonsense, 10.1.2.3", "10.1.2.3"),
        ("10.9.9.9, 10.1.2.3", "10.9.9.9"),
        ("2001:db8::7", "2001:db8::7"),
        ("", "127.0.0.1"),
    ] {
        let request = scene.site.client().get("/open/a").header("x-forwarded-for", chain);
        request.header("x-real-ip", "6.6.6.6").header("forwarded", "for=6.6.6.6").expect_status(200).await;
        let seen = scene.upstream.last();
        assert_eq!(seen.header("x-forwarded-for").as_deref(), Some(client), "{chain}");
    }
    let lines = scene.site.client().get("/open/a").header("x-forwarded-for", "6.6.6.6");
    lines.header("x-forwarded-for", "203.0.113.9").expect_status(200).await;
    assert_eq!(scene.upstream.last().header("x-forwarded-for").as_deref(), Some("203.0.113.9"));
}

/// K04: events name the resolved address too.
#[tokio::test]
async fn k04_events_name_the_client() {
    let scene = Scene::new().await;
    let browser = scene.browser().await.at("198.51.100.77");
    let form = browser.post("/a").sender(Sender::ForeignForm);
    form.cookies(countersign_testkit::Cookies::All).expect_status(403).await;
    let events = scene.site.events().await;
    let refused = events.iter().find(|e| &*e.reason == "origin_denied").unwrap();
    assert_eq!(refused.ip, Some("198.51.100.77".parse().unwrap()));
}

/// With TLS off, only a trusted proxy that says HTTPS is answered; everybody else gets 400, on every path.
#[tokio::test]
async fn tls_off_requires_the_trusted_proxy() {
    let scene = Scene::new().await;
    let client = scene.site.client();
    for target in ["/a", "/open/a", "/auth/login", "/.well-known/jwks.json"] {
        for proto in ["http", "https, http", "", "wss"] {
            client.get(target).header("x-forwarded-proto", proto).expect(400, "invalid_request").await;
        }
        client.get(target).without_header("x-forwarded-proto").expect(400, "invalid_request").await;
    }
    let stranger = Scene::with(|builder| builder.settings(|s| s.trusted = Trusted::Nobody)).await;
    stranger.site.client().get("/open/a").expect(400, "invalid_request").await;
    assert_eq!(scene.arrived() + stranger.arrived(), 0);
}

/// Development refuses to stand behind a proxy.
#[tokio::test]
async fn development_refuses_forwarded_requests() {
    let upstream = TestUpstream::start().await;
    let site = TestSite::development()
        .upstream(upstream.origin())
        .route("/*", RouteRule::protected(0))
        .start()
        .await;
    let browser = site.signed_in("ada@example.test").await;
    browser.get("/a").expect_status(200).await;
    assert_eq!(upstream.last().header("x-forwarded-proto").as_deref(), Some("http"));
    for name in [
        "forwarded",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-forwarded-port",
        "x-forwarded-server",
        "x-real-ip",
    ] {
        for target in ["/a", "/auth/session"] {
            browser.get(target).header(name, "127.0.0.1").expect(400, "invalid_request").await;
        }
    }
    assert_eq!(upstream.seen().len(), 1);
}

/// K09: a name that is not ours is another site's, or a rebound one: 421.
#[tokio::test]
async fn k09_unknown_hosts() {
    let scene = Scene::new().await;
    let client = scene.site.client();
    for host in [
        "evil.test",
        "app.countersign.test.evil.test",
        "app.countersign.test:8443",
        "app.countersign.test.",
        "localhost",
        "127.0.0.1",
        "user@app.countersign.test",
        "",
    ] {
        for target in ["/open/a", "/auth/login"] {
            let request =
                client.get(target).header("host", host).header("x-forwarded-host", "app.countersign.test");
            request.expect(421, "invalid_request").await;
        }
    }
    for host in ["APP.countersign.test", "app.countersign.test:443"] {
        client.get("/open/a").header("host", host).expect_status(200).await;
    }
    let named_twice =
        client.get("/open/a").header("host", "app.countersign.test").header("host", "evil.test");
    assert!(matches!(named_twice.send().await.status().as_u16(), 400 | 421));
    let absolute = raw::head("GET", "http://evil.test/open/a", &[("Connection", "close")]);
    let answer = raw::ask(scene.site.address(), absolute.as_bytes()).await;
    assert!(matches!(raw::status(&answer), 400 | 421), "{answer}");
    assert_eq!(scene.arrived(), 2);
}
