//! Headers of our own answers (J01-J04).

use http::HeaderMap;
use http::header::{CACHE_CONTROL, HeaderName, HeaderValue, STRICT_TRANSPORT_SECURITY, VARY};

const FIXED: [(HeaderName, HeaderValue); 6] = [
    (HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff")),
    (HeaderName::from_static("x-frame-options"), HeaderValue::from_static("DENY")),
    (HeaderName::from_static("referrer-policy"), HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ),
];

/// On every answer that we made ourselves (J03). What is there already stays.
pub(crate) fn own(headers: &mut HeaderMap) {
    for (name, value) in &FIXED {
        if !headers.contains_key(name) {
            headers.insert(name.clone(), value.clone());
        }
    }
    // What everybody may have depends on nothing that a request says.
    let public = headers.get(CACHE_CONTROL).is_some_and(|v| v.as_bytes().starts_with(b"public"));
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if !headers.contains_key("content-security-policy") {
        // Not a page: nothing in it may load, run, or be framed.
        headers.insert(
            HeaderName::from_static("content-security-policy"),
            HeaderValue::from_static(
                "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
            ),
        );
    }
    if !public {
        vary(headers, "Sec-Fetch-Site, Origin, Cookie");
    }
}

/// Two years, on every answer of a hardened environment, errors too (J02). Never in development: it would catch every port of localhost.
pub(crate) fn hsts(headers: &mut HeaderMap) {
    headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=63072000"));
}

/// Says which request headers the answer depends on (C11).
pub(crate) fn vary(headers: &mut HeaderMap, names: &'static str) {
    headers.append(VARY, HeaderValue::from_static(names));
}

/// Headers by which an upstream speaks to caches that we do not know.
const CACHE_TALK: [HeaderName; 5] = [
    HeaderName::from_static("surrogate-control"),
    HeaderName::from_static("cdn-cache-control"),
    HeaderName::from_static("cloudflare-cdn-cache-control"),
    HeaderName::from_static("x-accel-expires"),
    HeaderName::from_static("edge-control"),
];

/// An answer that read or set a session: never shared-cacheable (J04). `private` is the upstream's to choose, unless we
/// add cookies of our own.
pub(crate) fn unshare(headers: &mut HeaderMap, sets_cookies: bool) {
    for name in &CACHE_TALK {
        headers.remove(name);
    }
    let mut kept: Vec<String> = Vec::new();
    let mut private = false;
    for value in headers.get_all(CACHE_CONTROL) {
        for directive in
            value.to_str().unwrap_or_default().split(',').map(str::trim).filter(|d| !d.is_empty())
        {
            let name = directive.split('=').next().unwrap_or_default().trim().to_ascii_lowercase();
            match name.as_str() {
                "public" | "s-maxage" | "proxy-revalidate" => {}
                // `private="field"` keeps only a field from shared caches.
                "private" if directive.contains('=') => {}
                "private" | "no-store" => {
                    private = true;
                    kept.push(directive.to_owned());
                }
                _ => kept.push(directive.to_owned()),
            }
        }
    }
    let value = if private && !sets_cookies { HeaderValue::try_from(kept.join(", ")).ok() } else { None };
    headers.insert(CACHE_CONTROL, value.unwrap_or(HeaderValue::from_static("no-store")));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// J04: what an upstream says about shared caches does not count for a signed-in user.
    #[test]
    fn j04_unshare() {
        let after = |before: &'static str, sets| {
            let mut headers = HeaderMap::new();
            headers.insert(CACHE_CONTROL, HeaderValue::from_static(before));
            headers.insert("surrogate-control", HeaderValue::from_static("max-age=60"));
            unshare(&mut headers, sets);
            assert!(!headers.contains_key("surrogate-control"));
            headers.get(CACHE_CONTROL).unwrap().to_str().unwrap().to_owned()
        };
        assert_eq!(after("public, s-maxage=60", false), "no-store");
        assert_eq!(after("max-age=60", false), "no-store");
        assert_eq!(after("private, max-age=60, s-maxage=10", false), "private, max-age=60");
        assert_eq!(after("private=\"x\", max-age=60", false), "no-store");
        assert_eq!(after("private, max-age=60", true), "no-store");
        assert_eq!(after("no-store", false), "no-store");
    }

    /// J03: the fixed set.
    #[test]
    fn j03_own_answers() {
        let mut headers = HeaderMap::new();
        own(&mut headers);
        for name in [
            "x-content-type-options",
            "x-frame-options",
            "referrer-policy",
            "cross-origin-opener-policy",
            "cross-origin-resource-policy",
            "permissions-policy",
            "content-security-policy",
            "cache-control",
            "vary",
        ] {
            assert!(headers.contains_key(name), "{name}");
        }
    }
}
