//! An HTTP reverse-proxy engine: HTTP/1.1 and HTTP/2 in, HTTP/1.1 to the upstream.
//!
//! It knows nothing of sessions: no cookie, no identity (design §3). What a caller does with one request:
//!
//! 1. [`client_ip::resolve`] finds out who is asking.
//! 2. [`hygiene::clean_request`] removes what a client must not send. It comes before the caller adds headers
//!    of its own, so that nothing the client nominates in `Connection` can remove those (K03); it returns the
//!    [`Cleaned`] proof that [`Upstream::forward`] demands.
//! 3. The caller edits the headers, then calls [`Upstream::forward`], then edits the answer's headers.
//!
//! The listener's side of the contract is [`StrictHeads`]: wrap the client's stream in it, so that a head
//! that two servers could read in two ways is refused (K07); hyper alone would repair it. The server answers
//! what [`Refusal::of`] finds, and reports each answer to the connection's [`Watch`].
//! [`WriteStall`] inside of that gives up clients that do not read.

mod body;
mod client;
pub mod client_ip;
mod connect;
mod context;
mod error;
mod forward;
mod frames;
pub mod hygiene;
mod live;
mod location;
mod origin;
mod pool;
mod protected;
mod request;
mod response;
pub mod smuggling;
mod stall;
mod strict;
mod tunnel;
mod upload;
mod upstream;

pub use body::Body;
pub use client::ClientConnection;
pub use context::{ForwardContext, Timeouts};
pub use error::{BadRequest, BodyError, ForwardError, Malformed, Phase};
pub use hygiene::Cleaned;
pub use live::{Live, Stop, StopReason};
pub use location::rewrite_location;
pub use origin::{Origin, OriginError, PublicOrigin};
pub use pool::Pressure;
pub use protected::Protected;
pub use response::ProxyBody;
pub use stall::WriteStall;
pub use strict::{Refusal, StrictHeads, Watch};
pub use upstream::{HostHeader, PoolLimits, Upstream, UpstreamConfig};
