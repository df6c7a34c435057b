//! The HTML pages: one struct a page, rendered on the server, complete without script.
//!
//! A page is a plain view model: the route layer fills it and calls [`Template::render`]. No page knows a store, a
//! clock or a domain type. Templates escape everything they print (`askama`'s HTML escaper); none says `safe`.
//! Pages are served with [`policy`] as their `Content-Security-Policy` (J01), and therefore hold no inline handler,
//! no `style` attribute, and no script without the request's nonce.

mod account;
mod assets;
mod bounce;
mod confirm;
mod csp;
mod dead_link;
mod notice;
mod problem;
mod shell;
mod sign_in;
mod sign_up;

#[cfg(test)]
mod tests;

pub use account::{Account, EndedView, Moment, SessionView, SignedOut};
pub use askama::Template;
pub use assets::{ASSET_CACHE_CONTROL, Asset, asset};
pub use bounce::Bounce;
pub use confirm::{Confirm, Confirmed};
pub use csp::policy;
pub use dead_link::DeadLink;
pub use notice::Notice;
pub use problem::{ErrorPage, Link, NotFound};
pub use shell::{FormSecret, Shell};
pub use sign_in::SignIn;
pub use sign_up::{CheckMail, SignUp};
