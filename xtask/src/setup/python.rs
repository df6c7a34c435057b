//! Python packages of the end-to-end tests, pinned, in an environment outside the clone.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context;

use crate::paths::{cache, e2e};
use crate::run::quietly;

/// The interpreter of the environment; it exists after [`ready`].
///
/// # Errors
/// When the list of packages cannot be read, or there is no cache directory.
pub(crate) fn interpreter() -> anyhow::Result<PathBuf> {
    Ok(environment()?.join("bin").join("python"))
}

/// Builds the environment unless one for exactly this list of packages is complete.
///
/// # Errors
/// When Python or pip fails.
pub(crate) fn ready() -> anyhow::Result<()> {
    let place = environment()?;
    let stamp = place.join("complete");
    if stamp.exists() {
        return Ok(());
    }
    println!("installing the Python packages of the end-to-end tests");
    quietly(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&place))?;
    quietly(
        Command::new(interpreter()?)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
            .arg(e2e().join("requirements.txt")),
    )?;
    fs::write(&stamp, "").with_context(|| format!("cannot write {}", stamp.display()))
}

/// One environment for each list, so that clones of different age do not rebuild each other's.
fn environment() -> anyhow::Result<PathBuf> {
    let list =
        fs::read_to_string(e2e().join("requirements.txt")).context("cannot read e2e/requirements.txt")?;
    let mut hasher = DefaultHasher::new();
    list.hash(&mut hasher);
    Ok(cache()?.join(format!("python-{:016x}", hasher.finish())))
}
