//! Installs what the tests need beyond Rust: once, quietly, and never half.
//!
//! Programs come from the distribution's packages, Node packages from a lock file into `e2e/node_modules`, Python
//! packages from pinned versions into an environment in the cache. Each part first looks whether it is there, so a
//! second run costs milliseconds.

mod node;
mod programs;
pub(crate) mod python;

use std::fmt::{self, Display};
use std::fs::{self, File};

use anyhow::Context;

use crate::paths::cache;

/// This system cannot be prepared without its owner: the message says what to install.
#[derive(Debug)]
pub(crate) struct ByHand(pub(crate) String);

impl Display for ByHand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ByHand {}

/// Makes everything ready, or says what is missing.
///
/// # Errors
/// [`ByHand`] when the owner must install something; others when an installation fails.
pub(crate) fn run() -> anyhow::Result<()> {
    programs::ready()?;
    let cache = cache()?;
    fs::create_dir_all(&cache).with_context(|| format!("cannot create {}", cache.display()))?;
    // Two runs at once would otherwise build the same environment over each other.
    let lock = File::create(cache.join("setup.lock")).context("cannot create the set-up lock")?;
    lock.lock().context("cannot take the set-up lock")?;
    node::ready()?;
    python::ready()
}
