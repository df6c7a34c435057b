//! Where log lines go.

use crate::config::{LogFormat, LogLevel, Settings};
use countersign_adapters::logging::{self, Colour, Format, LogConfig, LogError, LogGuard, Output};

/// What a server logs, as configured.
///
/// # Errors
/// [`LogError`].
pub(crate) fn for_server(settings: &Settings) -> Result<LogGuard, LogError> {
    let format = match settings.log.format {
        LogFormat::Pretty => Format::Pretty,
        LogFormat::Json => Format::Json,
    };
    init(format, settings.log.level)
}

/// What a command logs: it says in its answer what it did, so only what somebody should look at.
///
/// # Errors
/// [`LogError`].
pub(crate) fn for_command(level: Option<LogLevel>) -> Result<LogGuard, LogError> {
    init(Format::Pretty, level.unwrap_or(LogLevel::Error))
}

fn init(format: Format, level: LogLevel) -> Result<LogGuard, LogError> {
    let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colour = if unwanted { Colour::Never } else { Colour::Auto };
    logging::init(&LogConfig { format, output: Output::Stderr, colour, filter: level.word() })
}
