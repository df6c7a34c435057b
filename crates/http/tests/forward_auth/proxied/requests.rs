//! What reaches the application through a real proxy, and what comes back.

use countersign_core::domain::cookie::CookieKind;
use countersign_testkit::Sender;

use crate::proxy::{Kind, SECRET};
use crate::scene::{ADA, HOST, Scene, before_each_proxy};

before_each_proxy! {
    requests_arrive_with_their_user
    k01_nobody_speaks_for_countersign
    k03_connection_takes_nobody_away
    answers_come_back_whole
    bodies_and_forms
    other_credentials_pass
    large_heads_pass
    heads_of_many_fields_do_no_harm
    websockets
}

/// Headers that nobody but Countersign may send to the application, as clients might spell them.
const SPOKEN_FOR: [&str; 10] = [
    "Countersign-Assertion",
    "countersign_assertion",
    "X-Auth-User",
    "x_auth_user",
    "X-Auth_User",
    "X-Auth-Email",
    "x_auth_email",
    "X-Auth-Session",
    "X-Auth-Scopes",
    "X_Auth-Scopes",
];

async fn requests_arrive_with_their_user(kind: Kind) {
    let scene = Scene::behind(kind).await;
    let browser = scene.browser().await;
    let user = browser.get("/auth/session").expect_status(200).await.json();
    assert!(scene.upstream.seen().is_empty(), "our own pages are ours");
    let header =
        browser.cookies().iter().map(|c| format!("{}={}", c.name, c.value)).collect::<Vec<_>>().join("; ");
    let answer = browser.get("/a/b?x=1&y=%2f").header("cookie", format!("theme=dark; {header}; sid=1"));
    answer.expect_status(200).await.sets_no_cookie();
    let seen = scene.arrived(0);
    assert_eq!(seen.target, "/a/b?x=1&y=%2f");
    assert_eq!(seen.header("x-auth-user").as_deref(), user["user"]["id"].as_str());
    assert_eq!(seen.header("x-auth-email").as_deref(), Some(ADA));
    assert_eq!(seen.header("x-auth-session").as_deref(), user["session"]["id"].as_str());
    assert_eq!(seen.header("x-auth-scopes"), None);
    assert_eq!(seen.header("countersign-assertion").unwrap().split('.').count(), 3);
    // B09: the application's own cookies, and none of ours.
    assert_eq!(seen.header("cookie").as_deref(), Some("theme=dark; sid=1"));
    assert_eq!(seen.header("host").as_deref(), Some(HOST));
    assert_eq!(seen.header("x-forwarded-proto").as_deref(), Some("https"));
    assert_eq!(seen.header("x-forwarded-for").as_deref(), Some("127.0.0.1"));

    browser.get("/a").expect_status(200).await;
    let seen = scene.arrived(1);
    assert_eq!(seen.header("cookie"), None, "nothing but ours");
    let all = format!("{:?}", seen.headers);
    for name in CookieKind::SESSION.map(|kind| scene.name(kind)) {
        assert!(!all.contains(&name), "{name}: {all}");
    }
}

/// One request must not end the proxy for everybody: HAProxy's own client writes beyond its room for fields.
async fn heads_of_many_fields_do_no_harm(kind: Kind) {
    let scene = Scene::behind(kind).await;
    let browser = scene.browser().await;
    for fields in [60, 75, 85, 92, 95, 99, 101, 140] {
        let mut request = browser.get("/a");
        for n in 0..fields {
            request = request.header(&format!("x-more-{n}"), "1");
        }
        let status = request.send().await.status().as_u16();
        assert!([200, 400, 431].contains(&status), "{fields}: {status}");
    }
    browser.get("/a").expect_status(200).await;
}

/// K01: on every kind of route, in every spelling; the secret and what names the request stay between the two proxies.
async fn k01_nobody_speaks_for_countersign(kind: Kind) {
    let scene = Scene::behind(kind).await;
    let browser = scene.browser().await;
    let nobody = scene.client();
    let named = [
        "X-Real-IP",
        "Forwarded",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Rewrite-URL",
        "X-Original-Host",
        "X-Forwarded-User",
        "X-Forwarded-Email",
        "X-Forwarded-Groups",
        "X-Forwarded-Access-Token",
        "Countersign-Session",
    ];
    for (n, (client, target)) in
        [(&browser, "/a"), (&browser, "/open/a"), (&nobody, "/open/a"), (&nobody, "/maybe/a")]
            .into_iter()
            .enumerate()
    {
        let mut request = client.get(target);
        for name in SPOKEN_FOR.into_iter().chain(named) {
            request = request.header(name, "evil");
        }
        request = request.header("countersign-forward-auth", SECRET);
        request.expect_status(200).await;
        let seen = scene.arrived(n);
        let all = format!("{:?}", seen.headers);
        assert!(!all.contains("evil") && !all.contains(SECRET), "{target}: {all}");
        assert!(!seen.headers.keys().any(|name| name.as_str().starts_with("x-original")), "{all}");
        assert_eq!(seen.header("x-auth-user").is_some(), target == "/a", "{all}");
        assert_eq!(seen.headers.contains_key("countersign-assertion"), target == "/a", "{all}");
    }
}

/// K03: `Connection` names what a client wants dropped on the way; what Countersign says is not the client's (CVE-2024-45410).
async fn k03_connection_takes_nobody_away(kind: Kind) {
    let scene = Scene::behind(kind).await;
    let browser = scene.browser().await;
    let nominated = "X-Auth-User, Countersign-Assertion, X-Auth-Session, X-Forwarded-Proto";
    for (n, connection) in
        [nominated, "keep-alive, X-Auth-User, Cookie", "X-Forwarded-Uri"].into_iter().enumerate()
    {
        browser.get("/a").header("connection", connection).expect_status(200).await;
        let seen = scene.arrived(n);
        for name in ["x-auth-user", "countersign-assertion", "x-auth-session", "x-forwarded-proto"] {
            assert!(seen.headers.contains_key(name), "{connection}: {name} in {:?}", seen.headers);
        }
        // Nor may it tell the next hop to.
        let passed = seen.header("connection").unwrap_or_default().to_ascii_lowercase();
        assert!(!passed.contains("x-"), "{connection}: {passed}");
    }
}

/// J04: what depends on a session is kept by nobody; all else is as the application said, cookies one by one.
async fn answers_come_back_whole(kind: Kind) {
    let scene = Scene::behind(kind).await;
    let browser = scene.browser().await;
    let knobs = "header=set-cookie:a%3D1&header=set-cookie:b%3D2%3B%20Path%3D/&header=cache-control:public%2C%20max-age%3D60&header=etag:%22x%22";
    let answer = browser.get(&format!("/a?{knobs}")).expect_status(200).await;
    let names: Vec<String> = answer.set_cookies().into_iter().map(|c| c.name).collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"));
    assert_eq!(answer.header("etag").as_deref(), Some("\"x\""));
    assert!(answer.header("vary").unwrap().contains("Cookie"));
    assert_eq!(answer.header("countersign-assertion"), None);

    let answer = scene.client().get(&format!("/open/a?{knobs}")).expect_status(200).await;
    assert_eq!(answer.header("cache-control").as_deref(), Some("public, max-age=60"));
    assert_eq!(answer.header("vary"), None);

    // Refusals of the application's own are its own.
    for status in [401, 403, 404, 500] {
        let answer = browser.get(&format!("/a?status={status}")).expect_status(status).await;
        assert_eq!(answer.header("content-type").as_deref(), Some("application/json"), "{status}");
        assert_eq!(answer.code(), "", "{status}");
    }
    let large = browser.get("/big?bytes=300000").expect_status(200).await;
    assert_eq!(large.body().len(), 300_000);
}

/// The question takes the head; the body goes to the application, and the CSRF token counts in the header.
async fn bodies_and_forms(kind: Kind) {
    let scene = Scene::behind(kind).await;
    let browser = scene.browser().await;
    let body = "x".repeat(200_000);
    let answer =
        browser.request(http::Method::PUT, "/a").body("text/plain", body.clone()).expect_status(200).await;
    assert_eq!(
        (answer.json()["method"].as_str(), answer.json()["body"].as_str()),
        (Some("PUT"), Some(body.as_str()))
    );
    browser.post("/form/a").form(&[("a", "1")]).expect(403, "csrf_failed").await;
    let answer = browser.post("/form/a").form(&[("a", "1")]).with_csrf().expect_status(200).await;
    assert_eq!(answer.json()["body"], "a=1");
    let foreign = browser.post("/a").sender(Sender::ForeignFetch).cookies(countersign_testkit::Cookies::All);
    foreign.json(&serde_json::json!({})).expect(403, "origin_denied").await;
    assert_eq!(scene.upstream.seen().len(), 2);
}

async fn other_credentials_pass(kind: Kind) {
    let scene = Scene::behind(kind).await;
    let browser = scene.browser().await;
    browser.get("/a").header("authorization", "Basic YTpi").expect_status(200).await;
    assert_eq!(scene.arrived(0).header("authorization").as_deref(), Some("Basic YTpi"));
    let access = browser.cookie(CookieKind::Access).unwrap();
    let program = scene.client();
    program.post("/a").bearer(&access).expect_status(200).await;
    let seen = scene.arrived(1);
    assert_eq!(seen.header("authorization"), None);
    assert!(seen.header("x-auth-user").is_some());
    program.get("/open/a").bearer(&access).expect_status(200).await;
    assert_eq!(scene.arrived(2).header("authorization"), None);
    program.get("/a").bearer("nonsense").expect(401, "token_invalid").await;
}

/// The answer to the question repeats the cookies: it must fit.
async fn large_heads_pass(kind: Kind) {
    let scene = Scene::behind(kind).await;
    let browser = scene.browser().await;
    let ours: Vec<String> = browser.cookies().iter().map(|c| format!("{}={}", c.name, c.value)).collect();
    let large = format!("large={}", "x".repeat(6000));
    browser.get("/a").header("cookie", format!("{}; {large}", ours.join("; "))).expect_status(200).await;
    assert_eq!(scene.arrived(0).header("cookie"), Some(large));
}

/// K10: the handshake passes, from an allowed origin only.
async fn websockets(kind: Kind) {
    let scene = Scene::behind(kind).await;
    let browser = scene.browser().await;
    let open = |origin: &str| {
        browser
            .get("/ws")
            .sender(Sender::Bare)
            .header("connection", "Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
            .header("origin", origin)
    };
    for origin in ["https://evil.example", "null"] {
        open(origin).expect_status(403).await;
    }
    assert!(scene.upstream.seen().is_empty());
    let answer = open(&format!("https://{HOST}")).open().await;
    assert_eq!(answer.status(), 101);
    assert!(scene.arrived(0).header("x-auth-user").is_some());
}
