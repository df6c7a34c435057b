//! The rules of Countersign: pure, without I/O, runtime, clock or randomness of its own.
//!
//! * [`domain`] holds values and decisions: synchronous functions, everything they need passed in.
//! * [`port`] says what the rules ask of the outside world (store, clock, entropy, hasher, bus, mail).
//! * [`service`] has one use case a file, asynchronous over those ports.
//!
//! Dependencies run `service → port → domain`, never back.

pub mod domain;
pub mod port;
pub mod service;
