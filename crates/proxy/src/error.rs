//! What can go wrong, grouped by what the caller should do about it.

use std::io;

use http::Method;
use thiserror::Error;

use crate::Refusal;

/// Why a request got no answer from its upstream.
///
/// The caller's map: [`BadRequest`](Self::BadRequest) 400, [`ClientGone`](Self::ClientGone) 408 (nobody may
/// be there to read it), [`Saturated`](Self::Saturated) 503, [`TimedOut`](Self::TimedOut) 504, the others
/// 502.
#[derive(Debug, Error)]
pub enum ForwardError {
    /// The request is one that we do not pass on.
    #[error("the request is refused: {0}")]
    BadRequest(#[from] BadRequest),
    /// The client went away, or sent nothing for too long, while its body was being read.
    #[error("the client did not finish its request body")]
    ClientGone,
    /// Every connection to the upstream is in use, and the queue is full or the wait in it was too long.
    #[error("all connections to the upstream are in use")]
    Saturated,
    /// No connection could be made.
    #[error("cannot connect to the upstream")]
    Connect(#[source] io::Error),
    /// The upstream let a limit pass.
    #[error("the upstream took too long: {0:?}")]
    TimedOut(Phase),
    /// The connection was lost before an answer came; whether the upstream acted on the request is unknown.
    #[error("the upstream closed the connection without an answer")]
    Upstream(#[source] hyper::Error),
    /// What came back is not an answer that can be passed on.
    #[error("the upstream's answer is malformed: {0}")]
    BrokenUpstream(#[from] Malformed),
}

/// What was being waited for when a limit passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// A TCP connection.
    Connect,
    /// The upstream to take the request body and to begin its answer.
    FirstByte,
}

/// What is wrong with an upstream's answer.
#[derive(Debug, Error)]
pub enum Malformed {
    /// It does not parse, or its head is larger than 64 kB.
    #[error("not HTTP/1.1, or a head too large")]
    Http(#[source] hyper::Error),
    /// Content-Length beside Transfer-Encoding (RFC 9112 §6.3): the next answer could be forged inside this
    /// one.
    #[error("both Content-Length and Transfer-Encoding")]
    LengthAndEncoding,
    /// A Transfer-Encoding other than exactly `chunked`.
    #[error("a Transfer-Encoding other than chunked")]
    TransferEncoding,
    /// 101 to a request that asked for no upgrade, or to a protocol that was not offered.
    #[error("101 without a matching request to upgrade")]
    UnaskedUpgrade,
}

/// Why a request is not passed on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadRequest {
    /// CONNECT (extended CONNECT included) or TRACE.
    #[error("method {0} is not supported")]
    Method(Method),
    /// No Host, several, an empty one, one with user information, or one that contradicts the target.
    #[error("Host is missing or ambiguous")]
    Host,
    /// The request target is neither a path nor an absolute URL.
    #[error("the request target is not a path")]
    Target,
    /// Content-Length beside Transfer-Encoding: two servers may disagree where the request ends (RFC 9112
    /// §6.1).
    #[error("both Content-Length and Transfer-Encoding")]
    LengthAndEncoding,
    /// Several Content-Length values, or one that is not a number.
    #[error("Content-Length is repeated or not a number")]
    ContentLength,
    /// A Transfer-Encoding other than exactly `chunked`, or one where the version has none.
    #[error("a Transfer-Encoding other than chunked")]
    TransferEncoding,
    /// A body whose chunks are malformed (RFC 9112 §7.1).
    #[error("the chunks of the body are malformed")]
    Chunks,
    /// What stands for a head that [`StrictHeads`](crate::StrictHeads) refused.
    #[error("{0}")]
    Head(Refusal),
}

/// Why a body ended before its end.
#[derive(Debug, Error)]
pub enum BodyError {
    /// The connection that it came over failed.
    #[error("the connection failed in the middle of a body")]
    Broken(#[source] hyper::Error),
    /// Nothing came for longer than the route allows.
    #[error("nothing came for too long")]
    TimedOut,
    /// The session behind the exchange has ended, or the server shuts down.
    #[error("the exchange was ended")]
    Stopped,
}
