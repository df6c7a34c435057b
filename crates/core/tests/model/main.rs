//! Model check of rotation and revocation (design §5-6): breadth-first search through all states of small worlds around the real
//! `judge`, the real rules of the record and the real liveness of a session.
//!
//! | world | who is in it | promise |
//! |---|---|---|
//! | `client`, `network` | an honest client with parallel tabs, the network, nodes, the store | P1, P3 |
//! | `holders`, `theft` | the honest client and a thief with a copy of its jar | P2, P3 |
//! | `revocation`, `race` | a revocation beside rotations and sign-ins in flight | P4 |
//!
//! `docs/model.md` says what is and is not in them, and how many states there are; each test compares its numbers with that file.
//! Larger bounds are in the ignored tests: `cargo xtask model`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "all of this is test code: stopping is how it fails"
)]

mod client;
mod explore;
mod holders;
mod network;
mod p1_honest;
mod p1_needs;
mod p2_needs;
mod p2_thieves;
mod p3_one_branch;
mod p4_revoke;
mod race;
mod report;
mod revocation;
mod theft;
mod ticks;
