//! `retrofit probe`: what an application does with its tokens, written down as configuration (design §7 "Retrofit", §9).
//!
//! [`Found`] is what was learned, [`text`] writes it as TOML, and [`file`](mod@file) puts it into a configuration file
//! without touching anything that stands there.

mod file;
mod found;
mod learn;
mod logout;
mod text;

pub(crate) use file::{Merged, merge, replace};
pub(crate) use found::Found;
pub(crate) use learn::learn;
