//! Connections to the hosts that the caller named.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use countersign_core::domain::time::Timestamp;
use http::header::{ACCEPT_ENCODING, CONTENT_TYPE, COOKIE, HOST, HeaderName, HeaderValue, SET_COOKIE};
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use url::Url;

use super::answer::Answer;
use super::ask::Ask;
use super::pace::Pace;
use super::set_cookie::SetCookie;
use super::tls::{TlsError, Trust};
use crate::scene::Present;
use crate::target::Origin;
use crate::vault::Vault;

/// Longest answer head in bytes.
const MAX_HEAD: usize = 256 * 1024;

/// What is waited for and read at most.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For connecting, TLS included.
    pub connect: Duration,
    /// For the head, and for the body after it, each.
    pub answer: Duration,
    /// Bytes of a body; the rest is left unread.
    pub body: usize,
    /// From a token's expiry until it must be refused: clocks may differ by a minute (RFC 7519 §4.1.4).
    pub leeway: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(10),
            body: 4 * 1024 * 1024,
            leeway: Duration::from_secs(65),
        }
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// Not one of the named hosts.
    #[error("{0} was not named, so it is not asked: give it on the command line or in the profile")]
    NotNamed(String),
    /// Nobody there.
    #[error("cannot reach {origin}: {error}")]
    Unreachable {
        /// Whom.
        origin: String,
        /// Why.
        error: std::io::Error,
    },
    /// Somebody there, who does not speak TLS that we trust.
    #[error(
        "{origin} is reachable, but its TLS is not trusted: {error} (name its CA with --ca-file, or use --insecure for a local one)"
    )]
    Tls {
        /// Whom.
        origin: String,
        /// Why.
        error: std::io::Error,
    },
    /// Nothing came.
    #[error("{asked}: no answer within {seconds} s")]
    Silent {
        /// What was asked.
        asked: String,
        /// How long.
        seconds: u64,
    },
    /// It began and did not end.
    #[error("{asked}: the answer began with {status} and did not end within {seconds} s")]
    Endless {
        /// What was asked.
        asked: String,
        /// Its status.
        status: u16,
        /// How long.
        seconds: u64,
    },
    /// Not HTTP, or cut off.
    #[error("{asked}: {error}")]
    Http {
        /// What was asked.
        asked: String,
        /// Why.
        error: hyper::Error,
    },
    /// The request cannot be written down, for example a token with a line break in a header.
    #[error("{0}: the request cannot be sent: a header or the address holds what HTTP does not allow")]
    Unsendable(String),
}

/// The way to the named hosts, shared by all agents.
pub struct Net {
    named: Vec<Origin>,
    tls: TlsConnector,
    limits: Limits,
    pace: Pace,
    present: Present,
    vault: Arc<Vault>,
}

impl std::fmt::Debug for Net {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Net")
            .field("named", &self.named)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl Net {
    /// Only `named` are ever asked.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn new(
        named: Vec<Origin>,
        trust: &Trust,
        limits: Limits,
        pace: Pace,
        present: Present,
        vault: Arc<Vault>,
    ) -> Result<Self, TlsError> {
        Ok(Self { named, tls: trust.connector()?, limits, pace, present, vault })
    }

    /// What is waited for.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Requests so far.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.pace.sent()
    }

    /// Opens a TCP connection, for attacks below HTTP; only to the named hosts.
    ///
    /// # Errors
    /// [`NetError`].
    pub async fn tcp(&self, url: &Url) -> Result<TcpStream, NetError> {
        let origin = Origin::of(url).filter(|origin| self.named.contains(origin));
        let Some(origin) = origin else { return Err(NetError::NotNamed(url.to_string())) };
        let unreachable = |error| NetError::Unreachable { origin: origin.to_string(), error };
        let host = origin.host.trim_start_matches('[').trim_end_matches(']');
        // Browsers resolve every name below localhost to loopback (RFC 6761 §6.3); resolvers often do not.
        let host = if host.ends_with(".localhost") { "localhost" } else { host };
        let connecting = timeout(self.limits.connect, TcpStream::connect((host, origin.port))).await;
        let stream = match connecting {
            Ok(connected) => connected.map_err(unreachable)?,
            Err(_elapsed) => {
                return Err(unreachable(std::io::Error::new(
                    std::io::ErrorKind::TimedOut,
                    "no connection in time",
                )));
            }
        };
        stream
            .set_nodelay(true)
            .map_err(|error| NetError::Unreachable { origin: origin.to_string(), error })?;
        Ok(stream)
    }

    /// Sends one request on a connection of its own and reads the answer.
    ///
    /// # Errors
    /// [`NetError`].
    pub(super) async fn exchange(&self, ask: &Ask, cookies: Option<String>) -> Result<Answer, NetError> {
        let request = self.request(ask, cookies)?;
        self.pace.turn().await;
        let stream = self.tcp(&ask.url).await?;
        if ask.url.scheme() != "https" {
            return self.converse(stream, ask, request).await;
        }
        let origin = Origin::of(&ask.url).map(|origin| origin.to_string()).unwrap_or_default();
        let host =
            ask.url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host).map_err(|_invalid| NetError::Unsendable(ask.line()))?;
        let hands = timeout(self.limits.connect, self.tls.connect(name, stream)).await;
        match hands {
            Ok(Ok(stream)) => self.converse(stream, ask, request).await,
            Ok(Err(error)) => Err(NetError::Tls { origin, error }),
            Err(_elapsed) => {
                Err(NetError::Silent { asked: ask.line(), seconds: self.limits.connect.as_secs() })
            }
        }
    }

    fn request(&self, ask: &Ask, cookies: Option<String>) -> Result<Request<Full<Bytes>>, NetError> {
        let unsendable = || NetError::Unsendable(ask.line());
        let target = match ask.url.query() {
            Some(query) => format!("{}?{query}", ask.url.path()),
            None => ask.url.path().to_owned(),
        };
        let mut headers = HeaderMap::new();
        let origin = Origin::of(&ask.url).ok_or_else(unsendable)?;
        let own = origin.to_string();
        let authority = own.split_once("://").map(|(_, authority)| authority.to_owned()).unwrap_or_default();
        let mut set = |name: &str, value: &str, sensitive: bool| -> Result<(), NetError> {
            let name = HeaderName::try_from(name).map_err(|_invalid| NetError::Unsendable(ask.line()))?;
            let mut value =
                HeaderValue::try_from(value).map_err(|_invalid| NetError::Unsendable(ask.line()))?;
            value.set_sensitive(sensitive);
            headers.insert(name, value);
            Ok(())
        };
        set(HOST.as_str(), &authority, false)?;
        set(ACCEPT_ENCODING.as_str(), "identity", false)?;
        let page = ask.from.is_top_level();
        set(
            "accept",
            if page { "text/html,application/xhtml+xml,*/*;q=0.8" } else { "application/json, */*;q=0.5" },
            false,
        )?;
        for (name, value) in ask.from.headers(&ask.method, &own) {
            set(name, &value, false)?;
        }
        if let Some(body) = &ask.body {
            set(CONTENT_TYPE.as_str(), body.kind, false)?;
        }
        if let Some(cookies) = cookies {
            set(COOKIE.as_str(), &cookies, true)?;
        }
        for (name, value) in &ask.headers {
            set(name, value, true)?;
        }
        let body = ask.body.as_ref().map(|body| Bytes::from(body.bytes.clone())).unwrap_or_default();
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = ask.method.clone();
        *request.uri_mut() = target.parse().map_err(|_invalid| unsendable())?;
        *request.headers_mut() = headers;
        Ok(request)
    }

    async fn converse(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        ask: &Ask,
        request: Request<Full<Bytes>>,
    ) -> Result<Answer, NetError> {
        let broken = |error| NetError::Http { asked: ask.line(), error };
        let seconds = self.limits.answer.as_secs();
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(MAX_HEAD)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(broken)?;
        let driver = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::trace!(%error, "connection ended");
            }
        });
        let guard = AbortOnDrop(driver.abort_handle());
        let sent_at = Instant::now();
        let answered = timeout(self.limits.answer, sender.send_request(request)).await;
        let response = match answered {
            Ok(response) => response.map_err(broken)?,
            Err(_elapsed) => return Err(NetError::Silent { asked: ask.line(), seconds }),
        };
        let took = sent_at.elapsed();
        let (parts, incoming) = response.into_parts();
        let status = parts.status.as_u16();
        let read = timeout(self.limits.answer, read(incoming, self.limits.body)).await;
        let (body, cut) = match read {
            Ok(read) => read.map_err(broken)?,
            Err(_elapsed) => return Err(NetError::Endless { asked: ask.line(), status, seconds }),
        };
        drop(guard);
        let now: Timestamp = self.present.now();
        let set_cookies: Vec<SetCookie> = parts
            .headers
            .get_all(SET_COOKIE)
            .iter()
            .filter_map(|value| SetCookie::parse(&String::from_utf8_lossy(value.as_bytes()), now))
            .collect();
        for cookie in &set_cookies {
            self.vault.keep(&cookie.value);
        }
        let (asked, url) = (ask.line(), ask.url.clone());
        Ok(Answer { asked, url, status, headers: parts.headers, set_cookies, body, cut, took })
    }
}

/// Ends the connection whatever happens.
struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The body up to `most` bytes, and whether there was more.
async fn read(mut body: Incoming, most: usize) -> Result<(Bytes, bool), hyper::Error> {
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            let room = most - all.len();
            if data.len() > room {
                all.extend_from_slice(data.get(..room).unwrap_or_default());
                return Ok((all.freeze(), true));
            }
            all.extend_from_slice(&data);
        }
    }
    Ok((all.freeze(), false))
}
