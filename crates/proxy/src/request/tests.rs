use bytes::Bytes;
use http::Request;

use super::*;
use crate::{Origin, Protected, PublicOrigin, Timeouts, hygiene};

fn run(request: Request<()>, body: &Body, host: HostHeader) -> Result<(Parts, bool), BadRequest> {
    let (mut parts, ()) = request.into_parts();
    let mut config = UpstreamConfig::new("app", Origin::parse("http://127.0.0.1:3000").unwrap());
    config.host = host;
    let public = PublicOrigin::parse("https://app.example.com").unwrap();
    let cleaned = hygiene::clean_request(&mut parts.headers, &Protected::default());
    let mut context = ForwardContext {
        cleaned,
        client: [192, 0, 2, 7].into(),
        public: &public,
        timeouts: Timeouts::default(),
        live: None,
    };
    prepare(&mut parts, body, &config, &mut context).map(|upgrade| (parts, upgrade))
}

fn get(uri: &str) -> http::request::Builder {
    Request::get(uri)
}

#[test]
fn http2_requests_become_origin_form_with_host_and_one_cookie() {
    let request = get("https://app.example.com/a?b")
        .version(Version::HTTP_2)
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .body(())
        .unwrap();
    let (parts, upgrade) = run(request, &Body::empty(), HostHeader::Preserve).unwrap();
    assert_eq!((parts.uri.to_string().as_str(), parts.version, upgrade), ("/a?b", Version::HTTP_11, false));
    assert_eq!(parts.headers["host"], "app.example.com");
    assert_eq!(parts.headers.get_all("cookie").iter().collect::<Vec<_>>(), ["a=1; b=2"]);
    assert!(
        !parts.headers.contains_key("content-length") && !parts.headers.contains_key("transfer-encoding")
    );
}

#[test]
fn host_can_be_the_upstreams() {
    let request = get("/").header("host", "app.example.com").body(()).unwrap();
    let (parts, _) = run(request, &Body::empty(), HostHeader::Upstream).unwrap();
    assert_eq!(parts.headers["host"], "127.0.0.1:3000");
    assert_eq!(parts.headers["x-forwarded-host"], "app.example.com");
}

/// K07: two hosts in one request are two routes.
#[test]
fn k07_ambiguous_hosts_and_targets_are_refused() {
    let bad = |request: http::request::Builder| {
        run(request.body(()).unwrap(), &Body::empty(), HostHeader::Preserve)
    };
    assert_eq!(bad(get("/")).unwrap_err(), BadRequest::Host);
    assert_eq!(bad(get("/").header("host", "")).unwrap_err(), BadRequest::Host);
    assert_eq!(bad(get("/").header("host", "a").header("host", "a")).unwrap_err(), BadRequest::Host);
    assert_eq!(bad(get("http://a/").header("host", "b")).unwrap_err(), BadRequest::Host);
    assert_eq!(bad(get("http://u@a/")).unwrap_err(), BadRequest::Host);
    assert_eq!(bad(get("*").header("host", "a")).unwrap_err(), BadRequest::Target);
    assert_eq!(bad(get("a:80").header("host", "a:80")).unwrap_err(), BadRequest::Target);
    assert!(bad(Request::options("*").header("host", "a")).is_ok());
    assert!(bad(get("/").version(Version::HTTP_10)).is_ok());
}

#[test]
fn k09_connect_and_trace_are_refused() {
    for method in [Method::CONNECT, Method::TRACE] {
        let request = Request::builder().method(&method).uri("/").header("host", "a").body(()).unwrap();
        let refused = run(request, &Body::empty(), HostHeader::Preserve).unwrap_err();
        assert_eq!(refused, BadRequest::Method(method));
    }
}

#[test]
fn the_body_decides_the_framing() {
    let with = |length: Option<&str>, body: &Body| {
        let mut request = Request::post("/").header("host", "a");
        if let Some(length) = length {
            request = request.header("content-length", length);
        }
        let (parts, _) = run(request.body(()).unwrap(), body, HostHeader::Preserve).unwrap();
        parts.headers.get("content-length").map(|value| value.to_str().unwrap().to_owned())
    };
    let three = || Body::full(Bytes::from_static(b"abc"));
    assert_eq!(with(None, &three()).as_deref(), Some("3"));
    assert_eq!(with(Some("9"), &three()).as_deref(), Some("3"));
    assert_eq!(with(Some("0"), &Body::empty()).as_deref(), Some("0"));
    assert_eq!(with(Some("7"), &Body::empty()).as_deref(), Some("0"));
    assert_eq!(with(None, &Body::empty()), None);
}

#[test]
fn upgrades_and_trailers_are_asked_for_anew() {
    let ask = |version, body: &Body| {
        let request = get("/")
            .version(version)
            .header("host", "a")
            .header("connection", "Upgrade, X-Drop")
            .header("upgrade", "websocket")
            .header("x-drop", "1")
            .body(())
            .unwrap();
        run(request, body, HostHeader::Preserve).unwrap()
    };
    let (parts, upgrade) = ask(Version::HTTP_11, &Body::empty());
    assert!(upgrade);
    assert_eq!(
        (&parts.headers["connection"], &parts.headers["upgrade"]),
        (&HeaderValue::from_static("upgrade"), &HeaderValue::from_static("websocket"))
    );
    assert!(!parts.headers.contains_key("x-drop"));
    assert!(!ask(Version::HTTP_10, &Body::empty()).1);
    assert!(!ask(Version::HTTP_11, &Body::full(Bytes::from_static(b"x"))).1);

    let request = get("/")
        .header("host", "a")
        .header("te", "trailers")
        .header("expect", "100-continue")
        .body(())
        .unwrap();
    let (parts, _) = run(request, &Body::empty(), HostHeader::Preserve).unwrap();
    assert_eq!(
        (&parts.headers["te"], &parts.headers["connection"]),
        (&HeaderValue::from_static("trailers"), &HeaderValue::from_static("te"))
    );
    assert!(!parts.headers.contains_key("expect"));
}
