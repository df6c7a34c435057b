//! Which configuration a command works with.

use crate::args::{self, Global};
use crate::config::{Checked, DEFAULT_FILE, Development, LogLevel, Refused, Sources, StoreLocation, read};
use anyhow::{anyhow, bail};
use std::path::Path;

/// What the flags and the environment say, over the file.
///
/// # Errors
/// [`Refused`].
pub(super) fn sources(global: &Global) -> Result<Sources, Refused> {
    let sources = Sources::gather(global.config.as_deref())?;
    Ok(match global.log_level {
        Some(level) => sources.with_flag("--log-level", "log.level", level.word()),
        None => sources,
    })
}

/// The configuration that a server is to run with.
///
/// # Errors
/// [`Refused`], or that there is none.
pub(super) fn configured(global: &Global) -> anyhow::Result<Checked> {
    if is_configured(global) {
        return Ok(read(&sources(global)?)?);
    }
    let here = std::env::current_dir()?;
    if has_run(&of_dev(global)?) {
        bail!(
            "there is no {DEFAULT_FILE} in {}, only the .countersign of `dev`: run `countersign dev`, or use --config PATH",
            here.display()
        );
    }
    Err(nothing_here(&here))
}

/// The configuration of what is there already. Where nothing was configured, but `dev` has run, it is that of `dev`.
///
/// # Errors
/// [`Refused`], or that there is none.
pub(super) fn existing(global: &Global) -> anyhow::Result<Checked> {
    if is_configured(global) {
        return Ok(read(&sources(global)?)?);
    }
    let of_dev = of_dev(global)?;
    if has_run(&of_dev) { Ok(of_dev) } else { Err(nothing_here(&std::env::current_dir()?)) }
}

/// Most often the command was typed in another directory than the server's. To say that a key is missing would
/// lead nowhere then.
fn nothing_here(here: &Path) -> anyhow::Error {
    anyhow!(
        "there is no {DEFAULT_FILE} in {} (and no .countersign of `dev`): use --config PATH, or cd to where it is",
        here.display()
    )
}

fn has_run(of_dev: &Checked) -> bool {
    matches!(&of_dev.inspect().store, StoreLocation::Sqlite(path) if path.exists())
}

/// The configuration of `dev` where nothing is configured, whether or not it has run; else the configured one.
///
/// # Errors
/// [`Refused`].
pub(super) fn or_development(global: &Global) -> Result<Checked, Refused> {
    if is_configured(global) { read(&sources(global)?) } else { of_dev(global) }
}

fn of_dev(global: &Global) -> Result<Checked, Refused> {
    read(&sources(global)?.with_development(&Development::default()))
}

/// Whether a file or a variable says what to work with.
pub(super) fn is_configured(global: &Global) -> bool {
    let environment = ["COUNTERSIGN_ENVIRONMENT", "COUNTERSIGN_PUBLIC_URL", "COUNTERSIGN_STORE"];
    global.config.is_some()
        || Path::new(DEFAULT_FILE).exists()
        || environment.iter().any(|name| std::env::var_os(name).is_some())
}

/// The level of a flag as the configuration calls it.
pub(super) const fn level(level: args::LogLevel) -> LogLevel {
    match level {
        args::LogLevel::Error => LogLevel::Error,
        args::LogLevel::Warn => LogLevel::Warn,
        args::LogLevel::Info => LogLevel::Info,
        args::LogLevel::Debug => LogLevel::Debug,
        args::LogLevel::Trace => LogLevel::Trace,
    }
}
