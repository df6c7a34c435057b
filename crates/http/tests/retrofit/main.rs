//! Upstreams that keep their own login, through a whole site on real sockets (design §7 "Retrofit").
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test stops where it is wrong, in its own functions too"
)]

mod bodies;
mod cookies;
mod isolation;
mod json;
mod keys;
mod refresh;
mod scene;
