//! What is tried over plain HTTP, one file an attack or a family of them.

mod cookies;
mod honest;
mod lifetime;
mod logout;
mod refreshing;

use crate::check::{Attack, Check, Plain, Running};
use crate::scene::Scene;

/// A family of attacks: each check with the function that tries it.
type Attacks = &'static [(Check, for<'s> fn(&'s Scene) -> Running<'s>)];

/// All of them, in the order in which they run and are reported.
#[must_use]
pub fn all() -> Vec<Box<dyn Attack>> {
    let families: [Attacks; 4] = [cookies::ATTACKS, lifetime::ATTACKS, logout::ATTACKS, honest::ATTACKS];
    let plain = families.into_iter().flatten();
    let mut all: Vec<Box<dyn Attack>> =
        plain.map(|(check, run)| Box::new(Plain::new(*check, *run)) as Box<dyn Attack>).collect();
    all.extend(refreshing::attacks());
    all
}
