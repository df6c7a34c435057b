//! Cookie headers and forms.

#[allow(dead_code, reason = "compiled in from its own crate, which uses all of it")]
#[rustfmt::skip]
#[path = "../../http/src/wire/cookie.rs"]
mod jar;
#[allow(dead_code, reason = "compiled in from its own crate, which uses all of it")]
#[rustfmt::skip]
#[path = "../../http/src/wire/field.rs"]
mod field;

use std::sync::LazyLock;

use countersign_core::domain::cookie::{CookieKind, CookiePolicy, SameSite};
use countersign_core::domain::environment::Environment;
use field::Encoding;
use http::header::{CONTENT_TYPE, COOKIE, HeaderMap, HeaderValue};
use jar::Jar;
use percent_encoding::percent_decode;

static POLICY: LazyLock<Option<CookiePolicy>> = LazyLock::new(|| {
    let production = Environment::parse("production").ok()?;
    Some(CookiePolicy::https(&production, 443, SameSite::Strict))
});

/// A `name=value` in a header as RFC 6265bis has it, with our cookie in it if it is one.
fn pairs(header: &[u8]) -> Vec<(&[u8], Vec<u8>)> {
    let pairs = header.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    pairs
        .map(|pair| match pair.iter().position(|byte| *byte == b'=') {
            Some(at) => (pair, pair.get(..at).unwrap_or_default().trim_ascii().to_vec()),
            None => (pair, Vec::new()),
        })
        .collect()
}

/// Cookie headers, one a line: two of a name or a variant in case are always seen (B04), nameless ones are nobody's (B05), and what is
/// left for an upstream holds nothing of ours, and all of the others, byte for byte and in order (B09).
pub fn cookies(data: &[u8]) {
    let Some(policy) = &*POLICY else { unreachable!("production has cookies") };
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n').take(8) {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append(COOKIE, value);
        }
    }
    let lines: Vec<Vec<u8>> = headers.get_all(COOKIE).iter().map(|v| v.as_bytes().to_vec()).collect();
    let all: Vec<(&[u8], Vec<u8>)> = lines.iter().flat_map(|line| pairs(line)).collect();
    let spelled = |kind: CookieKind, name: &[u8]| policy.name(kind).as_bytes() == name;
    let alike = |kind: CookieKind, name: &[u8]| policy.name(kind).as_bytes().eq_ignore_ascii_case(name);
    let jar = Jar::read(&headers, policy);
    let mut tossed = false;
    for kind in CookieKind::ALL {
        let exact = all.iter().filter(|(_, name)| spelled(kind, name)).count();
        let similar = all.iter().filter(|(_, name)| alike(kind, name)).count();
        tossed |= exact > 1 || similar > exact;
        assert_eq!(jar.value(kind).is_some(), exact > 0, "{kind:?}");
    }
    assert_eq!(jar.is_tossed(), tossed);

    // A name alone is a value to browsers, and a name to some servers: it is not left for them either.
    let others = |(pair, name): &&(&[u8], Vec<u8>)| {
        let ours = |kind| alike(kind, name) || alike(kind, pair);
        !pair.is_empty() && !CookieKind::ALL.into_iter().any(ours)
    };
    let kept: Vec<&[u8]> = all.iter().filter(others).map(|(pair, _)| *pair).collect();
    jar::strip(&mut headers, policy);
    let left: Vec<Vec<u8>> = headers.get_all(COOKIE).iter().map(|v| v.as_bytes().to_vec()).collect();
    let left: Vec<&[u8]> = left
        .iter()
        .flat_map(|line| pairs(line))
        .map(|(pair, _)| pair)
        .filter(|pair| !pair.is_empty())
        .collect();
    assert_eq!(left, kept, "an upstream sees other cookies");
}

/// Forms: content type in the first line, body behind it. A decision that was made does not change as more of the body comes; the field
/// that is found is the one that an independent reader finds (C02).
pub fn form(data: &[u8]) {
    let at = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (kind, body) = data.split_at_checked(at).unwrap_or_default();
    let body = body.strip_prefix(b"\n").unwrap_or(body);
    urlencoded(body);
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(kind) {
        headers.insert(CONTENT_TYPE, value);
    }
    let Some(Encoding::Multipart(boundary)) = field::encoding(&headers) else { return };
    assert!((1..=70).contains(&boundary.len()));
    let mut settled = None;
    for end in 0..=body.len().min(4096) {
        let (token, now) = field::first_part(body.get(..end).unwrap_or_default(), &boundary);
        match &settled {
            Some(before) => assert_eq!(before, &token, "changed its mind at {end}"),
            None if now => settled = Some(token),
            None => assert_eq!(token, None, "a token of a part that goes on"),
        }
    }
    let Some(Some(token)) = settled else { return };
    let opened = body.strip_prefix(format!("--{boundary}\r\n").as_bytes());
    let Some(Ok(part)) = opened.map(std::str::from_utf8) else { return };
    let close = format!("\r\n--{boundary}");
    let value = part.split_once("\r\n\r\n").map(|(_, value)| value.split(&close).next().unwrap_or(value));
    assert_eq!(value, Some(&*token));
}

fn urlencoded(body: &[u8]) {
    let spaced: Vec<u8> = body.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let decode = |text: &[u8]| percent_decode(text).decode_utf8_lossy().into_owned();
    let pair = |pair: &[u8]| {
        let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        let (name, value) = pair.split_at_checked(at)?;
        (decode(name) == field::NAME).then(|| decode(value.strip_prefix(b"=").unwrap_or(value)))
    };
    let found = spaced.split(|byte| *byte == b'&').find_map(pair);
    assert_eq!(field::urlencoded(body, field::NAME), found);
}
