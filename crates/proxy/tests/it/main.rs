//! The engine against real sockets: scripted upstreams behind a small hyper server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may fail loudly anywhere, also in the functions that tests share"
)]

mod answers;
mod harness;
mod http2;
mod pool;
mod smuggling;
mod streaming;
mod tunnel;
mod uploads;
