//! What must hold for every parser of hostile bytes, as one function of bytes a parser. Each returns, or panics with what does not hold.
//!
//! `fuzz/` searches for bytes that break them, on a nightly toolchain; the tests of this crate run the seeds of that search, found
//! breakages among them, on stable (`docs/fuzzing.md`). Not only "does not panic": what is accepted has one spelling, and means the
//! same to an independent parser.
//!
//! Parsers that are private to their crate are compiled in from there, so that no crate has a door for us.

mod feed;
mod forwarded;
mod heads;
mod opaque;
mod paths;
mod token;
mod wire;

pub use feed::feed;
pub use forwarded::{answer, forwarded};
pub use heads::{chunks, heads};
pub use opaque::opaque;
pub use paths::{return_to, route};
pub use token::{json, jwks, token};
pub use wire::{cookies, form};

/// A target's name, and what it runs.
pub type Target = (&'static str, fn(&[u8]));

/// Every target. The names are those of `fuzz/fuzz_targets` and of the folders of `fuzz/seeds`.
pub const TARGETS: [Target; 13] = [
    ("answer", answer),
    ("chunks", chunks),
    ("cookies", cookies),
    ("feed", feed),
    ("form", form),
    ("forwarded", forwarded),
    ("heads", heads),
    ("json", json),
    ("jwks", jwks),
    ("opaque", opaque),
    ("return_to", return_to),
    ("route", route),
    ("token", token),
];
