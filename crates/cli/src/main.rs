//! The `countersign` command: arguments, configuration, wiring.

mod admin;
mod args;
mod command;
mod compose;
mod config;
mod demo;
mod output;
mod run;

fn main() -> std::process::ExitCode {
    command::main()
}
