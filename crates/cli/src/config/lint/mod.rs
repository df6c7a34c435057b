//! Judges a configuration that can be read: what is unsafe, what is weaker than it looks, what is worth knowing.

mod accounts;
mod api_keys;
mod clients;
mod forward_auth;
mod gateway;
mod issuers;
mod network;
mod retrofit;
mod tokens;
mod web;

use super::finding::{Finding, Findings};
use super::{Settings, span};
use std::time::Duration;

/// Everything there is to say about these settings, in the order of the file.
pub(crate) fn lint(settings: &Settings) -> Vec<Finding> {
    let mut found = Findings::default();
    network::lint(settings, &mut found);
    tokens::lint(settings, &mut found);
    web::lint(settings, &mut found);
    accounts::lint(settings, &mut found);
    api_keys::lint(settings, &mut found);
    issuers::lint(settings, &mut found);
    clients::lint(settings, &mut found);
    gateway::lint(settings, &mut found);
    forward_auth::lint(settings, &mut found);
    found.into_vec()
}

fn quoted(span: Duration) -> String {
    format!("\"{}\"", span::show(span))
}
