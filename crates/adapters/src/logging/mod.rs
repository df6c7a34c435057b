//! Where log lines go: formatted, cleaned (I01, I04) and written by a thread of their own, so that neither a full disk nor a reader that stopped reading ever stops or breaks a request (I07).

mod clean;
mod fields;
mod json;
mod paint;
mod writer;

use std::io::{self, IsTerminal, Write};

use tracing::Subscriber;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use writer::Lines;
pub use writer::LogGuard;

/// How a line looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// For people: one line an event.
    Pretty,
    /// For programs: one JSON object a line.
    Json,
}

/// Where lines go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Output {
    /// Standard error.
    Stderr,
    /// Standard output.
    Stdout,
}

/// When levels are coloured. JSON never is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Colour {
    /// On a terminal.
    Auto,
    /// Never (`NO_COLOR`).
    Never,
}

/// What to log, and how.
#[derive(Clone, Copy, Debug)]
pub struct LogConfig<'a> {
    /// How a line looks.
    pub format: Format,
    /// Where lines go.
    pub output: Output,
    /// Whether levels are coloured.
    pub colour: Colour,
    /// Directives such as `info` or `info,countersign_proxy=debug`.
    pub filter: &'a str,
}

/// Logging cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The directives cannot be read.
    #[error(
        "log filter {filter:?}: {reason}; write a level such as \"info\", or \"info,countersign_proxy=debug\""
    )]
    Filter {
        /// As given.
        filter: String,
        /// Why.
        reason: String,
    },
    /// Logging was set up before.
    #[error("logging is set up already")]
    Twice,
    /// The system gives no thread for it.
    #[error("no thread for logging: {0}")]
    Thread(io::Error),
}

/// Sets logging up for the whole process. Lines still waiting are written when the guard is dropped: keep it until the end
/// of `main`, and do not leave by `process::exit` before.
///
/// # Errors
/// [`LogError`].
pub fn init(config: &LogConfig<'_>) -> Result<LogGuard, LogError> {
    let (sink, terminal): (Box<dyn Write + Send>, bool) = match config.output {
        Output::Stderr => (Box::new(io::stderr()), io::stderr().is_terminal()),
        Output::Stdout => (Box::new(io::stdout()), io::stdout().is_terminal()),
    };
    let colours = config.colour == Colour::Auto && terminal;
    let (subscriber, guard) = subscriber(config.format, config.filter, colours, sink)?;
    subscriber.try_init().map_err(|_already_set| LogError::Twice)?;
    Ok(guard)
}

/// A subscriber that writes to `sink`; for programs and tests that set their own up.
///
/// # Errors
/// [`LogError::Filter`], [`LogError::Thread`].
pub fn subscriber<W: Write + Send + 'static>(
    format: Format,
    filter: &str,
    colours: bool,
    sink: W,
) -> Result<(impl Subscriber + Send + Sync + use<W>, LogGuard), LogError> {
    let wrong = |e: tracing_subscriber::filter::ParseError| LogError::Filter {
        filter: filter.to_owned(),
        reason: e.to_string(),
    };
    let filter = EnvFilter::builder().parse(filter).map_err(wrong)?;
    let (lines, guard) = Lines::start(format, colours, sink).map_err(LogError::Thread)?;
    let layer = match format {
        // Colours are added after cleaning: escape sequences between a name and its value would hide it from the redactor.
        // The library's own error reports go to standard error by a macro that panics when it is full (I07).
        Format::Pretty => tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .log_internal_errors(false)
            .with_writer(lines)
            .fmt_fields(fields::Telling)
            .boxed(),
        Format::Json => json::Json::new(lines).boxed(),
    };
    Ok((tracing_subscriber::registry().with(filter).with(layer), guard))
}

#[cfg(test)]
mod tests;
