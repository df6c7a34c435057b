//! CORS (design §7): an exact allow-list; preflights are answered before authentication and never 401 (C10).

use countersign_core::domain::event::EventName;
use countersign_core::port::Outside;
use countersign_core::service::NewEvent;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderName, HeaderValue,
    ORIGIN,
};
use http::request::Parts;
use http::{Method, Response, StatusCode};

use crate::site::{Settings, Site};
use crate::wire::body::{Answer, AnswerBody};
use crate::wire::headers::vary;
use crate::wire::request::{Client, single};

const PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-allow-private-network");

/// What an allowed origin may read of every answer, beside what the upstream exposes.
const EXPOSED: HeaderValue = HeaderValue::from_static("x-request-id, retry-after, www-authenticate");
/// How an answer speaks about origins.
const ANSWER_HEADERS: [HeaderName; 5] = [
    ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_ALLOW_CREDENTIALS,
    ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_HEADERS,
    PRIVATE_NETWORK,
];

/// Whether a browser asks for permission. It sends no cookies with such a question, so nobody may ask who it is for.
pub(crate) fn is_preflight(parts: &Parts) -> bool {
    parts.method == Method::OPTIONS
        && parts.headers.contains_key(ORIGIN)
        && parts.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer to a preflight; `None` if the request is none.
fn preflight(parts: &Parts, settings: &Settings) -> Option<Answer> {
    if !is_preflight(parts) {
        return None;
    }
    let origin = single(&parts.headers, ORIGIN)?;
    let method = single(&parts.headers, ACCESS_CONTROL_REQUEST_METHOD)?;
    let mut answer = Response::new(AnswerBody::empty());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    let headers = answer.headers_mut();
    vary(headers, "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
    if allow(headers, origin, settings) {
        let asked = single(&parts.headers, ACCESS_CONTROL_REQUEST_HEADERS).unwrap_or_default();
        for (name, value) in [(ACCESS_CONTROL_ALLOW_METHODS, method), (ACCESS_CONTROL_ALLOW_HEADERS, asked)] {
            if let Ok(value) = HeaderValue::from_str(value)
                && !value.is_empty()
            {
                headers.insert(name, value);
            }
        }
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    }
    Some(answer)
}

impl<O: Outside> Site<O> {
    /// The answer to a preflight; `None` if the request is none. An origin that is not on the list is told nothing, and noted.
    pub(crate) fn preflight(&self, parts: &Parts, client: &Client) -> Option<Answer> {
        let answer = preflight(parts, &self.settings)?;
        if !answer.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
            let event = NewEvent::refused(EventName::MaliciousCors, "origin_not_allowed");
            self.engine.record(event, &client.context(&parts.headers));
        }
        Some(answer)
    }
}

/// Marks an answer as readable by the request's origin, if that is on the list.
pub(crate) fn mark(headers: &mut HeaderMap, origin: Option<&str>, settings: &Settings) {
    // What an upstream says about origins does not count where we answer for it.
    for name in &ANSWER_HEADERS {
        headers.remove(name);
    }
    if settings.cors_origins.is_empty() {
        return;
    }
    // On answers to other origins too: a cache must not serve those to one that is on the list (C11).
    vary(headers, "Origin");
    if let Some(origin) = origin
        && allow(headers, origin, settings)
    {
        // By name: `*` means nothing to requests with credentials.
        headers.append(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
}

fn allow(headers: &mut HeaderMap, origin: &str, settings: &Settings) -> bool {
    let listed = settings.cors_origins.iter().find(|o| o.as_str() == origin);
    let Some(value) = listed.and_then(|o| HeaderValue::from_str(o).ok()) else { return false };
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, value);
    headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    true
}
