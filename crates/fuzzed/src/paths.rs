//! Where to go after a page, and which route a path belongs to.

use std::sync::LazyLock;

use countersign_core::domain::return_to::ReturnTo;
use countersign_core::domain::route::{Matched, Pattern, RouteAuth, RouteRule, RouteTable, normalise};
use percent_encoding::percent_decode_str;
use url::Url;

const PUBLIC: &str = "https://app.example.com";

/// `return_to`: whatever comes out is a path that a browser resolves on our own origin, also after a proxy decoded it, and it comes
/// out unchanged the second time unless it has grown too long (K08).
pub fn return_to(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let parsed = ReturnTo::parse(&text, PUBLIC);
    let path = parsed.as_str();
    assert!(path.starts_with('/') && path.bytes().all(|b| b.is_ascii_graphic()), "no header value: {path:?}");
    // Percent-encoding makes it longer, and what is longer than 2048 bytes becomes `/`.
    if path.len() <= 2048 {
        assert_eq!(ReturnTo::parse(path, PUBLIC).as_str(), path, "not settled");
    }
    let Ok(base) = Url::parse(PUBLIC) else { unreachable!("the public URL is one") };
    let once = path.split_once(['?', '#']).map_or(path, |(before, _)| before);
    let decoded = percent_decode_str(once).decode_utf8_lossy();
    for reading in [path, &*decoded] {
        let Ok(url) = base.join(reading) else { continue };
        assert_eq!(url.origin(), base.origin(), "{text:?} leads to {url}");
    }
}

static ROUTES: LazyLock<RouteTable> = LazyLock::new(|| {
    let rule = |auth| RouteRule { auth, ..RouteRule::protected(0) };
    let routes =
        [("/*", RouteAuth::None), ("/admin/*", RouteAuth::Required), ("/admin", RouteAuth::Required)];
    RouteTable::new(
        routes.into_iter().filter_map(|(path, auth)| Some((Pattern::parse(path).ok()?, rule(auth)))),
    )
});

/// Routes: a path that a browser, or a server that decodes once or twice, reads as one under `/admin/` is never let through by the
/// open route around it (C07, K05). The normal form has no empty, dot or control segment, and settles.
pub fn route(data: &[u8]) {
    let raw = String::from_utf8_lossy(data);
    // What a request line can carry: the query is cut off before.
    if !raw.starts_with('/') || raw.contains(['?', '#', ' ']) || raw.chars().any(char::is_control) {
        return;
    }
    if let Some(normal) = normalise(&raw) {
        let inner = normal.strip_prefix('/').unwrap_or_default();
        assert!(normal.starts_with('/') && !normal.chars().any(char::is_control));
        let empty = inner.strip_suffix('/').unwrap_or(inner);
        assert!(
            empty.is_empty() || empty.split('/').all(|part| !matches!(part, "" | "." | "..")),
            "{normal:?}"
        );
        if !normal.contains(['%', ';', '\\']) {
            assert_eq!(normalise(&normal).as_deref(), Some(&*normal), "not settled");
        }
    }
    let open = match ROUTES.find(&raw) {
        Matched::Rule(rule) => rule.auth == RouteAuth::None,
        Matched::Merged(rule) => rule.auth == RouteAuth::None,
        Matched::NotFound => false,
    };
    if !open {
        return;
    }
    let once = percent_decode_str(&raw).decode_utf8_lossy().into_owned();
    let twice = percent_decode_str(&once).decode_utf8_lossy().into_owned();
    for text in [&*raw, &once, &twice] {
        // A decoded `?` or `#` would begin something else to the parser that checks us; to a server it is part of a name.
        let Ok(url) = Url::parse(&format!("{PUBLIC}{}", text.replace(['?', '#'], "_"))) else { continue };
        let read = url.path().to_ascii_lowercase();
        assert!(read != "/admin" && !read.starts_with("/admin/"), "{raw:?} is open, and means {read:?}");
    }
}
