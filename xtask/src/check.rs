//! The checks on the source, and the tests of the Rust workspace.

use std::path::PathBuf;
use std::process::Command;

use crate::paths::{cache, root};
use crate::run::{cargo, find, quietly, run};

/// Pinned, so that a new release cannot turn a green tree red.
const CARGO_DENY: &str = "0.20.2";

/// # Errors
/// When a file is not formatted.
pub(crate) fn fmt() -> anyhow::Result<()> {
    run(in_root(cargo()).args(["fmt", "--all", "--check"]))
}

/// Also the step that refuses a stale `Cargo.lock`.
///
/// # Errors
/// On any warning.
pub(crate) fn clippy() -> anyhow::Result<()> {
    run(in_root(cargo()).args(["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

/// # Errors
/// On any warning, a broken link among them.
pub(crate) fn doc() -> anyhow::Result<()> {
    run(in_root(cargo()).env("RUSTDOCFLAGS", "-D warnings").args(["doc", "--no-deps", "--workspace"]))
}

/// # Errors
/// When a dependency is banned, of a licence not listed in `deny.toml`, or not from the registry.
pub(crate) fn deny() -> anyhow::Result<()> {
    run(in_root(cargo_deny()?).args(["check", "bans", "licenses", "sources"]))
}

/// Apart from [`deny`], because build machines without a way out cannot fetch the database.
///
/// # Errors
/// When a dependency has a known vulnerability, or the database cannot be fetched.
pub(crate) fn advisories() -> anyhow::Result<()> {
    run(in_root(cargo_deny()?).args(["check", "advisories"]))
}

/// Uses nextest where it is installed; it runs no documentation tests, so those follow.
///
/// # Errors
/// When a test fails.
pub(crate) fn tests() -> anyhow::Result<()> {
    if find("cargo-nextest").is_some() {
        run(in_root(cargo()).args(["nextest", "run", "--workspace", "--no-fail-fast"]))?;
        return run(in_root(cargo()).args(["test", "--workspace", "--doc"]));
    }
    run(in_root(cargo()).args(["test", "--workspace", "--no-fail-fast"]))
}

/// The model check with all its bounds; the larger ones need optimisation. One at a time, for their memory.
///
/// # Errors
/// When a promise is broken, or `docs/model.md` has other numbers.
pub(crate) fn model() -> anyhow::Result<()> {
    run(in_root(cargo()).args(["test", "--release", "-p", "countersign-core", "--test", "model"]).args([
        "--",
        "--include-ignored",
        "--nocapture",
        "--test-threads=1",
    ]))
}

/// Installs cargo-deny into the cache the first time; a pinned version lies in a directory of its own.
fn cargo_deny() -> anyhow::Result<Command> {
    let place = cache()?.join(format!("cargo-deny-{CARGO_DENY}"));
    let program: PathBuf = place.join("bin").join("cargo-deny");
    if !program.is_file() {
        println!("installing cargo-deny {CARGO_DENY}, once; this takes some minutes");
        quietly(
            cargo()
                .args(["install", "cargo-deny", "--locked", "--version", CARGO_DENY, "--root"])
                .arg(&place),
        )?;
    }
    Ok(Command::new(program))
}

fn in_root(mut command: Command) -> Command {
    command.current_dir(root());
    command
}
