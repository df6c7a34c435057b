//! Headers of proxies in front of us, and of the answers of upstreams behind us.

use std::net::{IpAddr, Ipv4Addr};

use countersign_proxy::client_ip::{Trusted, resolve};
use countersign_proxy::hygiene::{clean_response, hop_by_hop};
use countersign_proxy::{Origin, PublicOrigin, rewrite_location};
use http::HeaderMap;
use http::header::{HeaderName, HeaderValue, LOCATION};
use url::Url;

/// Forwarding headers, one value a line: nothing is heard from a peer that is not trusted, and nothing that a client writes to the left
/// of what a trusted hop vouched for changes who it is (K04).
pub fn forwarded(data: &[u8]) {
    let values: Vec<HeaderValue> =
        data.split(|b| *b == b'\n').filter_map(|line| HeaderValue::from_bytes(line).ok()).collect();
    let proxy = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
    let stranger = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9));
    assert_eq!(resolve(stranger, &values, &Trusted::Private), stranger);
    assert_eq!(resolve(proxy, &values, &Trusted::Nobody), proxy);
    let client = resolve(proxy, &values, &Trusted::Private);
    assert_eq!(client, client.to_canonical(), "one address, two spellings");
    if Trusted::Private.contains(client) {
        return;
    }
    for written in ["127.0.0.1", "192.0.2.1", "unknown, ::1", "\"", ","] {
        let mut more = vec![HeaderValue::from_static(written)];
        more.extend(values.iter().cloned());
        assert_eq!(resolve(proxy, &more, &Trusted::Private), client, "the client chose its own address");
        let Some(first) = values.first() else { continue };
        let joined = [written.as_bytes(), b",", first.as_bytes()].concat();
        let Ok(joined) = HeaderValue::from_bytes(&joined) else { continue };
        if let Some(place) = more.get_mut(1) {
            *place = joined;
        }
        let joined = more.get(1..).unwrap_or_default();
        assert_eq!(resolve(proxy, joined, &Trusted::Private), client, "the client chose its own address");
    }
}

/// Heads of an upstream's answers: what is meant for one connection does not pass, and a `Location` that is rewritten had named the
/// upstream and then names us (K03).
pub fn answer(data: &[u8]) {
    let mut headers = HeaderMap::new();
    let mut fields = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Response::new(&mut fields);
    if !matches!(head.parse(data), Ok(httparse::Status::Complete(_))) {
        return;
    }
    for field in head.headers.iter() {
        let (name, value) =
            (HeaderName::from_bytes(field.name.as_bytes()), HeaderValue::from_bytes(field.value));
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    clean_response(&mut headers);
    assert!(!headers.keys().any(|name| hop_by_hop(name.as_str())), "a hop-by-hop field passes");
    let cleaned = headers.clone();
    clean_response(&mut headers);
    assert_eq!(headers, cleaned, "not settled");

    let (Ok(upstream), Ok(public)) =
        (Origin::parse("http://127.0.0.1:3000"), PublicOrigin::parse("https://app.example.com"))
    else {
        unreachable!("both are origins")
    };
    rewrite_location(&mut headers, &upstream, &public);
    let (before, after) = (cleaned.get(LOCATION), headers.get(LOCATION));
    if before == after {
        return;
    }
    let read = |base: &str, value: Option<&HeaderValue>| {
        Url::parse(base).ok()?.join(value?.to_str().ok()?).ok().map(|url| url.origin().ascii_serialization())
    };
    let named = read("http://127.0.0.1:3000", before);
    assert!(
        named.is_none_or(|origin| origin == "http://127.0.0.1:3000"),
        "it named somebody else: {before:?}"
    );
    let names = read("https://app.example.com", after);
    assert!(names.is_none_or(|origin| origin == "https://app.example.com"), "it leads elsewhere: {after:?}");
}
