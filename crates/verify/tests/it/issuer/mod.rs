//! An issuer for tests: keys, tokens of every shape, and a revocation feed.

mod serve;
mod state;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use countersign_core::domain::signing_key::Algorithm;
use countersign_core::domain::token::jwk::VerifyingKey;
use countersign_core::domain::token::jws;
use countersign_verify::{Builder, Principal, Problem, Verifier};
use data_encoding::BASE64URL_NOPAD;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tokio::time::Instant;

pub(crate) use state::{KeysAnswer, State, Way};

/// A signing key.
pub(crate) struct TestKey {
    pair: Ed25519KeyPair,
    pub(crate) kid: String,
    jwk: Value,
}

impl TestKey {
    pub(crate) fn new() -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        let public = VerifyingKey::new(Algorithm::EdDsa, pair.public_key().as_ref()).unwrap();
        Self { kid: public.kid().to_owned(), jwk: public.to_jwk(), pair }
    }

    /// Signs claims as a token of this `typ`.
    pub(crate) fn sign(&self, typ: &str, claims: &Value) -> String {
        let input = jws::signing_input(Algorithm::EdDsa, &self.kid, typ, claims);
        let signature = self.pair.sign(input.as_bytes());
        jws::assemble(input, signature.as_ref())
    }
}

/// A running issuer. Ends when dropped.
pub(crate) struct Issuer {
    pub(crate) origin: String,
    /// The certificate, if it speaks TLS.
    pub(crate) certificate: Option<String>,
    state: Arc<Mutex<State>>,
    serving: AbortHandle,
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Issuer {
    pub(crate) async fn start() -> Self {
        Self::listen(false).await
    }

    pub(crate) async fn start_tls() -> Self {
        Self::listen(true).await
    }

    async fn listen(tls: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (acceptor, certificate) = if tls { serve::acceptor() } else { (None, None) };
        let origin =
            if tls { format!("https://localhost:{port}") } else { format!("http://127.0.0.1:{port}") };
        let state = Arc::new(Mutex::new(State::new(&origin)));
        let serving = tokio::spawn(serve::accept(listener, acceptor, Arc::clone(&state))).abort_handle();
        Self { origin, certificate, state, serving }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// How often the feed was asked for, as a stream and as an answer.
    pub(crate) fn asked(&self) -> (usize, usize) {
        let state = self.state();
        (state.streams, state.polls)
    }

    pub(crate) fn key(&self) -> Arc<TestKey> {
        Arc::clone(&self.state().keys[0])
    }

    /// Claims of a good access token, some of them changed; null takes one out.
    pub(crate) fn access_claims(&self, over: &Value) -> Value {
        let now = now();
        merged(
            json!({
                "iss": self.origin, "sub": "LPJNul", "aud": ["api"], "client_id": "web", "iat": now, "exp": now + 900, "jti": "j1",
                "sid": sid(7), "gen": 3, "epoch": 1, "env": "development", "purpose": "access", "scope": "orders:read",
                "auth_time": now - 60, "amr": ["pwd"],
            }),
            over,
        )
    }

    /// Claims of a good assertion.
    pub(crate) fn assertion_claims(&self, over: &Value) -> Value {
        let now = now();
        merged(
            json!({
                "iss": self.origin, "sub": "LPJNul", "aud": ["web", "api"], "iat": now, "exp": now + 60, "jti": "j2",
                "session": "pub1", "env": "development", "purpose": "assertion", "scope": "orders:read", "auth_time": now - 60,
                "amr": ["pwd"], "email": "ada@example.com", "email_verified": true,
            }),
            over,
        )
    }

    pub(crate) fn access(&self, over: &Value) -> HeaderMap {
        bearer(&self.key().sign("at+jwt", &self.access_claims(over)))
    }

    pub(crate) fn assertion(&self, over: &Value) -> HeaderMap {
        asserted(&self.key().sign("cs-assertion+jwt", &self.assertion_claims(over)))
    }

    /// A description of a verifier that accepts everything of this issuer.
    pub(crate) fn builder(&self) -> Builder {
        Verifier::builder(&self.origin, "development")
            .audience("api")
            .assertions()
            .access_tokens()
            .revocations("csk_development_x")
    }

    /// A verifier that is ready.
    pub(crate) async fn verifier(&self) -> Verifier {
        ready(self.builder()).await
    }
}

pub(crate) async fn ready(builder: Builder) -> Verifier {
    let verifier = builder.start().unwrap();
    tokio::time::timeout(Duration::from_secs(10), verifier.ready()).await.unwrap();
    verifier
}

fn merged(mut claims: Value, over: &Value) -> Value {
    for (name, value) in over.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

pub(crate) fn headers(lines: &[(&str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in lines {
        map.append(HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap());
    }
    map
}

pub(crate) fn bearer(token: &str) -> HeaderMap {
    headers(&[("authorization", &format!("Bearer {token}"))])
}

pub(crate) fn asserted(token: &str) -> HeaderMap {
    headers(&[("countersign-assertion", token)])
}

/// What a client would be told; "ok" if it is let in.
pub(crate) async fn outcome(verifier: &Verifier, headers: &HeaderMap) -> &'static str {
    let verified: Result<Principal, _> = verifier.verify_headers(headers).await;
    verified.map_or_else(|refusal| Problem::from(&refusal).code().as_str(), |_| "ok")
}

/// How long it takes until a client is told this.
pub(crate) async fn until(
    verifier: &Verifier,
    headers: &HeaderMap,
    code: &str,
    within: Duration,
) -> Duration {
    let start = Instant::now();
    loop {
        let got = outcome(verifier, headers).await;
        if got == code {
            return start.elapsed();
        }
        assert!(start.elapsed() < within, "still {got} after {within:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[expect(clippy::disallowed_methods, reason = "tokens that a verifier with the real clock accepts")]
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

pub(crate) fn sid(byte: u8) -> String {
    BASE64URL_NOPAD.encode(&[byte; 16])
}

pub(crate) fn hashed(text: &str) -> String {
    BASE64URL_NOPAD.encode(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}
