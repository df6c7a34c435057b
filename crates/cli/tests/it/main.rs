//! Drives the real binary as its users do: arguments in, text, exit codes and a running server out.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a panic is a failed test"
)]

mod api_keys;
mod application;
mod backup;
mod check;
mod dev;
mod drill;
mod events;
mod explain;
mod files;
mod invitations;
mod issuers;
mod keys;
mod place;
mod probe;
mod readme;
mod refusals;
mod revoke;
mod shutdown;
mod socket;
mod usage;
mod users;
mod web;
