//! Commands about applications that keep their own login.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `retrofit …`
#[derive(Debug, Subcommand)]
pub(crate) enum RetrofitCommand {
    /// Sign in to your application with a test account, find its token, and write the configuration that takes it away
    Probe(Probe),
}

const ACCOUNT: &str = "\
The test account is asked for at the terminal, or read from COUNTERSIGN_PROBE_ACCOUNT or, with --account-stdin, from
standard input, each as NAME:PASSWORD; never from an argument, which every user of this machine can read.";

/// `retrofit probe …`
#[derive(Debug, Args)]
#[command(after_help = ACCOUNT)]
pub(crate) struct Probe {
    /// Your application: http://localhost:3000
    pub(crate) url: String,
    /// Where the gateway will reach it, if that is another address: http://127.0.0.1:3000 behind its own TLS
    #[arg(long, value_name = "URL")]
    pub(crate) upstream: Option<String>,
    /// The request that signs in, if it is not found by itself
    #[arg(long, value_name = "METHOD /PATH")]
    pub(crate) login: Option<String>,
    /// Read the test account from standard input
    #[arg(long)]
    pub(crate) account_stdin: bool,
    /// What cannot be guessed: the profile file of `drill`
    #[arg(long, value_name = "FILE")]
    pub(crate) profile: Option<PathBuf>,
    /// Name of the upstream [default: that of this address in the file, else app]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Add it to this file, which may be new; nothing that stands there is changed
    #[arg(long, value_name = "FILE")]
    pub(crate) write: Option<PathBuf>,
    /// Certificate authority of the application, in PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Believe any certificate: whoever stands between gets the test account
    #[arg(long, conflicts_with = "ca_file")]
    pub(crate) insecure: bool,
}
