//! Durable state for Countersign: the only crate with SQL (design §8).
//!
//! [`SqliteStore`] is for one node, [`MemoryStore`] for tests; [`AnyStore`] is the choice made at start. All of them
//! pass one conformance suite (`tests/conformance`), which says what the verbs of the port mean.

mod admission;
mod any;
mod memory;
mod networks;
mod sqlite;

pub use any::AnyStore;
pub use memory::MemoryStore;
pub use sqlite::{
    BackupError, DangerousTuning, EndedSince, Migrated, OpenError, OpenMode, Outcome, Plan, Replaced,
    RestoreError, Restored, RestoredSessions, SqliteStore, Tuning, WhatEndedSince, restore,
};
