//! A token in the body of an answer: out it comes, and a placeholder goes in.

use countersign_core::domain::retrofit::{Copies, Document, JwtScan, TokenLocation, is_placeholder};
use http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue,
    LAST_MODIFIED, LOCATION, SET_COOKIE, TRANSFER_ENCODING,
};
use memchr::memchr;
use percent_encoding::percent_decode;

use super::config::SiteRetrofit;
use super::head::{Catch, Caught};

/// Digests of the body as it was.
const DIGESTS: [HeaderName; 5] = [
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
    HeaderName::from_static("signature"),
];

/// Names under which tokens stand in addresses.
const PARAMETERS: [&str; 7] =
    ["token", "access_token", "id_token", "refresh_token", "auth_token", "session_token", "jwt"];

/// Takes the tokens out of a body, those of the head too, and gives what the client may have; `None` if there are none.
pub(super) fn rewrite(
    body: &[u8],
    retrofit: &SiteRetrofit,
    token: &TokenLocation,
    found: &mut Catch,
) -> Option<Vec<u8>> {
    let mut copies = Copies::default();
    for text in found.texts() {
        copies.add(text.expose(), &retrofit.rules.placeholder_for(text.expose()));
    }
    let Some(document) = Document::parse(body) else { return copies.out_of(body) };
    let refresh = retrofit.rules.refresh.as_ref().and_then(|refresh| refresh.token.as_ref());
    let mut edits = Vec::new();
    for (place, is_token) in [(Some(token), true), (refresh, false)] {
        let Some(pointer) = place.and_then(TokenLocation::json) else { continue };
        for (span, value) in document.strings(pointer) {
            if is_placeholder(value.expose()) {
                continue;
            }
            let placeholder = retrofit.rules.placeholder_for(value.expose());
            copies.add(value.expose(), &placeholder);
            edits.push((span, placeholder));
            // Of a member that comes twice, browsers take the last.
            if is_token {
                found.token = Some(Caught { value, declared: None });
            } else {
                found.refresh = Some(value);
            }
        }
    }
    // The same string once more, elsewhere: a token that is half removed is not removed.
    edits.extend(copies.edits(&document));
    (!edits.is_empty()).then(|| document.replaced(edits))
}

/// Makes a head fit a body that was written anew, and removes whatever else of it holds a token.
pub(super) fn fit(headers: &mut HeaderMap, length: usize, found: &Catch) {
    for name in [CONTENT_ENCODING, TRANSFER_ENCODING, ETAG, LAST_MODIFIED].into_iter().chain(DIGESTS) {
        headers.remove(name);
    }
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    withhold(headers, found);
}

/// Removes headers that hold a token that was caught, percent-encoded too: many frameworks write their cookies so.
pub(super) fn withhold(headers: &mut HeaderMap, found: &Catch) {
    let mut copies = Copies::default();
    for text in found.texts() {
        copies.add(text.expose(), "");
    }
    if copies.is_empty() {
        return;
    }
    let holds = |name: &HeaderName, value: &HeaderValue| {
        let value = value.as_bytes();
        copies.are_in(value) || (*name == SET_COOKIE && copies.include(cookie_value(value)))
    };
    let doomed: Vec<HeaderName> =
        headers.iter().filter(|(name, value)| holds(name, value)).map(|(name, _)| name.clone()).collect();
    for name in doomed {
        let kept: Vec<HeaderValue> =
            headers.get_all(&name).iter().filter(|value| !holds(&name, value)).cloned().collect();
        headers.remove(&name);
        for value in kept {
            headers.append(name.clone(), value);
        }
    }
}

/// The value in a `Set-Cookie`.
fn cookie_value(header: &[u8]) -> &[u8] {
    let pair = header.split(|b| *b == b';').next().unwrap_or_default();
    memchr(b'=', pair).and_then(|at| pair.get(at + 1..)).unwrap_or_default().trim_ascii()
}

/// Whether an answer sends the browser to an address with a token in it: script reads that where it arrives.
pub(super) fn leads_to_token(headers: &HeaderMap) -> bool {
    let Some(to) = headers.get(LOCATION) else { return false };
    let plain: Vec<u8> = percent_decode(to.as_bytes()).collect();
    let named = String::from_utf8_lossy(to.as_bytes()).split(['?', '#', '&']).skip(1).any(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let name = name.trim_start_matches(['/', '!']).to_ascii_lowercase();
        PARAMETERS.contains(&name.as_str()) && !value.is_empty() && !is_placeholder(value)
    });
    named || holds_jwt(&plain)
}

/// Whether an answer says that it is JSON.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || kind.ends_with("+json")
}

/// Whether an answer says that it is a page.
pub(super) fn is_page(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.trim_start().to_ascii_lowercase().starts_with("text/html")
}

/// Whether a body holds a JWT.
pub(super) fn holds_jwt(body: &[u8]) -> bool {
    let mut scan = JwtScan::default();
    scan.feed(body) || scan.end()
}
