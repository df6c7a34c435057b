//! Node packages of the end-to-end tests and of `js/node`, exactly as the lock files name them.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Context;

use crate::paths::{e2e, js_node};
use crate::run::quietly;

/// Installs into each `node_modules` unless the lock file is the one that was installed last.
///
/// # Errors
/// When npm fails.
pub(crate) fn ready() -> anyhow::Result<()> {
    install(&e2e())?;
    install(&js_node())
}

fn install(directory: &Path) -> anyhow::Result<()> {
    let lock = directory.join("package-lock.json");
    let lock = fs::read_to_string(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
    // A copy of what was installed: the stamp is right whatever happened to file times.
    let stamp = directory.join("node_modules").join(".installed-lock.json");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    println!("installing the Node packages of {}", directory.display());
    // `install --no-save` and not `ci`: the lock file names no host, and `ci` takes optional packages of other
    // platforms without one for missing. Versions and hashes are the lock file's all the same.
    // No install scripts: nothing here needs one, and a hijacked package's would run as us.
    quietly(Command::new("npm").current_dir(directory).args([
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
