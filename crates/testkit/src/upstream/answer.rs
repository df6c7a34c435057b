//! What the application answers.

use std::convert::Infallible;
use std::sync::PoisonError;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use http::{Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::{App, Log, Seen, websocket};
use crate::client::percent_decode;

/// Any body.
pub(super) type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Answers one request.
pub(super) async fn answer(
    request: Request<Incoming>,
    origin: String,
    log: Log,
    app: Option<App>,
) -> Result<Response<Body>, Infallible> {
    let seen = Seen {
        method: request.method().clone(),
        target: request.uri().path_and_query().map(ToString::to_string).unwrap_or_default(),
        headers: request.headers().clone(),
    };
    log.lock().unwrap_or_else(PoisonError::into_inner).push(seen.clone());
    if let Some(app) = app {
        let body =
            request.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        return Ok(app(&seen, &body).map(|body| Full::new(body).boxed_unsync()));
    }
    Ok(match request.uri().path() {
        "/sse" => events(),
        "/ws" => websocket::upgrade(request),
        "/redirect" => {
            let mut found = text(String::new());
            *found.status_mut() = StatusCode::FOUND;
            let target = HeaderValue::try_from(format!("{origin}/landed")).expect("location");
            found.headers_mut().insert(LOCATION, target);
            found
        }
        "/big" => big(&request),
        "/slow-body" => {
            let length = request.into_body().collect().await.map_or(0, |b| b.to_bytes().len());
            text(length.to_string())
        }
        _ => echo(request).await,
    })
}

fn text(body: String) -> Response<Body> {
    Response::new(Full::new(Bytes::from(body)).boxed_unsync())
}

fn knobs(query: &str) -> impl Iterator<Item = (&str, String)> {
    query.split('&').filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        Some((name, percent_decode(value)))
    })
}

async fn echo(request: Request<Incoming>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(|b| b.to_bytes()).unwrap_or_default();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let headers: Vec<Value> = parts
        .headers
        .iter()
        .map(|(name, value)| json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())]))
        .collect();
    let seen = json!({
        "method": parts.method.as_str(),
        "path": parts.uri.path(),
        "query": query,
        "headers": headers,
        "body": String::from_utf8_lossy(&body),
    });
    let mut answer = text(seen.to_string());
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in knobs(&query) {
        match name {
            "status" => *answer.status_mut() = value.parse().expect("status"),
            "late_ms" => answer = late(answer, value.parse().expect("late")),
            "delay_ms" => tokio::time::sleep(Duration::from_millis(value.parse().expect("delay"))).await,
            "header" => {
                let (name, value) = value.split_once(':').expect("header=name:value");
                let name = HeaderName::try_from(name).expect("header name");
                answer.headers_mut().append(name, HeaderValue::try_from(value.trim()).expect("header value"));
            }
            _ => {}
        }
    }
    answer
}

/// The same in chunks, of which the first comes after the head.
fn late(answer: Response<Body>, millis: u64) -> Response<Body> {
    answer.map(|body| {
        let pieces = stream::once(async move {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            Ok(Frame::data(body.collect().await.map(|b| b.to_bytes()).unwrap_or_default()))
        });
        StreamBody::new(pieces).boxed_unsync()
    })
}

fn events() -> Response<Body> {
    let ticks = stream::unfold(0u64, |n| async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Some((Ok(Frame::data(Bytes::from(format!("data: {n}\n\n")))), n + 1))
    });
    let mut answer = Response::new(StreamBody::new(ticks).boxed_unsync());
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    answer
}

fn big(request: &Request<Incoming>) -> Response<Body> {
    const CHUNK: usize = 64 * 1024;
    let query = request.uri().query().unwrap_or_default();
    let bytes =
        knobs(query).find(|(name, _)| *name == "bytes").map_or(1 << 20, |(_, n)| n.parse().expect("bytes"));
    let chunks = stream::unfold(bytes, |left: usize| async move {
        let size = left.min(CHUNK);
        (size > 0).then(|| (Ok(Frame::data(Bytes::from(vec![b'x'; size]))), left - size))
    });
    Response::new(StreamBody::new(chunks).boxed_unsync())
}
