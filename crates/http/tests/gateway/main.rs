//! Proxied routes, through a whole site on real sockets, with a real application behind it (design §4 to §7).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test stops where it is wrong, in its own functions too"
)]

mod answers;
mod api_keys;
mod bounce;
mod cors;
mod credentials;
mod crowd;
mod csrf;
mod farewell;
mod forwarding;
mod hand_over;
mod http2;
mod identity;
mod isolation;
mod issuers;
mod live;
mod malformed;
mod outage;
mod raw;
mod redirects;
mod rotation;
mod routes;
mod scene;
mod shutdown;
mod theft;
mod wire;
