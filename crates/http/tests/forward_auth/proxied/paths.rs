//! K05: whatever a path is called on its way through a real proxy, it asks for what the application's path asks for.

use countersign_testkit::Answer;

use crate::proxy::Kind;
use crate::scene::{Scene, before_each_proxy};

before_each_proxy! {
    k05_no_spelling_gets_past
    k05_no_raw_target_gets_past
    k05_no_header_gets_past
    k06_no_claim_gets_past
    open_paths_are_open
}

/// Nobody gets in: refused, or sent to sign in.
fn assert_outside(answer: &Answer, case: &str) {
    let status = answer.status().as_u16();
    assert!([303, 400, 401, 403, 404].contains(&status), "{case}: {status} {}", answer.text());
}

async fn k05_no_spelling_gets_past(kind: Kind) {
    let scene = Scene::behind(kind).await;
    let nobody = scene.client();
    for target in [
        "/a?x=/open/",
        "/a?/open/",
        "/open",
        "/open/../a",
        "/open/./../a",
        "/open/%2e%2e/a",
        "/open/.%2e/a",
        "/open/..%2fa",
        "/open/..%2Fa",
        "/open/..;/a",
        "/open/%252e%252e/a",
        "/open%2fa",
        "//open/a",
        "/open//../a",
        "/open/..//a",
        "/open/..%5ca",
        "/a/../hook",
        "/a/%2e%2e/hook",
        "/hook;x",
        "/hook/",
        "/hook%2f",
        "/%68ook",
        "/./hook",
        "/auth/../a",
        "/auth/..%2fa",
        "/auth//../a",
        "/AUTH/verify",
        "/.well-known/../a",
    ] {
        let answer = nobody.get(target).send().await;
        assert_outside(&answer, target);
        assert!(scene.upstream.seen().is_empty(), "{target}: {:?}", scene.upstream.seen());
    }
}

/// K05: targets that no browser sends: fragments, whole URLs, bytes that are no characters of a URL.
async fn k05_no_raw_target_gets_past(kind: Kind) {
    let scene = Scene::behind(kind).await;
    for target in [
        "/a#/open/",
        "/a#/../open/x",
        "/open/#/../../a",
        "/open/..\\a",
        "/open\\..\\a",
        "https://app.example.com/a",
        "https://app.example.com/open/../a",
        "https://evil.example/open/../a",
        "http://app.example.com?/open/",
        "/open/..%00/a",
        "/open/../\u{e9}",
    ] {
        let text = format!("GET {target} HTTP/1.1\r\nHost: app.example.com\r\nConnection: close\r\n\r\n");
        let answer = scene.raw(&text).await;
        let seen = scene.upstream.seen();
        // What is open in every reading may pass, and as nobody.
        let leaves = |target: &str| target.split(['/', '\\']).any(|segment| segment == "..");
        let closed = seen.iter().filter(|seen| !seen.target.starts_with("/open/") || leaves(&seen.target));
        assert_eq!(closed.count(), 0, "{target}: {seen:?} {answer}");
    }
}

/// K05: what names the request is the proxy's word, not the client's.
async fn k05_no_header_gets_past(kind: Kind) {
    let scene = Scene::behind(kind).await;
    let nobody = scene.client();
    let uris =
        ["x-forwarded-uri", "x-original-uri", "x-rewrite-url", "x-forwarded-path", "x-envoy-original-path"];
    for name in
        uris.into_iter().chain(["x_forwarded_uri", "x_original_uri", "x-forwarded_uri", "X-Original_URI"])
    {
        let answer = nobody.get("/a").header(name, "/open/a").send().await;
        assert_outside(&answer, name);
    }
    for (name, value) in [
        ("x-original-url", "https://app.example.com/open/a"),
        ("x-forwarded-url", "https://app.example.com/open/a"),
        ("x-forwarded-method", "OPTIONS"),
        ("x-original-method", "OPTIONS"),
        ("x-http-method-override", "OPTIONS"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-prefix", "/open"),
    ] {
        let answer = nobody.get("/a").header(name, value).send().await;
        assert_outside(&answer, name);
    }
    // Two of the proxy's own.
    let twice = nobody.get("/a").header("x-original-uri", "/open/a").header("x-forwarded-uri", "/open/a");
    assert_outside(&twice.send().await, "both");
    // Hop by hop (CVE-2024-45410): nothing that the proxy adds is taken away by the client.
    let nominated =
        "X-Original-URI, X-Forwarded-Uri, X-Forwarded-Method, X-Forwarded-Proto, Countersign-Forward-Auth";
    let answer = nobody.get("/a").header("connection", nominated).send().await;
    assert_outside(&answer, "Connection");
    assert!(scene.upstream.seen().is_empty(), "{:?}", scene.upstream.seen());
}

/// K06: neither user agents nor "internal" headers.
async fn k06_no_claim_gets_past(kind: Kind) {
    let scene = Scene::behind(kind).await;
    for (name, value) in [
        ("user-agent", "kube-probe/1.30"),
        ("user-agent", "GoogleHC/1.0"),
        ("x-middleware-subrequest", "middleware:middleware"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-real-ip", "127.0.0.1"),
        ("x-auth-user", "root"),
    ] {
        scene.client().get("/a").header(name, value).expect(401, "token_missing").await;
    }
    assert!(scene.upstream.seen().is_empty());
}

async fn open_paths_are_open(kind: Kind) {
    let scene = Scene::behind(kind).await;
    let nobody = scene.client();
    for (n, target) in ["/open/a", "/hook", "/hook?x=/a", "/open/a%20b?c=d%2fe"].into_iter().enumerate() {
        nobody.post(target).body("text/plain", "hello").expect_status(200).await.sets_no_cookie();
        assert_eq!(scene.arrived(n).target, target);
    }
}
