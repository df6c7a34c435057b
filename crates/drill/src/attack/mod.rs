//! What is tried over plain HTTP, one file an attack or a family of them.

mod cache;
mod change;
mod cookies;
mod device;
mod fixation;
mod forge;
mod forged_request;
mod gets;
mod guessing;
mod honest;
mod keys;
mod lifetime;
mod logout;
mod logs;
mod origin;
mod purpose;
mod redirect;
mod refreshing;
mod transport;

use crate::check::{Attack, Check, Plain, Running};
use crate::scene::Scene;

/// A family of attacks: each check with the function that tries it.
type Attacks = &'static [(Check, for<'s> fn(&'s Scene) -> Running<'s>)];

/// All of them, in the order in which they run and are reported.
#[must_use]
pub fn all() -> Vec<Box<dyn Attack>> {
    // Those of `Last` order stand last: log files are read when all else has been logged.
    let families: [Attacks; 17] = [
        transport::ATTACKS,
        cookies::ATTACKS,
        lifetime::ATTACKS,
        device::ATTACKS,
        logout::ATTACKS,
        honest::ATTACKS,
        forge::ATTACKS,
        purpose::ATTACKS,
        forged_request::ATTACKS,
        gets::ATTACKS,
        fixation::ATTACKS,
        origin::ATTACKS,
        cache::ATTACKS,
        redirect::ATTACKS,
        keys::ATTACKS,
        guessing::ATTACKS,
        logs::ATTACKS,
    ];
    let plain = families.into_iter().flatten();
    let mut all: Vec<Box<dyn Attack>> =
        plain.map(|(check, run)| Box::new(Plain::new(*check, *run)) as Box<dyn Attack>).collect();
    all.extend(refreshing::attacks());
    all
}
