//! Sending: one HTTP/1.1 connection a request, so that no test depends on what another left behind.

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::answer::Answer;
use super::request::Request;

/// Sends, and reads everything.
pub(super) async fn send(request: Request) -> Answer {
    let (parts, body) = open(&request).await.into_parts();
    let body = body.collect().await.expect("the answer's body").to_bytes();
    let asked = format!("{} {}", request.method, request.target);
    Answer { asked, status: parts.status, headers: parts.headers, body }
}

/// Sends, and follows the cookies of the head.
pub(super) async fn open(request: &Request) -> Response<Incoming> {
    let door = &request.client.door;
    let stream = TcpStream::connect(door.address).await.expect("connect");
    let answer = match &door.tls {
        None => exchange(stream, request).await,
        Some(config) => {
            let host = door.origin.split("://").nth(1).and_then(|rest| rest.split(':').next());
            let name = ServerName::try_from(host.expect("host").to_owned()).expect("name");
            let connector = TlsConnector::from(Arc::clone(config));
            exchange(connector.connect(name, stream).await.expect("TLS"), request).await
        }
    };
    if request.follows_cookies() {
        let mut jar = request.client.jar();
        for header in answer.headers().get_all("set-cookie") {
            jar.put(header.to_str().expect("ASCII"));
        }
    }
    answer
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: &Request,
) -> Response<Incoming> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("handshake");
    tokio::spawn(async move {
        // A server that closes first is part of tests.
        drop(connection.with_upgrades().await);
    });
    let mut message = http::Request::builder().method(request.method.clone()).uri(request.target.as_str());
    for (name, value) in request.all_headers() {
        message = message.header(name, value);
    }
    let message = message.body(Full::new(Bytes::clone(&request.body))).expect("a request");
    let answer = sender.send_request(message).await.expect("an answer");
    drop(sender);
    answer
}
