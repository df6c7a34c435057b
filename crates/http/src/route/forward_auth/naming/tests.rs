use super::*;
use ForwardingProxy::{Caddy, Envoy, Haproxy, Nginx, Traefik};

fn question(method: &str, target: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = http::Request::builder().method(method).uri(target);
    for (name, value) in headers {
        request = request.header(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    request.body(()).unwrap().into_parts().0
}

fn outcome(proxy: ForwardingProxy, parts: Parts) -> Result<(String, String, String), Misnamed> {
    match named(proxy, parts) {
        Ok(Named { parts, host }) => Ok((parts.method.to_string(), parts.uri.to_string(), host)),
        Err((misnamed, _)) => Err(misnamed),
    }
}

fn asked(proxy: ForwardingProxy, headers: &[(&str, &str)]) -> Result<(String, String, String), Misnamed> {
    outcome(proxy, question("GET", "/auth/verify", headers))
}

const ORIGINAL: [(&str, &str); 3] =
    [("host", "a.example"), ("x-original-method", "PUT"), ("x-original-uri", "/x?y=1")];
const FORWARDED: [(&str, &str); 4] = [
    ("host", "countersign:8080"),
    ("x-forwarded-method", "PUT"),
    ("x-forwarded-uri", "/x?y=1"),
    ("x-forwarded-host", "a.example"),
];

fn put() -> Result<(String, String, String), Misnamed> {
    Ok(("PUT".into(), "/x?y=1".into(), "a.example".into()))
}

fn with<'a>(base: &[(&'a str, &'a str)], more: (&'a str, &'a str)) -> Vec<(&'a str, &'a str)> {
    base.iter().copied().chain([more]).collect()
}

fn without<'a>(base: &[(&'a str, &'a str)], name: &str) -> Vec<(&'a str, &'a str)> {
    base.iter().copied().filter(|(n, _)| *n != name).collect()
}

#[test]
fn each_proxy_is_understood_in_its_own_words() {
    assert_eq!(asked(Nginx, &ORIGINAL), put());
    for proxy in [Caddy, Haproxy, Traefik] {
        assert_eq!(asked(proxy, &FORWARDED), put(), "{proxy:?}");
    }
    let envoy = question("PUT", "/auth/verify/x?y=1", &[("host", "a.example")]);
    assert_eq!(outcome(Envoy, envoy), put());
    let mut second = question("PUT", "https://a.example/auth/verify/x?y=1", &[]);
    second.version = Version::HTTP_2;
    assert_eq!(outcome(Envoy, second), put());
    let url = [("host", "countersign"), ("x-original-method", "PUT")];
    assert_eq!(asked(Nginx, &with(&url, ("x-original-url", "https://a.example/x?y=1"))), put());
}

/// K05: what another proxy would set is what a client sent through this one.
#[test]
fn k05_headers_of_another_set_are_refused() {
    let bases = [(Nginx, &ORIGINAL[..]), (Caddy, &FORWARDED), (Haproxy, &FORWARDED), (Traefik, &FORWARDED)];
    for (proxy, base) in bases {
        for (name, _) in NAMING.iter().filter(|(_, family)| *family != proxy.family()) {
            let got = asked(proxy, &with(base, (name, "/public")));
            assert_eq!(got, Err(Misnamed::Foreign), "{proxy:?} {name}");
        }
    }
    for (name, family) in NAMING {
        let parts = question("GET", "/auth/verify/x", &[("host", "a.example"), (name, "/public")]);
        let refused = outcome(Envoy, parts) == Err(Misnamed::Foreign);
        assert_eq!(refused, family != Family::Envoy, "{name}");
    }
    let both = with(&ORIGINAL, ("x-original-url", "https://a.example/public"));
    assert_eq!(asked(Nginx, &both), Err(Misnamed::Foreign));
}

/// K01, K05: many servers take `X_Forwarded_Uri` for `X-Forwarded-Uri`.
#[test]
fn k01_other_spellings_are_refused() {
    for name in ["x_original_uri", "x-original_uri", "x.original.method"] {
        assert_eq!(asked(Nginx, &with(&ORIGINAL, (name, "/public"))), Err(Misnamed::Foreign), "{name}");
    }
    for name in ["x_forwarded_uri", "x-forwarded_host"] {
        assert_eq!(asked(Caddy, &with(&FORWARDED, (name, "/public"))), Err(Misnamed::Foreign), "{name}");
    }
}

#[test]
fn each_name_is_needed_once() {
    for (name, value) in ORIGINAL {
        assert_eq!(asked(Nginx, &without(&ORIGINAL, name)), Err(Misnamed::Count), "{name}");
        assert_eq!(asked(Nginx, &with(&ORIGINAL, (name, value))), Err(Misnamed::Count), "{name} twice");
    }
    for (name, value) in FORWARDED.into_iter().skip(1) {
        assert_eq!(asked(Traefik, &without(&FORWARDED, name)), Err(Misnamed::Count), "{name}");
        assert_eq!(asked(Traefik, &with(&FORWARDED, (name, value))), Err(Misnamed::Count), "{name} twice");
    }
}

/// K05: a target is a path as it came, and nothing that servers cut in different places.
#[test]
fn k05_targets_that_cannot_be_read() {
    let to = |target| {
        let base = without(&ORIGINAL, "x-original-uri");
        asked(Nginx, &with(&base, ("x-original-uri", target))).map(|(_, target, _)| target)
    };
    for bad in ["", "?x=/public", "x", "*", "http://a.example/x", "/x#/public", "/x y", "/\u{e9}"] {
        assert_eq!(to(bad), Err(Misnamed::Unreadable), "{bad:?}");
    }
    for kept in ["/", "//x", "/a/../b", "/a%2fb", "/a;b", "/x?y=/public", "/%23"] {
        assert_eq!(to(kept).as_deref(), Ok(kept), "as it came");
    }
    for method in ["", "GE T", "GET,POST"] {
        let base = without(&ORIGINAL, "x-original-method");
        let got = asked(Nginx, &with(&base, ("x-original-method", method)));
        assert_eq!(got, Err(Misnamed::Unreadable), "{method:?}");
    }
}

#[test]
fn nothing_that_named_the_request_stays_in_it() {
    let headers = with(&ORIGINAL, ("countersign-forward-auth", "secret"));
    let named = named(Nginx, question("GET", "/auth/verify", &headers)).unwrap();
    assert_eq!(named.parts.headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["host"]);
}

/// K10: proxies do not pass `Upgrade` on, so a WebSocket is known by what browsers cannot leave out.
#[test]
fn k10_websockets_are_known_without_upgrade() {
    for name in ["sec-websocket-key", "sec-websocket-version"] {
        let named = named(Nginx, question("GET", "/auth/verify", &with(&ORIGINAL, (name, "13")))).unwrap();
        assert!(crate::wire::request::provenance(&named.parts).websocket, "{name}");
    }
    let plain = named(Nginx, question("GET", "/auth/verify", &ORIGINAL)).unwrap();
    assert!(!crate::wire::request::provenance(&plain.parts).websocket);
}
