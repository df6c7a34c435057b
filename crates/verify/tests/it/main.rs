//! The verifier against an issuer that can be made to fail in every way, and against the real server.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code: a panic is a failed test")]

mod feed;
mod issuer;
mod keys;
mod layer;
mod site;
mod tokens;
