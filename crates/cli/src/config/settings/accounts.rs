//! Accounts, mail, passwords, throttling.

use crate::config::problem::Problem;
use crate::config::typed;
use crate::config::value::{AtMaxSessions, Signup, SmtpServer};
use std::path::PathBuf;
use std::time::Duration;

/// `[accounts]`
#[derive(Debug)]
pub(crate) struct Accounts {
    /// Who may create an account.
    pub(crate) signup: Signup,
    /// Path of the sign-in page on the public URL, with its query if it has one.
    pub(crate) login_url: String,
    /// Sessions that one user may have at a time (D14).
    pub(crate) max_sessions: u32,
    /// What a login beyond that does.
    pub(crate) at_max_sessions: AtMaxSessions,
}

/// `[mail]`
#[derive(Debug)]
pub(crate) enum Mail {
    /// Through a server.
    Smtp {
        /// The server.
        server: SmtpServer,
        /// Sender.
        from: String,
    },
    /// As files in a directory: development, or another program's pick-up.
    Directory {
        /// Created if absent.
        path: PathBuf,
        /// Sender.
        from: String,
    },
}

/// `[passwords]`
#[derive(Debug)]
pub(crate) struct Passwords {
    /// In code points (F01).
    pub(crate) min_length: u32,
    /// Cost of a new hash (F04).
    pub(crate) argon2: Argon2,
    /// Hashes computed at a time; `None` is one a processor (F05).
    pub(crate) parallel: Option<u32>,
    /// Logins that may wait for that; more get 503.
    pub(crate) queue: u32,
    /// More passwords to refuse, one a line (F03).
    pub(crate) blocklist_file: Option<PathBuf>,
    /// Words that a password may not consist of, such as the product's name.
    pub(crate) context_words: Vec<String>,
}

/// Argon2id parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Argon2 {
    /// m, in KiB.
    pub(crate) memory_kib: u32,
    /// t
    pub(crate) iterations: u32,
    /// p
    pub(crate) lanes: u32,
}

/// `[throttle]`
#[derive(Debug)]
pub(crate) struct Throttle {
    /// Consecutive failures after which an account takes passwords from known devices only (F07).
    pub(crate) max_failures: u32,
    /// Failures before the first delay.
    pub(crate) free_failures: u32,
    /// The first delay; each failure doubles it.
    pub(crate) first_delay: Duration,
    /// The longest delay.
    pub(crate) max_delay: Duration,
    /// Sign-in and sign-up attempts from one network, not followed by a success, before they are delayed.
    pub(crate) network_attempts: u32,
}

pub(super) fn accounts(typed: typed::Accounts, hardened: bool, problems: &mut Vec<Problem>) -> Accounts {
    Accounts {
        signup: typed.signup.unwrap_or(if hardened { Signup::Off } else { Signup::Open }),
        login_url: typed.login_url.map_or_else(|| "/auth/login".into(), |path| path.0),
        max_sessions: at_least("accounts.max_sessions", typed.max_sessions.unwrap_or(20), 1, problems),
        at_max_sessions: typed.at_max_sessions.unwrap_or(AtMaxSessions::EndOldest),
    }
}

pub(super) fn mail(typed: typed::Mail, problems: &mut Vec<Problem>) -> Option<Mail> {
    let from = typed.from.map(|from| from.0);
    let reported = problems.iter().any(|problem| problem.key.starts_with("mail."));
    let mut missing = |key, message, remedy| {
        if !reported {
            problems.push(Problem::without_value(key, message, remedy));
        }
        None
    };
    match (typed.smtp, typed.directory, from) {
        (None, None, None) => None,
        (Some(_), Some(_), _) => {
            missing("mail", "smtp and directory are both set", "remove one: mail leaves one way only")
        }
        (None, None, Some(_)) => missing(
            "mail.smtp",
            "this is missing: a sender alone sends nothing",
            "set mail.smtp, or mail.directory in development",
        ),
        (_, _, None) => missing("mail.from", "this is missing", "set mail.from = \"App <app@example.com>\""),
        (Some(server), None, Some(from)) => Some(Mail::Smtp { server, from }),
        (None, Some(path), Some(from)) => Some(Mail::Directory { path, from }),
    }
}

pub(super) fn passwords(typed: typed::Passwords, problems: &mut Vec<Problem>) -> Passwords {
    let lanes = at_least("passwords.lanes", typed.lanes.unwrap_or(1), 1, problems);
    let argon2 = Argon2 {
        // RFC 9106 §3.1: at least 8 KiB a lane.
        memory_kib: at_least(
            "passwords.memory_kib",
            typed.memory_kib.unwrap_or(19_456),
            lanes.saturating_mul(8),
            problems,
        ),
        iterations: at_least("passwords.iterations", typed.iterations.unwrap_or(2), 1, problems),
        lanes,
    };
    at_most("passwords.lanes", argon2.lanes, 16, problems);
    at_most("passwords.memory_kib", argon2.memory_kib, 1024 * 1024, problems);
    at_most("passwords.iterations", argon2.iterations, 64, problems);
    Passwords {
        min_length: typed.min_length.unwrap_or(15),
        argon2,
        parallel: typed.parallel.map(|parallel| at_least("passwords.parallel", parallel, 1, problems)),
        queue: typed.queue.unwrap_or(64),
        blocklist_file: typed.blocklist_file,
        context_words: typed.context_words.unwrap_or_default(),
    }
}

pub(super) fn throttle(typed: &typed::Throttle, problems: &mut Vec<Problem>) -> Throttle {
    let mut positive =
        |key, number: Option<u32>, default| at_least(key, number.unwrap_or(default), 1, problems);
    Throttle {
        max_failures: positive("throttle.max_failures", typed.max_failures, 100),
        free_failures: typed.free_failures.unwrap_or(5),
        first_delay: typed.first_delay.unwrap_or(Duration::from_secs(1)),
        max_delay: typed.max_delay.unwrap_or(Duration::from_secs(15 * 60)),
        network_attempts: positive("throttle.network_attempts", typed.network_attempts, 100),
    }
}

fn at_least(key: &str, number: u32, least: u32, problems: &mut Vec<Problem>) -> u32 {
    if number < least {
        let message = format!("the least that works is {least}");
        problems.push(Problem::with_value(
            key,
            &number.to_string(),
            &message,
            &format!("set {least} or more"),
        ));
    }
    number
}

fn at_most(key: &str, number: u32, most: u32, problems: &mut Vec<Problem>) {
    if number > most {
        let message = format!("more than {most} would let one login exhaust the machine");
        problems.push(Problem::with_value(
            key,
            &number.to_string(),
            &message,
            &format!("set {most} or less"),
        ));
    }
}
