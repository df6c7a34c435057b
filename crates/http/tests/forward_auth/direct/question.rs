//! Which request is asked about: exactly the configured proxy's header set is read (K05, K06).

use countersign_core::domain::event::EventName;
use countersign_http::ForwardingProxy;
use countersign_http::ForwardingProxy::{Caddy, Envoy, Haproxy, Nginx, Traefik};
use countersign_testkit::{PASSWORD, Sender};

use crate::proxy::SECRET;
use crate::scene::{ADA, Desk};

const ALL: [ForwardingProxy; 5] = [Nginx, Caddy, Haproxy, Traefik, Envoy];

/// The same verdicts in the words of each of the five proxies. Traefik and Envoy are not run for real.
#[tokio::test]
async fn each_proxy_gets_the_same_verdicts() {
    for proxy in ALL {
        let desk = Desk::new(proxy).await;
        let browser = desk.site.signed_in(ADA).await;
        let answer = desk.ask(&browser, "GET", "/a?x=1").expect_status(200).await;
        assert!(answer.header("countersign-assertion").is_some(), "{proxy:?}");
        desk.ask(&browser, "GET", "/admin/a").expect(403, "insufficient_scope").await;
        desk.ask(&browser, "POST", "/form/a").expect(403, "csrf_failed").await;
        let nobody = desk.site.client();
        desk.ask(&nobody, "GET", "/a").expect(401, "token_missing").await;
        desk.ask(&nobody, "GET", "/a?x=/open/").expect(401, "token_missing").await;
        let open = desk.ask(&nobody, "POST", "/open/a").expect_status(200).await;
        assert!(open.header("x-auth-user").is_none(), "{proxy:?}");
    }
}

/// K05: a header that another proxy would set is a client's: the question is refused, whatever it says.
#[tokio::test]
async fn k05_a_header_of_another_set_is_400() {
    let original = ["x-original-method", "x-original-uri", "x-original-url"];
    let forwarded = ["x-forwarded-method", "x-forwarded-uri", "x-forwarded-host"];
    let nobodys = ["x-rewrite-url", "x-forwarded-path"];
    for (proxy, foreign) in [
        (Nginx, &forwarded),
        (Caddy, &original),
        (Haproxy, &original),
        (Traefik, &original),
        (Envoy, &original),
        (Envoy, &forwarded),
    ] {
        let desk = Desk::new(proxy).await;
        let browser = desk.site.signed_in(ADA).await;
        for name in foreign.iter().chain(&nobodys) {
            let asked = desk.ask(&browser, "GET", "/a").header(name, "/open/a");
            asked.expect(400, "invalid_request").await.sets_no_cookie();
        }
        let events = desk.site.events().await;
        let found = events.iter().any(|e| &*e.reason == "forward_auth_headers");
        assert!(
            found,
            "{proxy:?}: {:?}",
            desk.site.event_names().await.contains(&EventName::InputValidationFail)
        );
    }
}

#[tokio::test]
async fn questions_about_nothing_are_400() {
    let desk = Desk::new(Nginx).await;
    let browser = desk.site.client();
    let bare = || browser.get("/auth/verify").header("countersign-forward-auth", SECRET);
    bare().expect(400, "invalid_request").await;
    bare().header("x-original-uri", "/open/a").expect(400, "invalid_request").await;
    bare().header("x-original-method", "GET").expect(400, "invalid_request").await;
    desk.ask(&browser, "GET", "/open/a").header("x-original-uri", "/a").expect(400, "invalid_request").await;
    desk.ask(&browser, "GET", "/a#/open/a").expect(400, "invalid_request").await;
}

/// K05: what the application will see is matched, in every reading of it.
#[tokio::test]
async fn k05_no_spelling_of_a_path_is_exempt() {
    for proxy in ALL {
        let desk = Desk::new(proxy).await;
        let nobody = desk.site.client();
        for target in [
            "/a?x=/open/",
            "/a?/open/",
            "/open",
            "/open/../a",
            "/open/%2e%2e/a",
            "/open/..%2fa",
            "/open/..;/a",
            "/open%2fa",
            "//open/a",
            "/open//../a",
            "/a/../hook",
            "/hook;x",
            "/hook/",
            "/hook%2f",
            "/%68ook",
            "/./hook",
            "/HOOK",
        ] {
            let answer = desk.ask(&nobody, "GET", target).send().await;
            // Envoy's go to the browser as they are.
            let refused = if proxy == Envoy { &[401, 404][..] } else { &[401, 403] };
            assert!(refused.contains(&answer.status().as_u16()), "{proxy:?} {target}: {}", answer.status());
        }
        for target in ["/open/a", "/hook", "/hook?x=/a", "/open/a%20b"] {
            desk.ask(&nobody, "GET", target).expect_status(200).await;
        }
    }
}

/// C07: the method that is asked about counts, not the question's own; those that nobody supports do not pass.
#[tokio::test]
async fn c07_methods() {
    let desk = Desk::new(Nginx).await;
    let browser = desk.site.signed_in(ADA).await;
    let foreign = |method| desk.ask(&browser, method, "/a").sender(Sender::ForeignFetch);
    let all = countersign_testkit::Cookies::All;
    foreign("POST").cookies(all.clone()).expect(403, "origin_denied").await;
    foreign("GET").cookies(all).expect(401, "token_missing").await;
    for method in ["TRACE", "CONNECT", "get", "BREW"] {
        desk.ask(&browser, method, "/open/a").expect_status(403).await;
        desk.ask_for_client(&browser, method, "/open/a").expect_status(405).await;
    }
}

/// K06: what a request says about itself lets nobody in.
#[tokio::test]
async fn k06_neither_user_agent_nor_internal_headers_decide() {
    for proxy in ALL {
        let desk = Desk::new(proxy).await;
        let probe = desk.site.client().agent("kube-probe/1.30");
        for (name, value) in [
            ("user-agent", "GoogleHC/1.0"),
            ("user-agent", "ELB-HealthChecker/2.0"),
            ("x-middleware-subrequest", "middleware:middleware"),
            ("x-internal", "true"),
            ("x-real-ip", "127.0.0.1"),
            ("x-forwarded-prefix", "/open"),
            ("x-auth-user", "root"),
            ("countersign-assertion", "x.y.z"),
            ("content-type", "text/plain"),
        ] {
            desk.ask(&probe, "GET", "/a").header(name, value).expect(401, "token_missing").await;
        }
    }
}

/// K09: the host that the browser asked for must be ours.
#[tokio::test]
async fn k09_another_host_does_not_pass() {
    for proxy in ALL {
        let desk = Desk::new(proxy).await;
        let browser = desk.site.signed_in(ADA).await;
        for host in ["evil.example", "app.example.com.evil.example", "app.example.com:8443", ""] {
            let named = if matches!(proxy, Nginx | Envoy) { "host" } else { "x-forwarded-host" };
            let mut asked = desk.ask(&browser, "GET", "/open/a").without_header("x-forwarded-host");
            if named == "host" && host.is_empty() {
                continue;
            }
            asked = match proxy {
                Nginx | Envoy => asked.header("host", host),
                _ => browser
                    .get("/auth/verify")
                    .header("countersign-forward-auth", SECRET)
                    .header("x-forwarded-method", "GET")
                    .header("x-forwarded-uri", "/open/a")
                    .header("x-forwarded-host", host),
            };
            asked.expect(if proxy == Envoy { 421 } else { 403 }, "invalid_request").await;
        }
    }
    // Traefik asks at the address that it knows us by.
    let desk = Desk::new(Traefik).await;
    let browser = desk.site.client();
    desk.ask(&browser, "GET", "/open/a").header("host", "countersign:8080").expect_status(200).await;
    // ingress-nginx names the whole URL.
    let desk = Desk::new(Nginx).await;
    for (url, status) in [("https://app.example.com/open/a", 200), ("https://evil.example/open/a", 403)] {
        let asked = desk.site.client().get("/auth/verify").header("countersign-forward-auth", SECRET);
        asked.header("x-original-method", "GET").header("x-original-url", url).expect_status(status).await;
    }
}

/// Our own end points are not the application's: a proxy that asks about them is told no, even for a path that only looks like one.
#[tokio::test]
async fn our_own_paths_do_not_pass() {
    let desk = Desk::new(Nginx).await;
    let browser = desk.site.client();
    browser.csrf().await;
    desk.site.add_user(ADA, &[]).await;
    browser.log_in(ADA, PASSWORD).await.expect_status(200);
    for target in ["/auth", "/auth/login", "/auth/verify", "/auth/../a", "/.well-known/jwks.json"] {
        desk.ask(&browser, "GET", target).expect(403, "not_found").await;
    }
}
