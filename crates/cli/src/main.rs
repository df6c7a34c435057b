//! The `countersign` command: arguments, configuration, wiring.

mod admin;
mod args;
mod command;
mod compose;
mod config;
mod demo;
mod output;
mod retrofit;
mod run;

/// A request makes some fifty small allocations, and the C library's allocator was a tenth of what it cost (ADR 14).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    command::main()
}
