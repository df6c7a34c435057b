//! What the fake application remembers.

use std::collections::BTreeMap;
use std::time::Instant;

#[derive(Debug, Clone)]
pub(super) struct Family {
    pub(super) user: String,
    pub(super) generation: u32,
    pub(super) alive: bool,
    pub(super) rotated_at: Option<Instant>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// Access tokens of the cookie style, by family.
    pub(super) access: BTreeMap<String, usize>,
    pub(super) families: Vec<Family>,
    pub(super) failures: BTreeMap<String, u32>,
    pub(super) biography: BTreeMap<String, String>,
    pub(super) email: BTreeMap<String, String>,
    pub(super) notes: BTreeMap<u32, String>,
    /// Addresses that signed up.
    pub(super) made: Vec<String>,
    pub(super) counter: u32,
    pub(super) log: Vec<u8>,
    pub(super) cache: BTreeMap<String, Vec<u8>>,
}
