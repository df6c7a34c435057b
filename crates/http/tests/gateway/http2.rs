//! HTTP/2 in: over TLS by ALPN, and with prior knowledge behind a proxy.

use std::sync::Arc;

use bytes::Bytes;
use countersign_core::domain::cookie::CookieKind;
use countersign_testkit::{Client, TestSite, TestUpstream};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::scene::{LAPSE, Scene};

type Sender = SendRequest<Empty<Bytes>>;

async fn speak(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Sender {
    let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(async move { drop(connection.await) });
    sender
}

async fn behind_proxy(scene: &Scene) -> Sender {
    speak(TcpStream::connect(scene.site.address()).await.unwrap()).await
}

fn request(target: &str) -> http::request::Builder {
    Request::get(format!("https://app.countersign.test{target}"))
        .header("x-forwarded-proto", "https")
        .header("sec-fetch-site", "same-origin")
}

async fn send(sender: &mut Sender, request: http::request::Builder) -> Response<Incoming> {
    sender.send_request(request.body(Empty::new()).unwrap()).await.unwrap()
}

/// Browsers cut `Cookie` into crumbs; ours are found in them, and the application gets one header.
#[tokio::test]
async fn cookie_crumbs() {
    let scene = Scene::new().await;
    let browser = scene.browser().await;
    let mut sender = behind_proxy(&scene).await;
    let crumbs = |browser: &Client| {
        let mut request = request("/a").header("cookie", "a=1");
        for cookie in browser.cookies() {
            request = request.header("cookie", format!("{}={}", cookie.name, cookie.value));
        }
        request.header("cookie", "b=2; c=3")
    };
    let answer = send(&mut sender, crumbs(&browser)).await;
    assert_eq!(answer.status(), 200);
    let seen = scene.upstream.last();
    assert!(seen.header("x-auth-user").is_some());
    assert_eq!(seen.header("cookie").as_deref(), Some("a=1; b=2; c=3"));
    assert_eq!(seen.header("host").as_deref(), Some("app.countersign.test"));

    // B04: doubled ones, in crumbs of their own.
    let name = scene.name(CookieKind::Access);
    let doubled = send(&mut sender, crumbs(&browser).header("cookie", format!("{name}=evil"))).await;
    assert_eq!(doubled.status(), 401);

    // Rotated on the way.
    scene.site.advance(LAPSE);
    let answer = send(&mut sender, crumbs(&browser)).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers().get_all("set-cookie").iter().count(), 4);
    assert!(answer.headers().get("connection").is_none());
}

/// K09, K03 and limits on heads hold as in HTTP/1.1.
#[tokio::test]
async fn k09_the_same_refusals() {
    let scene = Scene::new().await;
    let mut sender = behind_proxy(&scene).await;
    let evil = Request::get("https://evil.test/open/a").header("x-forwarded-proto", "https");
    assert_eq!(send(&mut sender, evil).await.status(), 421);
    let contradicting = request("/open/a").header("host", "evil.test");
    assert_eq!(send(&mut sender, contradicting).await.status(), 400);
    let trace = Request::builder().method("TRACE").uri("https://app.countersign.test/open/a");
    assert_eq!(send(&mut sender, trace.header("x-forwarded-proto", "https")).await.status(), 405);
    assert_eq!(send(&mut sender, request("/a")).await.status(), 401);
    assert_eq!(scene.arrived(), 0);
    let mut big = request("/open/a");
    for n in 0..20 {
        big = big.header(format!("x-big-{n}"), "x".repeat(4000));
    }
    let answer = sender.send_request(big.body(Empty::new()).unwrap()).await;
    assert!(
        answer.is_err() || answer.is_ok_and(|a| a.status() == StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)
    );
    assert_eq!(scene.arrived(), 0);
    let mut sender = behind_proxy(&scene).await;
    assert_eq!(send(&mut sender, request("/open/a")).await.status(), 200);
}

/// Many at once on one connection, each with its own answer.
#[tokio::test]
async fn j07_multiplexed_requests_keep_their_answers() {
    let scene = Scene::new().await;
    let sender = behind_proxy(&scene).await;
    let requests = (0..60).map(|n| {
        let mut sender = sender.clone();
        async move {
            let answer = send(&mut sender, request(&format!("/open/{n}?delay_ms={}", (n * 7) % 40))).await;
            let body = answer.into_body().collect().await.unwrap().to_bytes();
            let seen: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(seen["path"], format!("/open/{n}"));
        }
    });
    futures_util::future::join_all(requests).await;
}

/// Own TLS, HTTP/2 by ALPN.
#[tokio::test]
async fn over_tls() {
    let upstream = TestUpstream::start().await;
    let site = TestSite::production().tls().upstream(upstream.origin()).start().await;
    let browser = site.signed_in("ada@example.test").await;
    let mut config =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate))
            .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let stream = TcpStream::connect(site.address()).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let stream = connector.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let mut sender = speak(stream).await;
    let mut ask = Request::get(format!("{}/a", site.origin())).header("sec-fetch-site", "same-origin");
    for cookie in browser.cookies() {
        ask = ask.header("cookie", format!("{}={}", cookie.name, cookie.value));
    }
    let answer = send(&mut sender, ask).await;
    assert_eq!(answer.status(), 200);
    assert!(answer.headers().contains_key("strict-transport-security"));
    let seen = upstream.last();
    assert!(seen.header("x-auth-user").is_some());
    assert_eq!(seen.header("x-forwarded-proto").as_deref(), Some("https"));
}

/// The certificate is made for each test: who the server is, is not the question here.
#[derive(Debug)]
struct AnyCertificate;

impl rustls::client::danger::ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &rustls::pki_types::CertificateDer<'_>,
        _intermediates: &[rustls::pki_types::CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &rustls::pki_types::CertificateDer<'_>,
        _dss: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &rustls::pki_types::CertificateDer<'_>,
        _dss: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256, SignatureScheme::ED25519]
    }
}
