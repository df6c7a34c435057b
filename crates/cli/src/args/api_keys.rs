//! `api-key …`

use crate::config::parse_span;
use clap::{Args, Subcommand};
use std::time::Duration;

/// `api-key …`
#[derive(Debug, Subcommand)]
pub(crate) enum ApiKeyCommand {
    /// Make a key that acts for a user; it is shown once
    Create(CreateApiKey),
    /// List keys, newest first, dead ones too
    List {
        /// Only this user's: address or id
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
    },
    /// Revoke a key, or all of a user's; in effect when this returns
    Revoke(RevokeApiKey),
}

/// `api-key create …`
#[derive(Debug, Args)]
pub(crate) struct CreateApiKey {
    /// Address of the user that the key acts for
    pub(crate) email: String,
    /// What it is called in lists
    #[arg(long, default_value = "made by an operator")]
    pub(crate) name: String,
    /// What it may do, at most what the user may; may be repeated. Only here: introspect, revoke, revocations:read, sessions:open
    #[arg(long, value_name = "SCOPE")]
    pub(crate) scope: Vec<String>,
    /// Address or network that it may be used from; may be repeated; without any, from everywhere
    #[arg(long, value_name = "CIDR")]
    pub(crate) address: Vec<String>,
    /// How long it works, such as "30d"; at most api_keys.max_ttl
    #[arg(long, value_name = "DURATION", value_parser = span)]
    pub(crate) expires_in: Duration,
}

/// `api-key revoke …`
#[derive(Debug, Args)]
#[group(id = "which", required = true, multiple = false)]
pub(crate) struct RevokeApiKey {
    /// Id as lists show it
    #[arg(group = "which")]
    pub(crate) id: Option<String>,
    /// All keys of a user: address or id
    #[arg(long, value_name = "EMAIL", group = "which")]
    pub(crate) user: Option<String>,
}

/// A span of time, as in the configuration.
fn span(text: &str) -> Result<Duration, String> {
    parse_span(text).ok_or_else(|| String::from("write a number and a unit, such as \"12h\" or \"30d\""))
}
