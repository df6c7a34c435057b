//! Every request, first thing: who asks, by which name and transport; then the router or the gateway; then the headers
//! that all answers share, and the access log.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use countersign_core::domain::recognise::redact_and_cut;
use countersign_core::port::Outside;
use countersign_proxy::{Refusal, client_ip, smuggling};
use http::header::{COOKIE, HOST, HeaderName, HeaderValue, ORIGIN};
use http::request::Parts;
use http::{Request, StatusCode, Version};
use hyper::body::Incoming;
use tokio::time::Instant;
use tower::ServiceExt;

use crate::gateway::cors;
use crate::misplaced;
use crate::site::{Site, Transport};
use crate::wire::body::{Answer, AnswerBody};
use crate::wire::headers;
use crate::wire::problem::{Code, Problem};
use crate::wire::request::{Client, single};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// Fields of a head at most, in HTTP/2; those of HTTP/1.1 were counted as they came.
const MAX_FIELDS: usize = 100;
/// Bytes of a path that are logged: nobody needs more, and a long one must not crowd out others (I04). Secrets go first.
const LOGGED_PATH: usize = 512;

/// Answers one request.
pub(crate) async fn dispatch<O: Outside>(
    site: Arc<Site<O>>,
    router: Router,
    request: Request<Incoming>,
    peer: IpAddr,
) -> Answer {
    let started = Instant::now();
    site.requests.fetch_add(1, Ordering::Relaxed);
    let forwarded = request.headers().get_all(&site.settings.client_ip_header);
    let client = Client {
        ip: client_ip::resolve(peer, &forwarded, &site.settings.trusted),
        request: site.request_id(),
    };
    let line = site.settings.log_access.then(|| (request.method().clone(), request.uri().clone()));
    let own = is_own(request.uri().path());
    let (parts, body) = request.into_parts();
    let asks = own && site.asks_forward_auth(&parts, &client, peer);
    let refused = refuse(&site, &parts, peer, asks)
        .or_else(|| misplaced::refuse(&site, &parts, own && !asks, || client.context(&parts.headers)));
    let mut answer = match refused {
        Some(problem) => ours(problem.into_answer(&client.request)),
        // Before preflights: what is asked about may be one.
        None if asks => ours(Box::pin(site.forward_auth(parts, &client)).await),
        None if own => {
            let answer = if let Some(preflight) = site.preflight(&parts, &client) {
                preflight
            } else {
                Box::pin(route(&site, router, Request::from_parts(parts, body), &client)).await
            };
            ours(answer)
        }
        None => site.gateway(Request::from_parts(parts, body), &client).await,
    };
    if site.settings.hardened {
        headers::hsts(answer.headers_mut());
    }
    if let Ok(id) = HeaderValue::from_str(client.request.as_str()) {
        answer.headers_mut().insert(REQUEST_ID, id);
    }
    if let Some((method, uri)) = line {
        let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        let status = answer.status().as_u16();
        // The path only: query strings hold codes and addresses (I01).
        let path = redact_and_cut(uri.path(), LOGGED_PATH);
        tracing::info!(target: "countersign::access", %method, path = &*path, status, micros, ip = %client.ip, request_id = client.request.as_str());
    }
    answer
}

/// Paths that belong to us whatever the routes say.
pub(crate) fn is_own(path: &str) -> bool {
    path == "/auth"
        || path.starts_with("/auth/")
        || path == "/.well-known/jwks.json"
        || path == "/.well-known/countersign"
}

async fn route<O: Outside>(
    site: &Site<O>,
    router: Router,
    mut request: Request<Incoming>,
    client: &Client,
) -> Answer {
    let origin = single(request.headers(), ORIGIN).map(str::to_owned);
    request.extensions_mut().insert(client.clone());
    // The router's error type has no values.
    let answer = match router.oneshot(request).await {
        Ok(answer) => answer,
        Err(never) => match never {},
    };
    let mut answer = answer.map(AnswerBody::Route);
    cors::mark(answer.headers_mut(), origin.as_deref(), &site.settings);
    answer
}

fn ours(mut answer: Answer) -> Answer {
    headers::own(answer.headers_mut());
    answer
}

/// Whether a header says that the request came by way of a proxy.
fn forwards(name: &str) -> bool {
    matches!(name, "forwarded" | "x-real-ip") || name.starts_with("x-forwarded-")
}

/// What is refused before anybody looks at paths or credentials.
fn refuse<O: Outside>(site: &Site<O>, parts: &Parts, peer: IpAddr, asks: bool) -> Option<Problem> {
    if let Some(refusal) = Refusal::of(parts) {
        let problem = Problem::new(Code::InvalidRequest, refusal.to_string());
        return Some(problem.status(refusal.status()).closing());
    }
    if let Err(bad) = smuggling::check(&parts.headers, parts.version) {
        return Some(Problem::new(Code::InvalidRequest, bad.to_string()).closing());
    }
    // A cookie header comes in crumbs, as many as there are cookies (RFC 9113 §8.2.3).
    let crumbs = parts.headers.get_all(COOKIE).iter().count();
    if parts.headers.len().saturating_sub(crumbs) > MAX_FIELDS {
        let what = format!("The request head has more than {MAX_FIELDS} fields.");
        let problem = Problem::new(Code::InvalidRequest, what);
        return Some(problem.status(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE));
    }
    match site.settings.transport {
        Transport::BehindProxy => {
            let https =
                single(&parts.headers, FORWARDED_PROTO).is_some_and(|p| p.eq_ignore_ascii_case("https"));
            if !https || !site.settings.trusted.contains(peer) {
                let what =
                    "Plain HTTP is accepted only from a trusted proxy that sends X-Forwarded-Proto: https.";
                return Some(Problem::new(Code::InvalidRequest, what).closing());
            }
        }
        Transport::Tls | Transport::PlainDevelopment => {}
    }
    if !site.settings.hardened && parts.headers.keys().any(|name| forwards(name.as_str())) {
        let what = "Development mode refuses forwarded requests: it is not made to stand behind a proxy. Set another environment.";
        return Some(Problem::new(Code::InvalidRequest, what));
    }
    if asks {
        // Some proxies ask at the address that they know us by; the host that the browser asked for is judged with the rest.
        return None;
    }
    // An absolute target names the host whatever the header says (RFC 9112 §3.2.2); both must be ours.
    let target = parts.uri.authority().map(http::uri::Authority::as_str);
    let host = match parts.version {
        Version::HTTP_2 | Version::HTTP_3 => target,
        _ => single(&parts.headers, HOST),
    };
    if parts.headers.get_all(HOST).iter().nth(1).is_some() {
        return Some(Problem::new(Code::InvalidRequest, "The request names several hosts.").closing());
    }
    match host {
        Some(host) if site.knows_host(host) && target.is_none_or(|t| site.knows_host(t)) => None,
        Some(_) => {
            let what = format!("This is {}. The request names another host.", site.settings.public_origin);
            Some(Problem::new(Code::InvalidRequest, what).status(StatusCode::MISDIRECTED_REQUEST))
        }
        None => Some(Problem::new(Code::InvalidRequest, "The request names no host.").closing()),
    }
}
