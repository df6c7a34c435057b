//! Signed tokens at the gate: every rule of A01-A21 that one token can break, with keys made for the test.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "all of this is test code: stopping is how it fails"
)]

mod claims;
mod header;
mod issuers;
mod jwks;
mod kinds;
mod maker;
mod matrix;
mod size;
