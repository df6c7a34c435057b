//! Which configuration a command works with.

use crate::args::{self, Global};
use crate::config::{Checked, Development, LogLevel, Refused, Sources, StoreLocation, read};
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

/// The configuration of a store that is there already. Where nothing was configured, but `dev` has run, it is that
/// of `dev`.
///
/// # Errors
/// [`Refused`].
pub(super) fn existing(global: &Global) -> Result<Checked, Refused> {
    if !is_configured(global) {
        let of_dev = of_dev(global)?;
        if matches!(&of_dev.inspect().store, StoreLocation::Sqlite(path) if path.exists()) {
            return Ok(of_dev);
        }
    }
    read(&sources(global)?)
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

fn is_configured(global: &Global) -> bool {
    let environment = ["COUNTERSIGN_ENVIRONMENT", "COUNTERSIGN_PUBLIC_URL", "COUNTERSIGN_STORE"];
    global.config.is_some()
        || Path::new("countersign.toml").exists()
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
