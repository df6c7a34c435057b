//! The issuer's two documents.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, LOCATION};
use http::{Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rcgen::generate_simple_self_signed;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::state::{KeysAnswer, State, Way, event};

type Body = UnsyncBoxBody<Bytes, Infallible>;
type Shared = Arc<Mutex<State>>;

/// A certificate for localhost, and what serves it.
pub(super) fn acceptor() -> (Option<TlsAcceptor>, Option<String>) {
    let made = generate_simple_self_signed([String::from("localhost")]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    (Some(TlsAcceptor::from(Arc::new(config))), Some(made.cert.pem()))
}

pub(super) async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, state: Shared) {
    // Dropped with this task, and the connections with it.
    let mut tasks = JoinSet::new();
    let beating = Arc::clone(&state);
    tasks.spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let mut state = beating.lock().unwrap();
            if state.stream == Way::On {
                let heartbeat = state.heartbeat();
                state.tell(&heartbeat);
            }
        }
    });
    while let Ok((stream, _peer)) = listener.accept().await {
        let (state, tls) = (Arc::clone(&state), tls.clone());
        tasks.spawn(async move {
            match tls {
                None => converse(stream, state).await,
                Some(tls) => {
                    // A client that does not trust the certificate hangs up.
                    if let Ok(stream) = tls.accept(stream).await {
                        converse(stream, state).await;
                    }
                }
            }
        });
    }
}

async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin + 'static, state: Shared) {
    let service = service_fn(|request| answer(request, Arc::clone(&state)));
    // Clients that hang up are part of tests.
    drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
}

async fn answer(request: Request<Incoming>, state: Shared) -> Result<Response<Body>, Infallible> {
    let header = |name| request.headers().get(name).map(|v| v.to_str().unwrap().to_owned());
    match request.uri().path() {
        "/.well-known/jwks.json" => Ok(keys(&state).await),
        "/auth/revocations" => {
            state.lock().unwrap().authorizations.extend(header(AUTHORIZATION));
            let live = header(ACCEPT).as_deref() == Some("text/event-stream");
            Ok(if live { stream_of(&state) } else { snapshot(&state) })
        }
        _ => Ok(status(404)),
    }
}

async fn keys(state: &Shared) -> Response<Body> {
    let (jwks, how) = {
        let mut state = state.lock().unwrap();
        state.fetched_keys += 1;
        (state.jwks(), state.keys_answer.clone())
    };
    match how {
        KeysAnswer::Good => typed("application/jwk-set+json", jwks),
        KeysAnswer::Status(code) => {
            let mut answer = typed("application/json", jwks);
            *answer.status_mut() = StatusCode::from_u16(code).unwrap();
            answer
        }
        KeysAnswer::Html => typed("text/html", jwks),
        KeysAnswer::Long => typed("application/json", jwks + &" ".repeat(1 << 20)),
        KeysAnswer::Redirects(target) => {
            let mut answer = status(302);
            answer.headers_mut().insert(LOCATION, target.parse().unwrap());
            answer
        }
        KeysAnswer::Endless => {
            let spaces = stream::unfold((), |()| async {
                tokio::time::sleep(Duration::from_millis(100)).await;
                Some((Ok(Frame::data(Bytes::from_static(b" "))), ()))
            });
            let mut answer = Response::new(StreamBody::new(spaces).boxed_unsync());
            answer.headers_mut().insert(CONTENT_TYPE, "application/json".parse().unwrap());
            answer
        }
        KeysAnswer::Never => std::future::pending().await,
    }
}

fn snapshot(state: &Shared) -> Response<Body> {
    let mut state = state.lock().unwrap();
    state.polls += 1;
    match state.poll {
        Way::On => typed("application/json", state.changes().to_string()),
        Way::Refused => status(401),
        Way::Off | Way::Silent => status(503),
    }
}

fn stream_of(state: &Shared) -> Response<Body> {
    let mut state = state.lock().unwrap();
    state.streams += 1;
    match state.stream {
        Way::Refused => return status(401),
        Way::Off => return status(404),
        Way::On | Way::Silent => {}
    }
    let (sender, receiver) = mpsc::unbounded_channel();
    if state.stream == Way::On {
        for news in ["retry: 1000\n\n".into(), event("changes", &state.changes()), state.heartbeat()] {
            sender.send(news).unwrap();
        }
    }
    state.listeners.push(sender);
    let news = stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|news| (Ok(Frame::data(news)), receiver))
    });
    let mut answer = Response::new(StreamBody::new(news).boxed_unsync());
    answer.headers_mut().insert(CONTENT_TYPE, "text/event-stream; charset=utf-8".parse().unwrap());
    answer
}

fn status(code: u16) -> Response<Body> {
    let mut answer = Response::new(Full::new(Bytes::new()).boxed_unsync());
    *answer.status_mut() = StatusCode::from_u16(code).unwrap();
    answer
}

fn typed(content_type: &'static str, body: String) -> Response<Body> {
    let mut answer = Response::new(Full::new(Bytes::from(body)).boxed_unsync());
    answer.headers_mut().insert(CONTENT_TYPE, content_type.parse().unwrap());
    answer
}
