use super::*;

fn headers(lines: &[(&str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in lines {
        map.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    map
}

fn names(map: &HeaderMap) -> Vec<&str> {
    let mut names: Vec<_> = map.keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    names
}

/// K01: identity headers never pass, whatever their spelling and however often.
#[test]
fn k01_identity_headers_are_removed() {
    let mut map = headers(&[
        ("X-Auth-User", "root"),
        ("x_auth_user", "root"),
        ("x-auth-user", "twice"),
        ("Countersign-Assertion", "ey"),
        ("Remote_User", "root"),
        ("X-Forwarded-For", "1.2.3.4"),
        ("X-Forwarded-Prefix", "/admin"),
        ("Forwarded", "for=1.2.3.4"),
        ("X-Original-URL", "/admin"),
        ("Proxy", "http://evil"),
        ("Accept", "*/*"),
    ]);
    clean_request(&mut map, &Protected::new(["Remote-User"]));
    assert_eq!(names(&map), ["accept"]);
}

/// K03: a nomination removes what the client sent, never what is added later, and never a protected name.
#[test]
fn k03_connection_nominates_only_inbound_and_unprotected_headers() {
    let mut map = headers(&[
        ("Connection", "X-Custom, X-User"),
        ("Connection", "Authorization, Cookie, Host, Origin, Sec-Fetch-Site, Content-Length, close"),
        ("X-Custom", "1"),
        ("Authorization", "Basic x"),
        ("Cookie", "a=b"),
        ("Host", "app"),
        ("Origin", "https://app"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Content-Length", "3"),
    ]);
    clean_request(&mut map, &Protected::default());
    assert_eq!(
        names(&map),
        ["authorization", "content-length", "cookie", "host", "origin", "sec-fetch-site"]
    );
    map.insert("x-user", HeaderValue::from_static("alice"));
    assert_eq!(map.get("x-user").unwrap(), "alice", "nothing remembers the nomination");
}

#[test]
fn hop_by_hop_headers_are_removed_and_remembered() {
    let mut map = headers(&[
        ("Connection", "keep-alive, Upgrade"),
        ("Upgrade", "websocket"),
        ("TE", "gzip, trailers;q=0.5"),
        ("Keep-Alive", "timeout=5"),
        ("Proxy-Connection", "keep-alive"),
        ("Proxy-Authorization", "Basic x"),
        ("Transfer-Encoding", "chunked"),
        ("Trailer", "x-checksum"),
    ]);
    let cleaned = clean_request(&mut map, &Protected::default());
    assert_eq!(names(&map), ["trailer"]);
    assert!(cleaned.trailers);
    assert!(cleaned.wants_upgrade() && cleaned.wants_protocol("WebSocket"));
}

/// An `h2c` upgrade would carry later requests past every check.
#[test]
fn upgrades_to_http_itself_are_not_passed_on() {
    for (offer, kept) in [
        ("h2c", None),
        ("HTTP/2.0", None),
        ("TLS/1.3", None),
        ("h2c, websocket", Some("websocket")),
        ("tcp", Some("tcp")),
    ] {
        let mut map = headers(&[
            ("Connection", "Upgrade, HTTP2-Settings"),
            ("Upgrade", offer),
            ("HTTP2-Settings", "A"),
        ]);
        let cleaned = clean_request(&mut map, &Protected::default());
        assert_eq!(cleaned.upgrade.as_ref().map(|v| v.to_str().unwrap()), kept, "{offer}");
        assert!(map.is_empty());
    }
}

#[test]
fn an_upgrade_header_without_connection_is_no_upgrade() {
    let mut map = headers(&[("Upgrade", "websocket")]);
    assert!(!clean_request(&mut map, &Protected::default()).wants_upgrade());
    assert!(map.is_empty());
}

#[test]
fn responses_lose_hop_by_hop_and_nominated_headers() {
    let mut map = headers(&[
        ("Connection", "x-hop, set-cookie"),
        ("X-Hop", "1"),
        ("Keep-Alive", "timeout=5"),
        ("Transfer-Encoding", "chunked"),
        ("Set-Cookie", "a=b"),
        ("Set-Cookie", "c=d"),
        ("Content-Type", "text/plain"),
    ]);
    clean_response(&mut map);
    assert_eq!(names(&map), ["content-type", "set-cookie"]);
    assert_eq!(map.get_all("set-cookie").iter().count(), 2);
}

/// K01: trailers are no way round the filter.
#[test]
fn k01_trailers_carry_no_identity_and_no_framing() {
    let mut map = headers(&[
        ("X-Auth-User", "root"),
        ("Countersign-Assertion", "ey"),
        ("Set-Cookie", "a=b"),
        ("Content-Length", "5"),
        ("Secure-Session-Id", "x"),
        ("Grpc-Status", "0"),
    ]);
    clean_trailers(&mut map, &Protected::default());
    assert_eq!(names(&map), ["grpc-status"]);
}

/// K04: what we say about the client replaces what it says about itself.
#[test]
fn k04_forwarded_headers_come_from_us() {
    let mut map = headers(&[("x-forwarded-for", "6.6.6.6")]);
    let public = PublicOrigin::parse("https://app.example.com:8443").unwrap();
    set_forwarded(&mut map, "::ffff:192.0.2.7".parse().unwrap(), &public);
    assert_eq!(map["x-forwarded-for"], "192.0.2.7");
    assert_eq!(map["x-forwarded-proto"], "https");
    assert_eq!(map["x-forwarded-host"], "app.example.com:8443");
    assert_eq!(map["x-forwarded-port"], "8443");
}
