//! Node packages of the end-to-end tests, of their peers and of `js/node`, exactly as the lock files name them.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Context;

use crate::paths::{e2e, js_node, peers};
use crate::run::quietly;

/// Installs into each `node_modules` unless the lock file is the one that was installed last.
///
/// # Errors
/// When npm fails.
pub(crate) fn ready() -> anyhow::Result<()> {
    install(&e2e())?;
    install(&js_node())?;
    install(&peers())?;
    compile(&peers(), "better-sqlite3", "build/Release/better_sqlite3.node")
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

/// Runs the install script of one `package` below `directory`, which makes `product`, unless it is there.
fn compile(directory: &Path, package: &str, product: &str) -> anyhow::Result<()> {
    if directory.join("node_modules").join(package).join(product).is_file() {
        return Ok(());
    }
    println!("compiling {package} for {}; this takes some minutes", directory.display());
    quietly(Command::new("npm").current_dir(directory).args(["rebuild", package, "--loglevel=error"]))
}
