//! A small application that does everything right, and everything wrong that it is told to.

mod mistakes;
mod routes;
mod sign_in;
mod state;
mod tls;
mod token;
mod wire;

use std::convert::Infallible;
use std::io::Write;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use mistakes::Mistakes;
use serde_json::json;
use state::State;
use token::{SECRET, signed};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use wire::Asked;

pub(crate) const VICTIM: &str = "victim@example.test";
pub(crate) const ATTACKER: &str = "attacker@example.test";
pub(crate) const PASSWORD: &str = "correct horse battery";

/// How it keeps people signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// An opaque access cookie of fifteen minutes and a rotating refresh cookie.
    Cookies,
    /// A JWT in the body, sent as bearer, with a rotating refresh token in the body.
    Bearer,
    /// The same, signed with a key pair whose public half is served.
    KeyPair,
}

#[derive(Debug)]
pub(crate) struct Fake {
    pub(crate) url: String,
    pub(crate) log: tempfile::NamedTempFile,
    /// The certificate, in PEM, where it speaks TLS.
    pub(crate) ca: Option<String>,
    state: Arc<Mutex<State>>,
}

/// Linux takes this for loopback, and nobody takes it for a name of this machine: what is not judged on localhost is judged here.
const ANYWHERE: &str = "0.0.0.0";

impl Fake {
    pub(crate) async fn start(style: Style, mistakes: &[&'static str]) -> Self {
        Self::serve("127.0.0.1", None, style, mistakes).await
    }

    /// In the clear, where it would have to be TLS.
    pub(crate) async fn start_in_the_clear(style: Style, mistakes: &[&'static str]) -> Self {
        Self::serve(ANYWHERE, None, style, mistakes).await
    }

    pub(crate) async fn start_tls(style: Style, mistakes: &[&'static str]) -> Self {
        Self::serve(ANYWHERE, Some(tls::Tls::new(ANYWHERE)), style, mistakes).await
    }

    async fn serve(host: &str, tls: Option<tls::Tls>, style: Style, mistakes: &[&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{host}:{}", listener.local_addr().unwrap().port());
        let state = Arc::new(Mutex::new(State::default()));
        let ca = tls.as_ref().map(|tls| tls.pem.clone());
        let app = Arc::new(App {
            style,
            mistakes: mistakes.iter().copied().collect(),
            state: Arc::clone(&state),
            origin: url.clone(),
            is_tls: tls.is_some(),
        });
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (app, tls) = (Arc::clone(&app), tls.clone());
                tokio::spawn(async move {
                    let Some(tls) = tls else { return app.converse(stream).await };
                    let old = app.wrong("tls-versions");
                    if let Some(stream) = tls.shake(stream, old).await {
                        app.converse(stream).await;
                    }
                });
            }
        });
        Self { url, log: tempfile::NamedTempFile::new().unwrap(), ca, state }
    }

    /// Writes what was logged so far into the file. Called before the drill reads it.
    pub(crate) fn flush(&self) {
        self.log.as_file().write_all(&self.state.lock().unwrap().log).unwrap();
    }

    /// A token of the fake's that is good but for having expired.
    pub(crate) fn expired() -> String {
        signed(SECRET, &json!({ "sub": VICTIM, "exp": 1, "purpose": "access", "family": 0 }))
    }

    /// Addresses that signed up.
    pub(crate) fn made(&self) -> Vec<String> {
        self.state.lock().unwrap().made.clone()
    }

    pub(crate) fn biography(&self) -> String {
        self.state.lock().unwrap().biography.get(VICTIM).cloned().unwrap_or_default()
    }
}

struct App {
    style: Style,
    mistakes: Mistakes,
    state: Arc<Mutex<State>>,
    origin: String,
    is_tls: bool,
}

impl App {
    async fn converse(self: Arc<Self>, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let service = service_fn(move |request| {
            let app = Arc::clone(&self);
            async move { Ok::<_, Infallible>(app.answer(request).await) }
        });
        drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
    }

    fn wrong(&self, mistake: &str) -> bool {
        self.mistakes.contains(mistake)
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        let query = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes())
            .into_owned()
            .collect();
        let asked = Asked {
            method: parts.method,
            path: parts.uri.path().to_owned(),
            query,
            headers: parts.headers,
            body,
        };
        if self.wrong("token-in-log") {
            let line = format!(
                "{} authorization={} cookie={}\n",
                asked.path,
                asked.header("authorization"),
                asked.header("cookie")
            );
            self.state.lock().unwrap().log.extend_from_slice(line.as_bytes());
        } else {
            self.state.lock().unwrap().log.extend_from_slice(format!("{}\n", asked.path).as_bytes());
        }
        self.delay(&asked).await;
        let mut said = self.route(&asked);
        if self.wrong("cors-reflection") && !asked.header("origin").is_empty() {
            said = said
                .with("access-control-allow-origin", asked.header("origin"))
                .with("access-control-allow-credentials", "true");
        }
        if self.is_tls && !self.wrong("hsts") {
            said = said.with("strict-transport-security", "max-age=31536000");
        }
        let mut response = Response::builder().status(StatusCode::from_u16(said.status).unwrap());
        for (name, value) in &said.headers {
            response = response.header(name, value);
        }
        response.body(Full::new(Bytes::from(said.body))).unwrap()
    }
}
