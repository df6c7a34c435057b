//! One request to the pinned origin, on a connection of its own.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use countersign_core::domain::secret::SecretString;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use http::{HeaderName, Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::{FetchError, Origin};

/// The longest answer head.
const MAX_HEAD: usize = 16 * 1024;

/// The way to the issuer.
#[derive(Clone)]
pub(crate) struct Door {
    origin: Origin,
    tls: Option<TlsConnector>,
    /// For connecting and for an answer's head, each; and for a whole body where one is read.
    limit: Duration,
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Door").field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// An answer whose body is still to be read. Dropping it closes the connection.
#[derive(Debug)]
pub(crate) struct Opened {
    body: Incoming,
    driver: AbortHandle,
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Opened {
    /// The next piece of the body; `None` at its end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, FetchError> {
        while let Some(frame) = self.body.frame().await {
            if let Ok(data) = frame?.into_data() {
                return Ok(Some(data));
            }
        }
        Ok(None)
    }

    /// The whole body, if it is not longer than `cap` bytes.
    pub(crate) async fn whole(&mut self, cap: usize) -> Result<Bytes, FetchError> {
        let mut all = BytesMut::new();
        while let Some(piece) = self.next().await? {
            if all.len() + piece.len() > cap {
                return Err(FetchError::TooLong);
            }
            all.extend_from_slice(&piece);
        }
        Ok(all.freeze())
    }
}

/// A request.
#[derive(Debug)]
pub(crate) struct Get<'a> {
    /// Path and query.
    pub(crate) target: &'a str,
    /// Content types that will do; the first is asked for.
    pub(crate) types: &'a [&'static str],
    /// An API key.
    pub(crate) key: Option<&'a SecretString>,
    /// One more header.
    pub(crate) header: Option<(HeaderName, &'a str)>,
}

impl Door {
    pub(crate) const fn new(origin: Origin, tls: Option<TlsConnector>, limit: Duration) -> Self {
        Self { origin, tls, limit }
    }

    pub(crate) const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Fetches a whole document.
    pub(crate) async fn fetch(&self, get: Get<'_>, cap: usize) -> Result<Bytes, FetchError> {
        let whole = async { self.open(get).await?.whole(cap).await };
        timeout(self.limit, whole).await.map_err(|_elapsed| FetchError::TimedOut)?
    }

    /// Sends the request and reads the answer's head.
    pub(crate) async fn open(&self, get: Get<'_>) -> Result<Opened, FetchError> {
        timeout(self.limit, self.exchange(get)).await.map_err(|_elapsed| FetchError::TimedOut)?
    }

    async fn exchange(&self, get: Get<'_>) -> Result<Opened, FetchError> {
        let request = self.request(&get)?;
        let stream = self.connect().await?;
        let Some(tls) = &self.tls else { return answer(stream, request, get.types).await };
        let name = ServerName::try_from(self.origin.host.to_string())
            .map_err(|_invalid| FetchError::Unreadable("host is no server name"))?;
        let stream = tls.connect(name, stream).await.map_err(FetchError::Tls)?;
        answer(stream, request, get.types).await
    }

    async fn connect(&self) -> Result<TcpStream, FetchError> {
        let stream = match self.origin.address() {
            Some(address) => TcpStream::connect(SocketAddr::new(address, self.origin.port)).await,
            None => TcpStream::connect((&*self.origin.host, self.origin.port)).await,
        };
        let stream = stream.map_err(FetchError::Connect)?;
        stream.set_nodelay(true).map_err(FetchError::Connect)?;
        Ok(stream)
    }

    fn request(&self, get: &Get<'_>) -> Result<Request<Empty<Bytes>>, FetchError> {
        let unfit = |_error| FetchError::Unreadable("request has a header that cannot be sent");
        let mut request = Request::new(Empty::new());
        *request.uri_mut() =
            get.target.parse().map_err(|_invalid| FetchError::Unreadable("request has a bad target"))?;
        let headers = request.headers_mut();
        headers.insert(HOST, HeaderValue::try_from(&*self.origin.authority).map_err(unfit)?);
        headers.insert(
            USER_AGENT,
            HeaderValue::from_static(concat!("countersign-verify/", env!("CARGO_PKG_VERSION"))),
        );
        if let Some(first) = get.types.first() {
            headers.insert(ACCEPT, HeaderValue::from_static(first));
        }
        if let Some(key) = get.key {
            let mut value = HeaderValue::try_from(format!("Bearer {}", key.expose())).map_err(unfit)?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        if let Some((name, value)) = &get.header {
            headers.insert(name, HeaderValue::try_from(*value).map_err(unfit)?);
        }
        Ok(request)
    }
}

async fn answer(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Empty<Bytes>>,
    types: &[&str],
) -> Result<Opened, FetchError> {
    let (mut sender, connection) =
        http1::Builder::new().max_buf_size(MAX_HEAD).handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "connection to the issuer ended");
        }
    });
    let guard = driver.abort_handle();
    let response = match sender.send_request(request).await {
        Ok(response) => response,
        Err(error) => {
            guard.abort();
            return Err(error.into());
        }
    };
    let (parts, body) = response.into_parts();
    let opened = Opened { body, driver: guard };
    if parts.status != StatusCode::OK {
        return Err(FetchError::Status(parts.status));
    }
    let given = parts.headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    if !types.iter().any(|wanted| essence.eq_ignore_ascii_case(wanted)) {
        return Err(FetchError::ContentType);
    }
    Ok(opened)
}
