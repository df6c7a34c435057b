//! Commands about a token that somebody found.

use clap::Args;
use std::path::PathBuf;

/// `explain …`
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The token, bare or in its header line; left out, it is read from standard input and stays out of the shell's history
    pub(crate) token: Option<String>,
    /// Ask nobody, although there is a configuration here
    #[arg(long)]
    pub(crate) offline: bool,
    /// Ask this server whether the token still works; it is sent there, and nowhere else
    #[arg(long, value_name = "URL", requires = "key_file", conflicts_with = "offline")]
    pub(crate) server: Option<String>,
    /// File with an API key of that server's that has the scope introspect
    #[arg(long, value_name = "FILE", requires = "server")]
    pub(crate) key_file: Option<PathBuf>,
    /// Believe this CA too when asking: PEM
    #[arg(long, value_name = "FILE", requires = "server")]
    pub(crate) ca_file: Option<PathBuf>,
}
