//! Commands about users, sessions and events.

use clap::{Args, Subcommand};

/// `user …`
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Add a user; you vouch for the address
    Add {
        /// Address that the user signs in with
        email: String,
        /// Read the password from standard input instead of asking; one final newline is dropped
        #[arg(long)]
        password_stdin: bool,
        /// What the user may do; may be repeated
        #[arg(long, value_name = "SCOPE")]
        scope: Vec<String>,
    },
    /// Invite somebody to make an account, where accounts.signup = "invite": by mail, or with a link to hand over
    Invite {
        /// Address that the invitation is for
        email: String,
        /// What the user may do; may be repeated
        #[arg(long, value_name = "SCOPE")]
        scope: Vec<String>,
    },
    /// List users by address
    List {
        /// Only disabled ones
        #[arg(long)]
        disabled: bool,
    },
    /// Give a user scopes, or take them: whoever loses one is signed out at once, API keys follow at once
    #[command(group = clap::ArgGroup::new("change").required(true).multiple(true).args(["add", "remove"]))]
    Scope {
        /// Address of the user
        email: String,
        /// Scope to give; may be repeated
        #[arg(long, value_name = "SCOPE")]
        add: Vec<String>,
        /// Scope to take; may be repeated
        #[arg(long, value_name = "SCOPE")]
        remove: Vec<String>,
    },
    /// Erase a user with sessions and API keys, for good; events keep their opaque id
    Remove {
        /// Address of the user
        email: String,
    },
    /// Disable a user and end all their sessions
    Disable {
        /// Address of the user
        email: String,
    },
    /// Let a disabled user sign in again
    Enable {
        /// Address of the user
        email: String,
    },
    /// Set a user's password and end all their sessions
    Password {
        /// Address of the user
        email: String,
        /// Read the password from standard input instead of asking; one final newline is dropped
        #[arg(long)]
        password_stdin: bool,
    },
}

/// `session …`
#[derive(Debug, Subcommand)]
pub(crate) enum SessionCommand {
    /// List live sessions, newest first
    List {
        /// Only this user's: address or id
        #[arg(long)]
        user: Option<String>,
        /// Ended and expired ones too
        #[arg(long)]
        all: bool,
    },
    /// Explain a session: whose, where, until when, or why it ended
    Show {
        /// Id as lists and pages show it
        id: String,
    },
    /// End a session
    Revoke {
        /// Id as lists and pages show it
        id: String,
    },
}

/// `revoke …`
#[derive(Debug, Args)]
#[group(id = "target", required = true, multiple = false)]
pub(crate) struct Revoke {
    /// End one session, by the id that lists and pages show
    #[arg(long, value_name = "ID", group = "target")]
    pub(crate) session: Option<String>,
    /// End all sessions of a user: address or id
    #[arg(long, value_name = "EMAIL", group = "target")]
    pub(crate) user: Option<String>,
    /// End everybody's sessions
    #[arg(long, group = "target")]
    pub(crate) all: bool,
}

/// `events …`
#[derive(Debug, Args)]
pub(crate) struct Events {
    /// Only about this user: address or id
    #[arg(long, value_name = "EMAIL")]
    pub(crate) user: Option<String>,
    /// Only about this session
    #[arg(long, value_name = "ID")]
    pub(crate) session: Option<String>,
    /// Only from this request: the id in the footer of error pages and in problem answers
    #[arg(long, value_name = "ID")]
    pub(crate) request: Option<String>,
    /// Not before: an age such as "2h", or a time such as "2026-02-01T12:00:00Z"
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// At most so many, the newest ones
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) limit: u32,
    /// Wait for further events and show them as they come
    #[arg(long)]
    pub(crate) follow: bool,
}
