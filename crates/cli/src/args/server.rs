//! Commands about a server and its files.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `dev …`
#[derive(Debug, Args)]
pub(crate) struct Dev {
    /// Your application: URL, or /path=URL for what lies below a path; may be repeated
    #[arg(long, value_name = "[/PATH=]URL")]
    pub(crate) upstream: Vec<String>,
    /// Plain HTTP: nothing to trust, but weaker cookies than in production
    #[arg(long)]
    pub(crate) plain_http: bool,
    /// What the browser's address bar shows [default: https://localhost:8443]
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,
}

/// `trust …`
#[derive(Debug, Args)]
pub(crate) struct Trust {
    /// Remove the local CA from where it was installed
    #[arg(long)]
    pub(crate) undo: bool,
}

/// `store …`
#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Copy the store to a new file, also while a server uses it
    Backup {
        /// The new file
        path: PathBuf,
    },
    /// Put a backup in the place of the store; the server must be stopped, and what was there is kept beside it
    Restore {
        /// The backup
        path: PathBuf,
        /// Leave sessions alive instead of ending all of them
        #[arg(long)]
        keep_sessions: bool,
        /// Take the backup as it is: signing keys and API keys that were revoked since, disabled and erased users, old passwords
        /// and scopes all live again. Without this they stay ended
        #[arg(long)]
        as_it_is: bool,
    },
}
