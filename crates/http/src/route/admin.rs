//! `/healthz`, `/readyz` and `/metrics`, on listeners of their own (K06).

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use countersign_core::port::{IssuerKeys, Outside};
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, StatusCode};

use crate::site::Site;
use crate::wire::body::{Answer, AnswerBody};

/// The format that Prometheus and OpenMetrics readers take.
const METRICS: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// Answers a request on the admin (`metrics`) or health listener.
pub(crate) async fn answer<O: Outside>(
    site: &Arc<Site<O>>,
    method: &Method,
    path: &str,
    metrics: bool,
) -> Answer {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return text(StatusCode::METHOD_NOT_ALLOWED, "method not allowed\n".into());
    }
    match path {
        "/healthz" => text(StatusCode::OK, "ok\n".into()),
        "/readyz" => ready(site).await,
        "/metrics" if metrics => {
            let mut answer = text(StatusCode::OK, render(site));
            answer.headers_mut().insert(CONTENT_TYPE, METRICS);
            answer
        }
        _ => text(StatusCode::NOT_FOUND, "not found\n".into()),
    }
}

async fn ready<O: Outside>(site: &Arc<Site<O>>) -> Answer {
    if !site.ready.load(Ordering::Relaxed) {
        return text(StatusCode::SERVICE_UNAVAILABLE, "stopping\n".into());
    }
    match tokio::time::timeout(Duration::from_secs(2), site.engine.ready()).await {
        Ok(Ok(())) => text(StatusCode::OK, readiness(site)),
        Ok(Err(_)) | Err(_) => text(StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n".into()),
    }
}

/// "ready", and what is wrong all the same. An issuer that is away costs its own users something, never the others: this node
/// stays in service.
fn readiness<O: Outside>(site: &Site<O>) -> String {
    let troubles = site.engine.outside().issuers().troubles();
    std::iter::once(String::from("ready\n"))
        .chain(troubles.iter().map(|t| format!("warning: {t}\n")))
        .collect()
}

fn render<O: Outside>(site: &Site<O>) -> String {
    let mut lines = String::new();
    for (name, kind, help, value) in site.metrics() {
        // Writing to a String cannot fail.
        let _infallible = writeln!(lines, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
    }
    lines
}

fn text(status: StatusCode, body: String) -> Answer {
    let mut answer = Answer::new(AnswerBody::from(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}
