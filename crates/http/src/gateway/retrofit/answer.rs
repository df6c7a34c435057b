//! A token in the body of an answer: out it comes, and a placeholder goes in.

use countersign_core::domain::retrofit::{Document, JwtScan, TokenLocation, is_placeholder};
use countersign_core::domain::secret::SecretString;
use http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue,
    LAST_MODIFIED, TRANSFER_ENCODING,
};
use memchr::memmem;

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

/// Shorter strings are words, not tokens: they may stand in an answer for other reasons.
const SHORTEST: usize = 8;

/// Takes the tokens out of a JSON document, and gives what the client may have; `None` if there are none, or it is no JSON.
pub(super) fn rewrite(
    body: &[u8],
    retrofit: &SiteRetrofit,
    token: &TokenLocation,
    found: &mut Catch,
) -> Option<Vec<u8>> {
    let document = Document::parse(body)?;
    let refresh = retrofit.rules.refresh.as_ref().and_then(|refresh| refresh.token.as_ref());
    let mut edits = Vec::new();
    let mut texts: Vec<(SecretString, String)> = Vec::new();
    for (place, is_token) in [(Some(token), true), (refresh, false)] {
        let Some(pointer) = place.and_then(TokenLocation::json) else { continue };
        for (span, value) in document.strings(pointer) {
            if is_placeholder(value.expose()) {
                continue;
            }
            let placeholder = retrofit.rules.placeholder_for(value.expose());
            edits.push((span, placeholder.clone()));
            texts.push((SecretString::new(value.expose().to_owned()), placeholder));
            // Of a member that comes twice, browsers take the last.
            if is_token {
                found.token = Some(Caught { value, declared: None });
            } else {
                found.refresh = Some(value);
            }
        }
    }
    if edits.is_empty() {
        return None;
    }
    let mut out = document.replaced(edits);
    // The same string once more, elsewhere: a token that is half removed is not removed.
    for (text, placeholder) in texts.iter().filter(|(text, _)| text.expose().len() >= SHORTEST) {
        out = without(&out, text.expose().as_bytes(), placeholder.as_bytes());
    }
    Some(out)
}

fn without(body: &[u8], text: &[u8], placeholder: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    let mut copied = 0;
    for at in memmem::find_iter(body, text) {
        out.extend_from_slice(body.get(copied..at).unwrap_or_default());
        out.extend_from_slice(placeholder);
        copied = at + text.len();
    }
    out.extend_from_slice(body.get(copied..).unwrap_or_default());
    out
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

/// Removes headers that hold a token that was caught.
pub(super) fn withhold(headers: &mut HeaderMap, found: &Catch) {
    let caught = found.token.as_ref().map(|token| &token.value).into_iter().chain(&found.refresh);
    let texts: Vec<&[u8]> =
        caught.map(|text| text.expose().as_bytes()).filter(|text| text.len() >= SHORTEST).collect();
    let holds = |value: &HeaderValue| texts.iter().any(|text| memmem::find(value.as_bytes(), text).is_some());
    let doomed: Vec<HeaderName> =
        headers.iter().filter(|(_, value)| holds(value)).map(|(name, _)| name.clone()).collect();
    for name in doomed {
        let kept: Vec<HeaderValue> =
            headers.get_all(&name).iter().filter(|value| !holds(value)).cloned().collect();
        headers.remove(&name);
        for value in kept {
            headers.append(name.clone(), value);
        }
    }
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
