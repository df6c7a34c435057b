//! The commands: what was typed becomes settings and requests; what came of it becomes text and an exit code.

mod api_key;
mod check;
mod dev;
mod drill;
mod events;
mod explain;
mod keys;
mod node;
mod operator;
mod password;
mod retrofit;
mod serve;
mod settings;
mod store;
mod trust;

use crate::args::{Cli, Command};
use crate::config::Refused;
use crate::output::{self, Paint, Screen, Tone};
use crate::run;
use clap::{CommandFactory, Parser};
use serde_json::json;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

/// How a command that worked ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Exit code 0.
    Fine,
    /// Exit code 1.
    Findings,
}

/// Runs what was typed; wrong usage ends in clap, with code 2.
pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse();
    let screen = Screen::new(cli.global.json);
    match run(cli, screen) {
        Ok(Verdict::Fine) => ExitCode::SUCCESS,
        Ok(Verdict::Findings) => ExitCode::from(1),
        // `countersign events | head`: the reader has what it wanted.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error, screen.json);
            ExitCode::from(2)
        }
    }
}

fn run(cli: Cli, screen: Screen) -> anyhow::Result<Verdict> {
    let Cli { global, command } = cli;
    // Servers log as configured, commands as their flag says. The guard writes what waits when it is dropped.
    let _log = match &command {
        Command::Dev(_) | Command::Serve => None,
        _ => Some(run::log_for_command(global.log_level.map(settings::level))?),
    };
    match command {
        Command::Dev(dev) => dev::dev(&global, &dev, screen),
        Command::Serve => serve::serve(&global, screen),
        Command::Check => check::check(&global, screen),
        Command::Migrate => store::migrate(&global, screen),
        Command::User(command) => operator::user(&global, command, screen),
        Command::Session(command) => operator::session(&global, command, screen),
        Command::ApiKey(command) => api_key::api_key(&global, command, screen),
        Command::SigningKey(command) => keys::signing_key(&global, command, screen),
        Command::MasterKey(command) => keys::master_key(&global, command, screen),
        Command::Revoke(revoke) => operator::revoke(&global, revoke, screen),
        Command::Events(events) => events::events(&global, &events, screen),
        Command::Explain(explain) => explain::explain(&global, &explain, screen),
        Command::Retrofit(command) => retrofit::retrofit(&global, command, screen),
        Command::Drill(typed) => drill::run(&typed, screen),
        Command::Trust(trust) => trust::trust(&global, &trust, screen),
        Command::Store(command) => store::store(&global, command, screen),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "countersign", &mut script);
            io::stdout().lock().write_all(&script)?;
            Ok(Verdict::Fine)
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let of = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    };
    error.chain().any(of)
}

/// One clear message on standard error.
fn complain(error: &anyhow::Error, json: bool) {
    let text = if json {
        let document = error.downcast_ref::<Refused>().map(output::refused);
        document.unwrap_or_else(|| json!({ "error": told(error) })).to_string()
    } else {
        let paint = Paint::on(io::stderr().is_terminal());
        format!("{} {}", paint.text(Tone::Bad, "error:"), told(error))
    };
    // If standard error is gone too, the exit code has to do.
    drop(writeln!(io::stderr().lock(), "{text}"));
}

/// The chain of causes in one sentence, without those that repeat what was said.
fn told(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn causes_are_told_once() {
        let inner = io::Error::other("disk full");
        let error = Err::<(), _>(inner).context("events.log: disk full").context("cannot write").unwrap_err();
        assert_eq!(told(&error), "cannot write: events.log: disk full");
        let pipe = anyhow::Error::from(io::Error::from(io::ErrorKind::BrokenPipe)).context("standard output");
        assert!(is_broken_pipe(&pipe));
    }
}
