//! One exchange: request out, answer back.

use std::sync::Arc;
use std::time::Duration;

use http::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, TRANSFER_ENCODING, UPGRADE,
};
use http::{Method, Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use tokio::time::{Instant, sleep, timeout};

use crate::connect::Conn;
use crate::hygiene::{clean_response, has_token, tokens};
use crate::request::prepare;
use crate::response::Exchange;
use crate::tunnel::Tunnel;
use crate::upload::{SentBody, Upload, is_malformed};
use crate::{
    BadRequest, Body, ClientConnection, ForwardContext, ForwardError, Malformed, Phase, ProxyBody, Timeouts,
    Upstream, rewrite_location,
};

/// How often an upload is looked at that is not finished.
const DRIP_LOOK: Duration = Duration::from_secs(10);

impl Upstream {
    /// Sends a request to this upstream and returns its answer, both streamed.
    ///
    /// The request is as the server delivered it, HTTP/1.1 or HTTP/2, with its headers cleaned and then
    /// edited by the caller. The answer is for the client to have: hop-by-hop headers gone, `Location`
    /// rewritten. With status 101 it must be written to the client's connection, whose bytes then go to the
    /// upstream and back until one of them ends it or [`Live::stopped`](crate::Live::stopped) does. Dropping the future or the
    /// answer's body cancels the exchange.
    ///
    /// # Errors
    /// [`ForwardError`], grouped by what to answer.
    pub async fn forward<B: Into<Body>>(
        &self,
        mut request: Request<B>,
        mut context: ForwardContext<'_>,
    ) -> Result<Response<ProxyBody>, ForwardError> {
        let upgraded = request.extensions_mut().remove::<OnUpgrade>();
        let client = request.extensions_mut().remove::<ClientConnection>();
        let (mut parts, body) = request.into_parts();
        let mut body = body.into();
        if self.pool.is_crowded() {
            begin(&mut body, context.timeouts.bounded()).await?;
        }
        let head = parts.method == Method::HEAD;
        let upgrade = prepare(&mut parts, &body, &self.config, &mut context)?;
        let upgrade = upgrade.then(|| parts.headers.get(UPGRADE).cloned().zip(upgraded)).flatten();
        let body = SentBody::new(body, &self.config.protected);
        let upload = body.upload();
        let expects_body = matches!(parts.method, Method::POST | Method::PUT | Method::PATCH);

        let slot = self.pool.slot(client.as_ref()).await?;
        let timeouts = context.timeouts.bounded();
        let (conn, mut answer) =
            self.send(Request::from_parts(parts, body), upload.as_deref(), timeouts).await?;
        inspect(&answer, head)?;

        // A server that expects no body, or refuses the request, may leave the body unread and take it for the
        // next request on the connection: somebody else's answer would be this client's choice (J07).
        let read = upload.is_none()
            || (self.config.reuse_after_body && expects_body && answer.status().as_u16() < 400);
        // And of HTTP/1.0 nobody knows what the other side would make of a next request.
        let reusable = read && answer.version() == Version::HTTP_11;
        *answer.version_mut() = Version::HTTP_11;
        let lease = slot.lease(conn);
        if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
            let (offer, upgraded) = upgrade.ok_or(Malformed::UnaskedUpgrade)?;
            let chosen = chosen(&answer, &offer)?;
            let upstream = hyper::upgrade::on(&mut answer);
            clean_response(answer.headers_mut());
            answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
            answer.headers_mut().insert(UPGRADE, chosen.clone());
            let websocket = chosen.as_bytes().eq_ignore_ascii_case(b"websocket");
            let half_open = timeouts.between_bytes.unwrap_or_else(|| Timeouts::default().first_byte);
            let tunnel = Tunnel {
                client: upgraded,
                upstream,
                lease,
                connection: client,
                live: context.live,
                websocket,
                half_open,
            };
            tokio::spawn(tunnel.run());
            return Ok(answer.map(|_| ProxyBody::empty()));
        }
        clean_response(answer.headers_mut());
        rewrite_location(answer.headers_mut(), &self.config.origin, context.public);
        let events = is_event_stream(answer.headers());
        let between = if events { None } else { timeouts.between_bytes };
        let exchange = Exchange { lease, upload, reusable };
        let protected = Arc::clone(&self.config.protected);
        Ok(answer
            .map(|incoming| ProxyBody::new(incoming, exchange, between, events, context.live, protected)))
    }

    /// Sends it over an idle connection, or a fresh one; a second time over a fresh one if the first turns
    /// out to have been closed while it was idle, and nothing can have happened twice: the request never
    /// left, or it has no body and is idempotent (RFC 9110 §9.2.2).
    async fn send(
        &self,
        request: Request<SentBody>,
        upload: Option<&Upload>,
        timeouts: Timeouts,
    ) -> Result<(Conn, Response<Incoming>), ForwardError> {
        let Some(mut conn) = self.pool.reuse().await else {
            let mut conn = self.pool.fresh().await?;
            let answer =
                self.answer(&mut conn, request, upload, timeouts).await.map_err(|failed| failed.error)?;
            return Ok((conn, answer));
        };
        let spare = (upload.is_none() && request.method().is_idempotent()).then(|| copy(&request));
        let failed = match self.answer(&mut conn, request, upload, timeouts).await {
            Ok(answer) => return Ok((conn, answer)),
            Err(failed) => failed,
        };
        drop(conn);
        let stale = matches!(failed.error, ForwardError::Upstream(_));
        let Some(request) = failed.unsent.or(spare.filter(|_| stale)) else { return Err(failed.error) };
        tracing::debug!(upstream = self.name(), "a pooled connection was stale");
        self.pool.forget_idle();
        let mut conn = self.pool.fresh().await?;
        let answer =
            self.answer(&mut conn, request, upload, timeouts).await.map_err(|failed| failed.error)?;
        Ok((conn, answer))
    }

    /// Waits for the answer's head.
    async fn answer(
        &self,
        conn: &mut Conn,
        request: Request<SentBody>,
        upload: Option<&Upload>,
        timeouts: Timeouts,
    ) -> Result<Response<Incoming>, Failed> {
        let sent = conn.sender.try_send_request(request);
        let late = |error| Failed { error, unsent: None };
        let result = match upload {
            None => timeout(timeouts.first_byte, sent)
                .await
                .map_err(|_elapsed| late(ForwardError::TimedOut(Phase::FirstByte)))?,
            Some(upload) => {
                tokio::pin!(sent);
                let patience = sleep(timeouts.between_bytes.unwrap_or(timeouts.first_byte).min(DRIP_LOOK));
                tokio::pin!(patience);
                loop {
                    tokio::select! {
                        biased;
                        result = &mut sent => break result,
                        () = &mut patience => match overdue(upload, timeouts) {
                            Ok(_) if upload.drips() && self.pool.is_crowded() => {
                                return Err(late(ForwardError::ClientGone));
                            }
                            Ok(rest) => patience.as_mut().reset(Instant::now() + rest.min(DRIP_LOOK)),
                            Err(error) => return Err(late(error)),
                        },
                    }
                }
            }
        };
        result.map_err(|mut failed| {
            let unsent = failed.take_message();
            let error = failed.into_error();
            let error = if upload.is_some_and(Upload::malformed) {
                ForwardError::BadRequest(BadRequest::Chunks)
            } else if upload.is_some_and(Upload::failed) || error.is_body_write_aborted() {
                ForwardError::ClientGone
            } else if error.is_parse() {
                ForwardError::BrokenUpstream(Malformed::Http(error))
            } else {
                ForwardError::Upstream(error)
            };
            Failed { error, unsent }
        })
    }
}

/// Waits for the first bytes of a body. Where connections are getting scarce, those who announce an upload and
/// send nothing of it get none; elsewhere nobody need send before the upstream has seen the head.
async fn begin(body: &mut Body, timeouts: Timeouts) -> Result<(), ForwardError> {
    match timeout(timeouts.between_bytes.unwrap_or(timeouts.first_byte), body.begin()).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) if is_malformed(&error) => Err(BadRequest::Chunks.into()),
        Ok(Err(_)) | Err(_) => Err(ForwardError::ClientGone),
    }
}

struct Failed {
    error: ForwardError,
    /// The request, if no byte of it was written.
    unsent: Option<Request<SentBody>>,
}

/// How much longer to wait for an answer while a body goes up: an upload may take for ever as long as it
/// moves.
fn overdue(upload: &Upload, timeouts: Timeouts) -> Result<Duration, ForwardError> {
    let finished = upload.finished();
    let limit = match (finished, timeouts.between_bytes) {
        (false, Some(between)) => between,
        (false, None) => return Ok(timeouts.first_byte),
        (true, _) => timeouts.first_byte,
    };
    match limit.checked_sub(upload.still_for()) {
        Some(rest) if !rest.is_zero() => Ok(rest),
        _ if !finished && upload.starved() => Err(ForwardError::ClientGone),
        _ => Err(ForwardError::TimedOut(Phase::FirstByte)),
    }
}

/// A copy of a request without a body. Values are shared, not copied.
fn copy(request: &Request<SentBody>) -> Request<SentBody> {
    let mut copy = Request::new(SentBody::empty());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    copy
}

/// An upstream is not believed either: framing that two readers could understand in two ways would let one
/// answer carry another (RFC 9112 §6.3).
fn inspect(answer: &Response<Incoming>, head: bool) -> Result<(), Malformed> {
    let mut encodings = answer.headers().get_all(TRANSFER_ENCODING).iter();
    let Some(encoding) = encodings.next() else { return Ok(()) };
    if answer.headers().contains_key(CONTENT_LENGTH) {
        return Err(Malformed::LengthAndEncoding);
    }
    // To HEAD and with 304 it only says what would be.
    let described = head || answer.status() == StatusCode::NOT_MODIFIED;
    let chunked = encoding.as_bytes().eq_ignore_ascii_case(b"chunked") && encodings.next().is_none();
    if chunked || described { Ok(()) } else { Err(Malformed::TransferEncoding) }
}

/// The protocol that a 101 switches to, if it was offered.
fn chosen(answer: &Response<Incoming>, offer: &HeaderValue) -> Result<HeaderValue, Malformed> {
    let chosen = answer.headers().get(UPGRADE).ok_or(Malformed::UnaskedUpgrade)?;
    let mut named = tokens(chosen);
    match (named.next(), named.next()) {
        (Some(protocol), None) if has_token(offer, protocol) => Ok(chosen.clone()),
        _ => Err(Malformed::UnaskedUpgrade),
    }
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.as_bytes().get(.."text/event-stream".len()))
        .is_some_and(|media| media.eq_ignore_ascii_case(b"text/event-stream"))
}
