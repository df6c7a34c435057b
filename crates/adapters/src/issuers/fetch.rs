//! One fetch of a JWK set, on a connection of its own: a pinned host, no redirects, caps on time, size and keys (H09).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use countersign_core::domain::token::jwks::{self, JwksRefusal, MAX_JWKS};
use countersign_core::domain::token::jws::KeySet;
use http::header::{ACCEPT, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::address::JwksUrl;

/// A whole fetch.
pub(super) const LIMIT: Duration = Duration::from_secs(5);
/// The longest answer head.
const MAX_HEAD: usize = 16 * 1024;
const TYPES: [&str; 2] = ["application/jwk-set+json", "application/json"];

/// Why keys could not be fetched; for operators.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("cannot connect: {0}")]
    Connect(#[source] std::io::Error),
    #[error("the TLS handshake failed: {0}")]
    Tls(#[source] std::io::Error),
    #[error("no answer within {} s", LIMIT.as_secs())]
    TimedOut,
    #[error("the exchange failed: {0}")]
    Exchange(#[from] hyper::Error),
    /// Redirects too: following one would move the trust to wherever it points.
    #[error("the answer was {0}, and redirects are not followed")]
    Status(StatusCode),
    #[error("the answer is no application/json")]
    ContentType,
    #[error("the answer is longer than {} kB", MAX_JWKS / 1024)]
    TooLong,
    #[error("the address cannot be asked")]
    Address,
    #[error(transparent)]
    Keys(#[from] JwksRefusal),
}

/// The certificate authorities of the system, for all issuers; `SSL_CERT_FILE` and `SSL_CERT_DIR` are heeded. `None` if there are none.
pub(super) fn system_tls() -> Option<TlsConnector> {
    let mut roots = RootCertStore::empty();
    let (_added, _ignored) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return None;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .ok()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Some(TlsConnector::from(Arc::new(config)))
}

/// Fetches and reads the set.
pub(super) async fn fetch(from: &JwksUrl, tls: Option<&TlsConnector>) -> Result<KeySet, FetchError> {
    timeout(LIMIT, exchange(from, tls)).await.map_err(|_elapsed| FetchError::TimedOut)?
}

async fn exchange(from: &JwksUrl, tls: Option<&TlsConnector>) -> Result<KeySet, FetchError> {
    let stream = match from.host.parse::<IpAddr>() {
        Ok(address) => TcpStream::connect(SocketAddr::new(address, from.port)).await,
        Err(_a_name) => TcpStream::connect((&*from.host, from.port)).await,
    };
    let stream = stream.map_err(FetchError::Connect)?;
    let body = match tls {
        None if from.https => return Err(FetchError::Address),
        None => ask(from, stream).await?,
        Some(tls) => {
            let name = ServerName::try_from(from.host.to_string()).map_err(|_no_name| FetchError::Address)?;
            ask(from, tls.connect(name, stream).await.map_err(FetchError::Tls)?).await?
        }
    };
    Ok(jwks::parse(&body)?)
}

async fn ask(
    from: &JwksUrl,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> Result<Bytes, FetchError> {
    let (mut sender, connection) =
        http1::Builder::new().max_buf_size(MAX_HEAD).handshake(TokioIo::new(stream)).await?;
    // Ends with this call, whatever becomes of it.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let answer = sender.send_request(request(from)?).await?;
    if answer.status() != StatusCode::OK {
        return Err(FetchError::Status(answer.status()));
    }
    let given = answer.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    if !TYPES.iter().any(|wanted| essence.eq_ignore_ascii_case(wanted)) {
        return Err(FetchError::ContentType);
    }
    match Limited::new(answer.into_body(), MAX_JWKS).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(FetchError::TooLong),
        Err(error) => Err(match error.downcast::<hyper::Error>() {
            Ok(error) => FetchError::Exchange(*error),
            Err(_other) => FetchError::TooLong,
        }),
    }
}

fn request(from: &JwksUrl) -> Result<Request<Empty<Bytes>>, FetchError> {
    let mut request = Request::new(Empty::new());
    *request.uri_mut() = from.target.parse::<Uri>().map_err(|_no_target| FetchError::Address)?;
    let headers = request.headers_mut();
    headers.insert(HOST, HeaderValue::try_from(&*from.authority).map_err(|_no_header| FetchError::Address)?);
    headers.insert(ACCEPT, HeaderValue::from_static("application/jwk-set+json, application/json"));
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("countersign/", env!("CARGO_PKG_VERSION"))));
    Ok(request)
}
