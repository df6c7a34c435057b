//! From a client's request, HTTP/1.1 or HTTP/2, to the one that an upstream gets.

use http::header::{
    CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, HOST, HeaderMap, HeaderValue, TE, TRANSFER_ENCODING, UPGRADE,
};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{Method, Uri, Version};
use http_body::Body as _;

use crate::hygiene::set_forwarded;
use crate::smuggling;
use crate::{BadRequest, Body, ForwardContext, HostHeader, Refusal, UpstreamConfig};

/// Rewrites the head in place; whether it asks for an upgrade.
pub(crate) fn prepare(
    parts: &mut Parts,
    body: &Body,
    config: &UpstreamConfig,
    context: &mut ForwardContext<'_>,
) -> Result<bool, BadRequest> {
    if let Some(refusal) = Refusal::of(parts) {
        return Err(BadRequest::Head(refusal));
    }
    if matches!(parts.method, Method::CONNECT | Method::TRACE) {
        return Err(BadRequest::Method(parts.method.clone()));
    }
    smuggling::check(&parts.headers, parts.version)?;
    set_host(parts, config)?;
    set_target(parts)?;
    join_cookies(&mut parts.headers);
    frame(&mut parts.headers, body);
    set_forwarded(&mut parts.headers, context.client, context.public);
    // Our own server sends 100 when the body is first read, and it is read at once.
    parts.headers.remove(EXPECT);

    // RFC 9110 §7.8: not in HTTP/1.0; HTTP/2 has none. An upgrade with a body would leave it open which
    // protocol the body belongs to, and may be ignored.
    let offer = context.cleaned.upgrade.take();
    let offer = offer.filter(|_| parts.version == Version::HTTP_11 && body.is_end_stream());
    let upgrade = offer.is_some();
    match (offer, context.cleaned.trailers) {
        (Some(offer), _) => {
            parts.headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
            parts.headers.insert(UPGRADE, offer);
        }
        (None, true) => {
            parts.headers.insert(CONNECTION, HeaderValue::from_static("te"));
            parts.headers.insert(TE, HeaderValue::from_static("trailers"));
        }
        (None, false) => {}
    }
    parts.version = Version::HTTP_11;
    // What the server and the caller attached stays here.
    parts.extensions.clear();
    Ok(upgrade)
}

/// One Host, and the one the target names if it names one (RFC 9112 §3.2.2, RFC 9113 §8.3.1).
fn set_host(parts: &mut Parts, config: &UpstreamConfig) -> Result<(), BadRequest> {
    let mut hosts = parts.headers.get_all(HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() || host.is_some_and(|host| host.is_empty() || host.as_bytes().contains(&b'@')) {
        return Err(BadRequest::Host);
    }
    let named = match (parts.uri.authority(), host) {
        (Some(authority), host) => {
            let text = authority.as_str();
            let contradicts = host.is_some_and(|host| !host.as_bytes().eq_ignore_ascii_case(text.as_bytes()));
            if text.contains('@') || contradicts {
                return Err(BadRequest::Host);
            }
            Some(HeaderValue::from_str(text).map_err(|_invalid| BadRequest::Host)?)
        }
        (None, Some(_)) => None,
        (None, None) if parts.version == Version::HTTP_10 => Some(config.origin.authority.clone()),
        (None, None) => return Err(BadRequest::Host),
    };
    match (config.host, named) {
        (HostHeader::Upstream, _) => {
            parts.headers.insert(HOST, config.origin.authority.clone());
        }
        (HostHeader::Preserve, Some(named)) => {
            parts.headers.insert(HOST, named);
        }
        (HostHeader::Preserve, None) => {}
    }
    Ok(())
}

/// Origin-form (RFC 9112 §3.2.1), or `*` for OPTIONS.
fn set_target(parts: &mut Parts) -> Result<(), BadRequest> {
    let path = parts.uri.path();
    let fits = path.starts_with('/') || (path == "*" && parts.method == Method::OPTIONS);
    if !fits {
        return Err(BadRequest::Target);
    }
    if parts.uri.authority().is_some() || parts.uri.scheme().is_some() {
        let path = parts.uri.path_and_query().cloned();
        parts.uri = Uri::from(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
    }
    Ok(())
}

/// HTTP/2 clients may split Cookie for compression; HTTP/1.1 has one (RFC 9113 §8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    let mut crumbs = headers.get_all(COOKIE).iter();
    if crumbs.next().is_none() || crumbs.next().is_none() {
        return;
    }
    let joined =
        headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect::<Vec<_>>().join(&b"; "[..]);
    if let Ok(joined) = HeaderValue::try_from(joined) {
        headers.insert(COOKIE, joined);
    }
}

/// The framing is ours, from what the body is, not from what the client's headers say: they cannot disagree
/// then. A GET without a body stays without one; a body of unknown length is chunked, whatever the method.
fn frame(headers: &mut HeaderMap, body: &Body) {
    headers.remove(TRANSFER_ENCODING);
    match body.size_hint().exact() {
        Some(0) if body.is_end_stream() && !headers.contains_key(CONTENT_LENGTH) => {}
        Some(length) => {
            let same = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
            if same != Some(length) {
                headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
            }
        }
        None => {
            headers.remove(CONTENT_LENGTH);
            headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
    }
}

#[cfg(test)]
mod tests;
