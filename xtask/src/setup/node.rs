//! Node packages of the end-to-end tests, exactly as the lock file names them.

use std::fs;
use std::process::Command;

use anyhow::Context;

use crate::paths::e2e;
use crate::run::quietly;

/// Installs into `e2e/node_modules` unless the lock file is the one that was installed last.
///
/// # Errors
/// When npm fails.
pub(crate) fn ready() -> anyhow::Result<()> {
    let directory = e2e();
    let lock =
        fs::read_to_string(directory.join("package-lock.json")).context("cannot read e2e's lock file")?;
    // A copy of what was installed: the stamp is right whatever happened to file times.
    let stamp = directory.join("node_modules").join(".installed-lock.json");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    println!("installing the Node packages of the end-to-end tests");
    // `install --no-save` and not `ci`: the lock file names no host, and `ci` takes optional packages of other
    // platforms without one for missing. Versions and hashes are the lock file's all the same.
    // No install scripts: nothing here needs one, and a hijacked package's would run as us.
    quietly(Command::new("npm").current_dir(&directory).args([
        "install",
        "--no-save",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--prefer-offline",
        "--loglevel=error",
    ]))?;
    fs::write(&stamp, lock).with_context(|| format!("cannot write {}", stamp.display()))
}
