//! The operator's door to a running node: one JSON line in, one JSON line out, over `admin.sock` (design §9).
//!
//! There is one implementation per command, [`handle()`]: a server calls it for what comes in by the socket, the
//! command line calls it itself when no server has the store.

mod api_keys;
mod client;
mod handle;
mod keys;
mod look_up;
pub(crate) mod protocol;
mod secret;
mod server;
mod socket;
mod token;

pub(crate) use api_keys::ApiKeyRequest;
pub(crate) use client::Client;
pub(crate) use handle::handle;
pub(crate) use protocol::{Reply, Request};
pub(crate) use server::AdminServer;
pub(crate) use socket::path as socket_path;
pub(crate) use socket::store as store_path;
