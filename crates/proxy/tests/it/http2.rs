//! HTTP/2 clients before HTTP/1.1 upstreams.

use bytes::Bytes;
use http::{Request, Response, StatusCode, Version};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::convert::Infallible;
use tokio::io::AsyncWriteExt;

use crate::harness::{Gateway, Scripted, read_head, read_rest, read_until, soon};

type Sent = BoxBody<Bytes, Infallible>;

async fn client(gateway: &Gateway) -> SendRequest<Sent> {
    let io = TokioIo::new(gateway.connect().await);
    let (sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    sender
}

async fn send(client: &mut SendRequest<Sent>, request: Request<Sent>) -> Response<Incoming> {
    soon(client.send_request(request)).await.unwrap()
}

async fn text(answer: Response<Incoming>) -> String {
    String::from_utf8(soon(answer.into_body().collect()).await.unwrap().to_bytes().to_vec()).unwrap()
}

fn echoing(end: &'static str) -> impl Future<Output = Scripted> {
    Scripted::start(move |_, mut stream| async move {
        loop {
            let mut seen = read_head(&mut stream).await;
            if seen.is_empty() {
                return;
            }
            if !end.is_empty() {
                seen.push_str(&read_until(&mut stream, end).await);
            }
            let answer = format!(
                "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: {}\r\n\r\n{seen}",
                seen.len()
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    })
}

#[tokio::test]
async fn http2_becomes_http11_with_one_host_and_one_cookie() {
    let gateway = Gateway::start(echoing("").await.upstream()).await;
    let mut client = client(&gateway).await;
    let request = Request::get("https://app.example.com/a?b")
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .header("x_auth_user", "root")
        .body(Empty::new().boxed())
        .unwrap();
    let answer = send(&mut client, request).await;
    assert_eq!(answer.version(), Version::HTTP_2);
    let seen = text(answer).await.to_lowercase();
    assert!(
        seen.starts_with("get /a?b http/1.1\r\n") && seen.contains("\r\nhost: app.example.com\r\n"),
        "{seen}"
    );
    assert!(seen.contains("\r\ncookie: a=1; b=2\r\n") && !seen.contains("root"), "{seen}");
    assert!(!seen.contains("content-length") && !seen.contains("transfer-encoding"), "{seen}");
}

/// A body of unknown length becomes chunked; its trailers travel on.
#[tokio::test]
async fn http2_bodies_without_length_become_chunked_with_trailers() {
    let gateway = Gateway::start(echoing("\r\n\r\n").await.upstream()).await;
    let mut client = client(&gateway).await;
    let mut trailers = http::HeaderMap::new();
    trailers.insert("x-sum", "1".parse().unwrap());
    trailers.insert("x-auth-user", "root".parse().unwrap());
    let frames = [Ok(Frame::data(Bytes::from("abc"))), Ok(Frame::trailers(trailers))];
    let body = StreamBody::new(futures_util::stream::iter(frames)).boxed();
    let request = Request::post("https://a/").header("trailer", "x-sum, x-auth-user").body(body).unwrap();
    let seen = text(send(&mut client, request).await).await.to_lowercase();
    assert!(seen.contains("\r\ntransfer-encoding: chunked\r\n"), "{seen}");
    assert!(seen.ends_with("3\r\nabc\r\n0\r\nx-sum: 1\r\n\r\n"), "{seen}");
}

#[tokio::test]
async fn http2_bodies_with_length_keep_it() {
    let gateway = Gateway::start(echoing("abc").await.upstream()).await;
    let mut client = client(&gateway).await;
    let request = Request::post("https://a/").body(Full::from("abc").boxed()).unwrap();
    let seen = text(send(&mut client, request).await).await.to_lowercase();
    assert!(seen.contains("\r\ncontent-length: 3\r\n") && !seen.contains("transfer-encoding"), "{seen}");
}

/// An answer's trailers reach an HTTP/2 client, less those that must not.
#[tokio::test]
async fn http2_clients_get_trailers() {
    let scripted = Scripted::always(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Grpc-Status\r\n\r\n2\r\nhi\r\n0\r\nGrpc-Status: 0\r\n\
         Set-Cookie: a=b\r\n\r\n",
    )
    .await;
    let gateway = Gateway::start(scripted.upstream()).await;
    let mut client = client(&gateway).await;
    let answer = send(&mut client, Request::get("https://a/").body(Empty::new().boxed()).unwrap()).await;
    let body = soon(answer.into_body().collect()).await.unwrap();
    let trailers = body.trailers().unwrap();
    assert_eq!((trailers.len(), &trailers["grpc-status"]), (1, &http::HeaderValue::from_static("0")));
}

/// K07: an authority and a Host that differ are two routes.
#[tokio::test]
async fn k07_http2_requests_with_two_hosts_are_refused() {
    let gateway = Gateway::start(echoing("").await.upstream()).await;
    let mut client = client(&gateway).await;
    let request = Request::get("https://a/").header("host", "b").body(Empty::new().boxed()).unwrap();
    assert_eq!(send(&mut client, request).await.status(), StatusCode::BAD_REQUEST);
}

/// K09: no tunnels over HTTP/2.
#[tokio::test]
async fn k09_http2_connect_is_refused() {
    let gateway = Gateway::start(echoing("").await.upstream()).await;
    let mut client = client(&gateway).await;
    let request = Request::connect("a:80").body(Empty::new().boxed()).unwrap();
    assert_eq!(send(&mut client, request).await.status(), StatusCode::BAD_REQUEST);
}

/// Many at once over one client connection; each gets its own connection or its turn.
#[tokio::test]
async fn http2_requests_run_side_by_side() {
    let scripted = echoing("").await;
    let gateway = Gateway::start(scripted.upstream()).await;
    let client = client(&gateway).await;
    let tasks: Vec<_> = (0..50)
        .map(|number| {
            let mut client = client.clone();
            tokio::spawn(async move {
                let request = Request::get(format!("https://a/{number}")).body(Empty::new().boxed()).unwrap();
                let seen = text(send(&mut client, request).await).await;
                assert!(seen.starts_with(&format!("GET /{number} HTTP/1.1\r\n")), "{seen}");
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

/// J07: an early answer ends the exchange although the client could still send: the connection is closed at once,
/// not kept for somebody else with half a request in it.
#[tokio::test]
async fn j07_an_early_answer_closes_the_connection_under_an_open_upload() {
    let (gone, mut is_gone) = tokio::sync::mpsc::unbounded_channel();
    let scripted = Scripted::start(move |_, mut stream| {
        let gone = gone.clone();
        async move {
            read_head(&mut stream).await;
            stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\nearly").await.unwrap();
            read_rest(&mut stream).await;
            gone.send(()).unwrap();
        }
    })
    .await;
    let gateway = Gateway::start(scripted.upstream()).await;
    let mut client = client(&gateway).await;
    let first = futures_util::stream::iter([Ok(Frame::data(Bytes::from("abc")))]);
    let body =
        StreamBody::new(futures_util::StreamExt::chain(first, futures_util::stream::pending())).boxed();
    let answer = send(&mut client, Request::post("https://a/").body(body).unwrap()).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert_eq!(text(answer).await, "early");
    soon(is_gone.recv()).await.unwrap();
}
