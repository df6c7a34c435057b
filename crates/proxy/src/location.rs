//! Redirects that name the upstream's own address.

use http::header::{HeaderMap, HeaderValue, LOCATION};

use crate::{Origin, PublicOrigin};

/// Rewrites a `Location` that names the upstream's own origin: the client cannot reach that address, or must
/// not. Relative ones, and those that name another origin, stay as they are.
pub fn rewrite_location(headers: &mut HeaderMap, upstream: &Origin, public: &PublicOrigin) {
    let Some(value) = headers.get(LOCATION) else { return };
    let Some(rest) = value.to_str().ok().and_then(|text| path_at(text, upstream)) else { return };
    if let Ok(value) = HeaderValue::try_from(format!("{}{rest}", public.origin)) {
        headers.insert(LOCATION, value);
    }
}

/// What follows the upstream's origin in a URL, if that is the URL's origin.
fn path_at<'a>(text: &'a str, upstream: &Origin) -> Option<&'a str> {
    // `//host/` takes the scheme of the page, which is ours; it names the same authority.
    let after = match text.split_at_checked("http://".len()) {
        Some((scheme, after)) if scheme.eq_ignore_ascii_case("http://") => after,
        _ => text.strip_prefix("//")?,
    };
    let end = after.find(['/', '?', '#', '\\']).unwrap_or(after.len());
    let (authority, rest) = after.split_at_checked(end)?;
    upstream.is(authority).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_upstreams_own_origin_is_rewritten() {
        let upstream = Origin::parse("http://127.0.0.1:3000").unwrap();
        let public = PublicOrigin::parse("https://app.example.com").unwrap();
        for (before, after) in [
            ("http://127.0.0.1:3000/a?b#c", "https://app.example.com/a?b#c"),
            ("HTTP://127.0.0.1:3000", "https://app.example.com"),
            ("//127.0.0.1:3000/x", "https://app.example.com/x"),
            ("/relative", "/relative"),
            ("relative//127.0.0.1:3000/", "relative//127.0.0.1:3000/"),
            ("http://127.0.0.1:3001/a", "http://127.0.0.1:3001/a"),
            ("http://127.0.0.1/a", "http://127.0.0.1/a"),
            ("https://127.0.0.1:3000/a", "https://127.0.0.1:3000/a"),
            ("http://127.0.0.1:3000@evil/", "http://127.0.0.1:3000@evil/"),
            ("http://127.0.0.1:3000.evil/", "http://127.0.0.1:3000.evil/"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(LOCATION, HeaderValue::from_static(before));
            rewrite_location(&mut headers, &upstream, &public);
            assert_eq!(headers[LOCATION], after, "{before}");
        }
    }
}
