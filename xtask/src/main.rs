//! The front door for developers: `cargo xtask` prints what it can do.
//!
//! One command sets up and runs every test, another is what CI runs; both do the same on a fresh clone and on a
//! warm one, without a terminal and without asking.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool speaks through its two streams"
)]

mod check;
mod e2e;
mod fuzz;
mod js;
mod mutants;
mod paths;
mod run;
mod setup;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask COMMAND

  test         install what the tests need (Debian and Ubuntu; once), then run every test
  test-rust    only the tests of the Rust workspace, the layering test among them
  test-js      only the tests of js/node, against the real Express and Fastify
  model        the model check of rotation and revocation with larger bounds: some minutes, half a gigabyte
  fuzz         search for bytes that break a parser, 20 minutes each (nightly): cargo xtask fuzz [TARGET] [--minutes N]
  mutants      change the rules one by one and see whether a test notices, hours: cargo xtask mutants [--list] [--shard K/N] [FILE]
  test-e2e     only the real-browser stories; names after it select files: cargo xtask test-e2e newcomer
  proof        attack the applications of docs/proof.md and write its table anew: some minutes
  setup        only install what is missing
  ci           what .ci/run runs: format, clippy, documentation, licences and sources, then test
  fmt          rustfmt, as a check
  clippy       clippy over all targets, warnings denied
  doc          documentation, warnings denied
  deny         cargo-deny: bans, licences, sources
  advisories   cargo-deny: the advisory database (needs a network that reaches it)

Exit codes: 0 all is well, 1 something failed, 2 usage, or this system must be prepared by hand.";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(command) = arguments.next() else {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    };
    let rest: Vec<String> = arguments.collect();
    let Some(outcome) = dispatch(&command, &rest) else {
        eprintln!("xtask: no command `{command}`\n\n{HELP}");
        return ExitCode::from(2);
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask {command}: {error:#}");
            let by_hand = error.downcast_ref::<setup::ByHand>().is_some();
            ExitCode::from(if by_hand { 2 } else { 1 })
        }
    }
}

/// Runs one command; `None` when there is no such command, or it takes no arguments and got some.
fn dispatch(command: &str, rest: &[String]) -> Option<anyhow::Result<()>> {
    if command == "test-e2e" {
        return Some(setup::run().and_then(|()| e2e::stories(rest)));
    }
    if command == "fuzz" {
        return fuzz::search(rest);
    }
    if command == "mutants" {
        return mutants::search(rest);
    }
    if !rest.is_empty() {
        return None;
    }
    Some(match command {
        "test" => test(),
        "test-rust" => check::tests(),
        "model" => check::model(),
        "test-js" => setup::run().and_then(|()| js::tests()),
        "proof" => setup::run().and_then(|()| e2e::proof()),
        "setup" => setup::run(),
        "ci" => check::fmt()
            .and_then(|()| check::clippy())
            .and_then(|()| check::doc())
            .and_then(|()| check::deny())
            .and_then(|()| test()),
        "fmt" => check::fmt(),
        "clippy" => check::clippy(),
        "doc" => check::doc(),
        "deny" => check::deny(),
        "advisories" => check::advisories(),
        "help" | "-h" | "--help" => {
            println!("{HELP}");
            Ok(())
        }
        _ => return None,
    })
}

fn test() -> anyhow::Result<()> {
    setup::run()?;
    check::tests()?;
    js::tests()?;
    e2e::stories(&[])
}
