//! The CSRF token in a form: `_csrf` as a urlencoded field, or as the first multipart field, within 64 KiB (design §7).

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body_util::BodyExt;
use hyper::body::Incoming;

/// How much of a body is looked at.
pub(crate) const LIMIT: usize = 64 * 1024;
/// Longest pause between two pieces of a body while it is looked at.
const PAUSE: Duration = Duration::from_secs(60);
/// The field's name.
pub(crate) const NAME: &str = "_csrf";

/// How a form is encoded.
pub(crate) enum Encoding {
    Urlencoded,
    Multipart(String),
}

/// How the body is encoded, if it is a form; a multipart boundary has 1 to 70 characters (RFC 2046 §5.1.1).
pub(crate) fn encoding(headers: &HeaderMap) -> Option<Encoding> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let (kind, parameters) = value.split_once(';').unwrap_or((value, ""));
    match kind.trim().to_ascii_lowercase().as_str() {
        "application/x-www-form-urlencoded" => Some(Encoding::Urlencoded),
        "multipart/form-data" => {
            let boundary = parameters.split(';').find_map(|p| {
                let (name, value) = p.split_once('=')?;
                name.trim()
                    .eq_ignore_ascii_case("boundary")
                    .then(|| value.trim().trim_matches('"').to_owned())
            })?;
            (1..=70).contains(&boundary.len()).then_some(Encoding::Multipart(boundary))
        }
        _ => None,
    }
}

/// What was read of a body to find the field, and the rest of it.
pub(crate) struct Peeked {
    pub(crate) token: Option<String>,
    pub(crate) prefix: Bytes,
    pub(crate) rest: Option<Incoming>,
}

/// The body ended early, or stood still for too long.
pub(crate) struct Interrupted;

/// Looks for the field at the beginning of a body. What was read is kept for the upstream.
pub(crate) async fn peek(headers: &HeaderMap, mut body: Incoming) -> Result<Peeked, Interrupted> {
    let Some(encoding) = encoding(headers) else {
        return Ok(Peeked { token: None, prefix: Bytes::new(), rest: Some(body) });
    };
    let mut read = BytesMut::new();
    loop {
        let (token, settled) = match &encoding {
            // A urlencoded field may stand anywhere, so it is settled only at the end (below) or at the limit.
            Encoding::Urlencoded => {
                let full = read.get(..LIMIT).and_then(complete_pairs);
                (full.and_then(|pairs| urlencoded(pairs, NAME)), false)
            }
            Encoding::Multipart(boundary) => first_part(&read, boundary),
        };
        if settled || read.len() >= LIMIT {
            return Ok(Peeked { token, prefix: read.freeze(), rest: Some(body) });
        }
        match tokio::time::timeout(PAUSE, body.frame()).await {
            Err(_elapsed) => return Err(Interrupted),
            Ok(Some(Err(_broken))) => return Err(Interrupted),
            Ok(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
                    read.extend_from_slice(&data);
                }
            }
            Ok(None) => {
                let token = match &encoding {
                    Encoding::Urlencoded => urlencoded(&read, NAME),
                    Encoding::Multipart(_) => token,
                };
                return Ok(Peeked { token, prefix: read.freeze(), rest: None });
            }
        }
    }
}

/// The value of a urlencoded field; the first if it stands there twice.
pub(crate) fn urlencoded(body: &[u8], name: &str) -> Option<String> {
    url::form_urlencoded::parse(body).find(|(n, _)| n == name).map(|(_, v)| v.into_owned())
}

/// What stands before the last `&`: the pair after it may go on beyond the limit.
fn complete_pairs(read: &[u8]) -> Option<&[u8]> {
    read.get(..read.iter().rposition(|b| *b == b'&')?)
}

/// The value of the first part if it is our field, and whether that is settled.
pub(crate) fn first_part(read: &[u8], boundary: &str) -> (Option<String>, bool) {
    let open = format!("--{boundary}\r\n");
    let close = format!("\r\n--{boundary}");
    if read.len() < open.len() {
        return (None, !open.as_bytes().starts_with(read));
    }
    let Some(part) = read.strip_prefix(open.as_bytes()) else { return (None, true) };
    let Some(head_end) = find(part, b"\r\n\r\n") else { return (None, part.len() > 1024) };
    let head = String::from_utf8_lossy(part.get(..head_end).unwrap_or_default()).to_ascii_lowercase();
    if !head.contains(&format!("name=\"{NAME}\"")) || head.contains("filename") {
        return (None, true);
    }
    let value = part.get(head_end + 4..).unwrap_or_default();
    match find(value, close.as_bytes()) {
        Some(end) => (value.get(..end).and_then(|v| std::str::from_utf8(v).ok()).map(str::to_owned), true),
        None => (None, value.len() > 1024),
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|w| w == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_multipart_field_only() {
        let body = "--B\r\nContent-Disposition: form-data; name=\"_csrf\"\r\n\r\ntok\r\n--B\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\ny\r\n--B--\r\n";
        assert_eq!(first_part(body.as_bytes(), "B"), (Some("tok".into()), true));
        for cut in 0..body.find("--B\r\nContent-Disposition: form-data; name=\"x\"").unwrap() - 2 {
            assert_eq!(first_part(&body.as_bytes()[..cut], "B").0, None, "{cut}");
        }
        let second = "--B\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\ny\r\n--B\r\nContent-Disposition: form-data; name=\"_csrf\"\r\n\r\ntok\r\n--B--";
        assert_eq!(first_part(second.as_bytes(), "B"), (None, true));
        let file =
            "--B\r\nContent-Disposition: form-data; name=\"_csrf\"; filename=\"x\"\r\n\r\ntok\r\n--B--";
        assert_eq!(first_part(file.as_bytes(), "B"), (None, true));
        assert_eq!(first_part(b"garbage", "B"), (None, true));
    }

    /// A token that the limit cuts in two is not taken for a shorter one.
    #[test]
    fn pairs_before_the_limit() {
        assert_eq!(complete_pairs(b"_csrf=ab&text=xxx"), Some(&b"_csrf=ab"[..]));
        assert_eq!(complete_pairs(b"text=xxx&_csrf=a"), Some(&b"text=xxx"[..]));
        assert_eq!(complete_pairs(b"_csrf=ab"), None);
    }

    #[test]
    fn urlencoded_field() {
        assert_eq!(urlencoded(b"a=1&_csrf=a%2Bb", NAME), Some("a+b".into()));
        assert_eq!(urlencoded(b"a=1", NAME), None);
    }
}
