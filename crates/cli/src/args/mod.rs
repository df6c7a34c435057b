//! What is typed on the command line. What is built from it are [`crate::admin::Request`]s and settings.

mod accounts;
mod api_keys;
mod drill;
mod keys;
mod retrofit;
mod server;
mod tokens;

pub(crate) use accounts::{Events, Revoke, SessionCommand, UserCommand};
pub(crate) use api_keys::ApiKeyCommand;
pub(crate) use drill::Drill;
pub(crate) use keys::{MasterKeyCommand, SigningKeyCommand};
pub(crate) use retrofit::{Probe, RetrofitCommand};
pub(crate) use server::{Dev, StoreCommand, Trust};
pub(crate) use tokens::Explain;

use clap::{Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

const AFTER: &str = "\
Exit codes: 0 done, 1 findings, 2 wrong usage or failure.
Start here: `countersign dev` is a working system on https://localhost:8443.";

/// Protects the sessions and tokens of web applications: a stolen token is worth nothing, or at most a few minutes,
/// and every theft is seen.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, after_help = AFTER, max_term_width = 110)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Keeps what every command takes apart from what one command takes.
const GLOBAL: &str = "Global options";

/// What every command takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Global {
    /// Configuration file [default: countersign.toml]
    #[arg(long, global = true, value_name = "PATH", help_heading = GLOBAL)]
    pub(crate) config: Option<PathBuf>,
    /// Answer for programs: one JSON document, or one a line where rows follow each other
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub(crate) json: bool,
    /// Least serious level to log: error, warn, info, debug or trace
    #[arg(long, global = true, value_name = "LEVEL", help_heading = GLOBAL, hide_possible_values = true)]
    pub(crate) log_level: Option<LogLevel>,
}

/// As `log.level` in the configuration.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum LogLevel {
    /// Something is broken.
    Error,
    /// Somebody should look.
    Warn,
    /// For the record.
    Info,
    /// For developers.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// The word of `log.level`.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// One command to a working system on this machine, for trying things
    Dev(Dev),
    /// Run the gateway that the configuration describes
    Serve,
    /// Look for what is unsafe, weak or worth knowing in the configuration; exit code 1 if it is unsafe
    Check,
    /// Create the store, or bring it to this version, without serving
    Migrate,
    /// Add, list, disable, enable and erase users, set their passwords, change their scopes
    #[command(subcommand)]
    User(UserCommand),
    /// List sessions, explain one ("why was I logged out?"), end one
    #[command(subcommand)]
    Session(SessionCommand),
    /// Make, list and revoke API keys
    #[command(subcommand)]
    ApiKey(ApiKeyCommand),
    /// List, rotate and retire the keys that sign tokens
    #[command(subcommand)]
    SigningKey(SigningKeyCommand),
    /// List, rotate, re-seal under and remove the secrets that everything else is derived from or sealed under
    #[command(subcommand)]
    MasterKey(MasterKeyCommand),
    /// End a session, all of a user's, or everybody's; in effect when this returns
    Revoke(Revoke),
    /// Read security events
    Events(Events),
    /// Say what a token is, what is wrong with it, and what a thief could do with it for how long
    Explain(Explain),
    /// Put an application that keeps its own login behind the gateway
    #[command(subcommand)]
    Retrofit(RetrofitCommand),
    /// Attack an application as thieves would, and report what they would get
    Drill(Box<Drill>),
    /// Make browsers on this machine trust the local CA, or stop
    Trust(Trust),
    /// Back the store up, or put a backup in its place
    #[command(subcommand)]
    Store(StoreCommand),
    /// Print a completion script for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn definitions_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn global_flags_may_stand_anywhere() {
        let cli = Cli::parse_from(["countersign", "events", "--json", "--since", "2h", "--config", "x.toml"]);
        assert!(cli.global.json);
        assert_eq!(cli.global.config, Some(PathBuf::from("x.toml")));
        assert!(matches!(cli.command, Command::Events(events) if events.since.as_deref() == Some("2h")));
    }

    /// A thumbprint may begin with `-`: one key in sixty-four does.
    #[test]
    fn a_key_id_may_begin_with_a_hyphen() {
        let cli = Cli::parse_from(["countersign", "signing-key", "retire", "-hJ4_x", "--json"]);
        assert!(cli.global.json);
        assert!(
            matches!(cli.command, Command::SigningKey(SigningKeyCommand::Retire { kid }) if kid == "-hJ4_x")
        );
        let help = Cli::try_parse_from(["countersign", "signing-key", "retire", "-h"]).unwrap_err();
        assert_eq!(help.kind(), clap::error::ErrorKind::DisplayHelp);
    }

    #[test]
    fn revoke_takes_exactly_one_target() {
        for wrong in [&["countersign", "revoke"][..], &["countersign", "revoke", "--all", "--user", "a@b.c"]]
        {
            assert!(Cli::try_parse_from(wrong).is_err(), "{wrong:?}");
        }
        assert!(Cli::try_parse_from(["countersign", "revoke", "--user", "a@b.c"]).is_ok());
    }
}
