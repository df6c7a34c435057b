//! Clients that mean harm with what each protocol allows: a whole site on real sockets, and raw bytes (K07).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test stops where it is wrong, in its own functions too"
)]

mod caches;
mod floods;
mod frames;
mod heads;
mod scene;
mod seats;
mod smuggling;
mod stalls;
