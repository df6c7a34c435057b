//! Simulation of the rotation protocol (design §5): the real `judge` between a store, nodes, a network and several
//! holders of one session's tokens. Deterministic: proptest draws a script, the script decides every delay, loss,
//! duplicate and restart, so that a failure shrinks to the few messages that matter.
//!
//! `PROPTEST_CASES` raises the number of cases.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "all of this is test code: stopping is how it fails"
)]

mod holder;
mod node;
mod p1_honest;
mod p2_thieves;
mod p3_one_token;
mod p4_revoke;
mod script;
mod store;
mod world;
