//! Attacks a web application the way thieves of tokens do, and says what they would have got.
//!
//! The drill needs a URL and two test accounts of its owner's, and no server of ours: it works on any application. It finds out
//! how the application signs people in ([`detect`]), runs one [`attack`] after the other against it, and makes a [`report`]
//! of what was seen, with the blast radius of each credential in measured seconds.
//!
//! * [`Target`], [`Account`], [`Profile`]: what the caller says. Only hosts that stand there are ever asked.
//! * [`Scene`]: what every attack gets: a client with a bound rate, the accounts, what was detected.
//! * [`Attack`] and [`Check`]: what is tried, and what it means if it works. [`runner`] runs them.
//! * [`Verdict`] and [`Evidence`]: what came of it. No secret is in them: all text goes through [`Vault::scrub`] first.

pub mod account;
pub mod attack;
pub mod browser;
pub mod check;
pub mod client;
pub mod credential;
pub mod detect;
pub mod profile;
pub mod report;
pub mod runner;
pub mod scene;
pub mod secret;
pub mod statistics;
pub mod target;
pub mod vault;
pub mod verdict;

pub use account::Account;
pub use check::{Attack, Check, Running};
pub use credential::{Carrier, Credential, CredentialKind, Place};
pub use profile::Profile;
pub use report::Report;
pub use runner::{Progress, drill};
pub use scene::{Broken, Scene};
pub use secret::Secret;
pub use target::Target;
pub use vault::Vault;
pub use verdict::{Evidence, Severity, Verdict};
