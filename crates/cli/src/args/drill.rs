//! `drill …`

use clap::Args;
use std::path::PathBuf;

const HELP: &str = "\
Only attack what is yours. Use test accounts: their passwords are guessed at, and with --active their data is changed.

Accounts are NAME:PASSWORD. Arguments show in the list of processes; --accounts-file, standard input (--accounts-file -) and
the environment (COUNTERSIGN_DRILL_ACCOUNT, COUNTERSIGN_DRILL_ACCOUNT2) do not.

Exit codes: 0 nothing at or above --fail-on, 1 findings, 2 the drill could not be run to its end.";

/// `drill …`
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Drill {
    /// The application: `https://app.example.com`, `http://localhost:3000`
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    /// The victim: a test account, NAME:PASSWORD
    #[arg(long, value_name = "NAME:PASSWORD", env = "COUNTERSIGN_DRILL_ACCOUNT", hide_env_values = true)]
    pub(crate) account: Option<String>,
    /// The attacker's own account, for what needs two
    #[arg(long, value_name = "NAME:PASSWORD", env = "COUNTERSIGN_DRILL_ACCOUNT2", hide_env_values = true)]
    pub(crate) account2: Option<String>,
    /// Accounts from a file, or from standard input (-): one a line
    #[arg(long, value_name = "FILE", conflicts_with_all = ["account", "account2"])]
    pub(crate) accounts_file: Option<PathBuf>,
    /// What the drill cannot guess about the application (docs/drill.md)
    #[arg(long, value_name = "FILE")]
    pub(crate) profile: Option<PathBuf>,
    /// Another deployment of the same application, whose tokens must not work here
    #[arg(long, value_name = "URL")]
    pub(crate) elsewhere: Option<String>,
    /// Also try what changes the test accounts' data
    #[arg(long)]
    pub(crate) active: bool,
    /// Also try what waits for an expiry
    #[arg(long)]
    pub(crate) wait: bool,
    /// Search the application's log file for tokens; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Vec<PathBuf>,
    /// Exit code 1 from this severity on: info, low, medium, high or critical
    #[arg(long, value_name = "SEVERITY", default_value = "high")]
    pub(crate) fail_on: countersign_drill::Severity,
    /// Requests in a second, at most
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rate: u32,
    /// Run these checks only, by their ids, with commas between them
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// Write the report as JSON
    #[arg(long = "json-file", value_name = "FILE")]
    pub(crate) json_file: Option<PathBuf>,
    /// Write the report as JUnit XML
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// Write the report as SARIF 2.1.0
    #[arg(long, value_name = "FILE")]
    pub(crate) sarif: Option<PathBuf>,
    /// Write the report as one HTML page with pictures
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// The JSON of an earlier run, for the page to be compared with
    #[arg(long, value_name = "FILE", requires = "html")]
    pub(crate) before: Option<PathBuf>,
    /// The Chromium to attack with [default: the first that PATH has]
    #[arg(long, value_name = "PATH")]
    pub(crate) browser: Option<PathBuf>,
    /// Attack over plain HTTP only
    #[arg(long, conflicts_with = "browser")]
    pub(crate) no_browser: bool,
    /// Believe this CA too: PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Believe any certificate; whoever stands in between gets the test accounts
    #[arg(long, conflicts_with = "ca_file")]
    pub(crate) insecure: bool,
    /// Show what held, too
    #[arg(long, short)]
    pub(crate) verbose: bool,
}
