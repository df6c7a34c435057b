//! The composition root: settings in, running parts out. The only place that knows every crate.

mod blocklist;
mod forward_auth;
mod issuers;
mod keyring;
mod node;
mod outside;
mod policy;
mod site;

use issuers::issuers;
pub(crate) use issuers::probe_issuers;
pub(crate) use keyring::MasterKey;
pub(crate) use node::{Opened, Presence, directory_of_dev, open, sqlite_path};
pub(crate) use outside::Wired;
pub(crate) use site::site;
