//! Commands about a token that somebody found.

use clap::Args;

/// `explain …`
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The token, bare or in its header line; left out, it is read from standard input and stays out of the shell's history
    pub(crate) token: Option<String>,
    /// Ask nobody, although there is a configuration here
    #[arg(long)]
    pub(crate) offline: bool,
}
