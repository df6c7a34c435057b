//! What a request says about itself, read once.

use std::net::IpAddr;

use countersign_core::domain::device::Device;
use countersign_core::domain::id::RequestId;
use countersign_core::domain::isolation::Provenance;
use countersign_core::service::Context;
use http::header::{ACCEPT, HeaderName, ORIGIN, RANGE, UPGRADE, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, Method};

/// Fetch Metadata. Names made once: looking up a `&str` means parsing it first, on every request.
pub(crate) const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
pub(crate) const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
pub(crate) const FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// Who asks: the resolved client address, and the request's id.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) ip: IpAddr,
    pub(crate) request: RequestId,
}

impl Client {
    /// For services: address, user agent, request id.
    pub(crate) fn context(&self, headers: &HeaderMap) -> Context {
        let agent = headers.get(USER_AGENT).map(|v| String::from_utf8_lossy(v.as_bytes()));
        Context {
            request: Some(self.request.clone()),
            device: Device::new(Some(self.ip), agent.as_deref().unwrap_or_default()),
        }
    }
}

/// The value of a header that may come once; twice or unreadable counts as a value that matches nothing.
pub(crate) fn single(headers: &HeaderMap, name: impl http::header::AsHeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    if values.next().is_some() {
        return Some("");
    }
    Some(first.to_str().unwrap_or(""))
}

/// Where the request comes from.
pub(crate) fn provenance(parts: &Parts) -> Provenance<'_> {
    let headers = &parts.headers;
    let websocket = headers.get_all(UPGRADE).iter().any(|v| {
        v.to_str().unwrap_or_default().split(',').any(|t| t.trim().eq_ignore_ascii_case("websocket"))
    });
    Provenance {
        safe_method: is_safe(&parts.method),
        get: parts.method == Method::GET,
        site: single(headers, FETCH_SITE),
        mode: single(headers, FETCH_MODE),
        dest: single(headers, FETCH_DEST),
        origin: single(headers, ORIGIN),
        websocket,
    }
}

/// GET, HEAD, OPTIONS.
pub(crate) fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Whether the sender would rather read HTML than JSON.
pub(crate) fn accepts_html(headers: &HeaderMap) -> bool {
    headers.get_all(ACCEPT).iter().any(|v| v.to_str().unwrap_or_default().contains("text/html"))
}

/// A page load: `Sec-Fetch-Dest: document`, or `Accept` HTML where that header is absent (design §9).
pub(crate) fn is_document(parts: &Parts) -> bool {
    match single(&parts.headers, FETCH_DEST) {
        Some(dest) => dest == "document",
        None => accepts_html(&parts.headers),
    }
}

/// Players, download managers, copied commands: they typically carry a stale copy of the cookies (design §5).
pub(crate) fn is_stale_copy(parts: &Parts) -> bool {
    let headers = &parts.headers;
    let fetch = [FETCH_SITE, FETCH_MODE, FETCH_DEST].iter().any(|n| headers.contains_key(n));
    parts.method == Method::GET && (headers.contains_key(RANGE) || (!fetch && !accepts_html(headers)))
}
