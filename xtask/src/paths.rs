//! Where things are: the clone, the cache outside it, and what was built.

use std::path::{Path, PathBuf};

use anyhow::Context;

/// The root of the clone.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// The directory of the end-to-end tests.
pub(crate) fn e2e() -> PathBuf {
    root().join("e2e")
}

/// The applications that are there to be attacked and compared with.
pub(crate) fn peers() -> PathBuf {
    e2e().join("peers")
}

/// The application that is vulnerable on purpose.
pub(crate) fn leaky_saas() -> PathBuf {
    root().join("examples").join("leaky-saas")
}

/// The Node verifier.
pub(crate) fn js_node() -> PathBuf {
    root().join("js").join("node")
}

/// What is kept between clones: `$XDG_CACHE_HOME/countersign`, else `~/.cache/countersign`.
///
/// # Errors
/// When neither `XDG_CACHE_HOME` nor `HOME` is set.
pub(crate) fn cache() -> anyhow::Result<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME").filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = match base {
        Some(base) => base,
        None => PathBuf::from(std::env::var_os("HOME").context("neither XDG_CACHE_HOME nor HOME is set")?)
            .join(".cache"),
    };
    Ok(base.join("countersign"))
}

/// The profile directory that this program was built into: its neighbours are the other binaries.
///
/// # Errors
/// When the operating system does not say where this program lies.
pub(crate) fn built() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("cannot tell where xtask lies")?;
    Ok(own.parent().map(Path::to_path_buf).unwrap_or_default())
}
