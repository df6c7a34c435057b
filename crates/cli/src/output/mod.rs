//! What the commands print: for people on a terminal, or JSON for programs.

mod events;
mod explain;
mod findings;
mod lists;
mod page;
mod table;
mod token;
mod when;
mod words;

pub(crate) use events::event_lines;
pub(crate) use explain::explanation;
pub(crate) use findings::{findings, refused};
pub(crate) use lists::{api_keys, keys, master_keys, sessions, users};
pub(crate) use table::Table;
pub(crate) use token::explained;
pub(crate) use when::{When, span as lifetime};

use serde::Serialize;
use std::io::{self, IsTerminal, Write};

/// How a piece of text stands out on a terminal. Never the only carrier of a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// As it is.
    Plain,
    /// A heading, or what to read first.
    Strong,
    /// Beside the point.
    Quiet,
    /// As it should be.
    Good,
    /// Somebody should look.
    Warn,
    /// Broken, or an attack.
    Bad,
    /// Something to type or to click.
    Accent,
}

impl Tone {
    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Strong => "1",
            Self::Quiet => "2",
            Self::Good => "32",
            Self::Warn => "33",
            Self::Bad => "1;31",
            Self::Accent => "36",
        }
    }
}

/// Colours or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Paint {
    colours: bool,
}

impl Paint {
    /// Without colours.
    #[cfg(test)]
    pub(crate) const NONE: Self = Self { colours: false };

    /// Colours if the stream is a terminal that wants them (<https://no-color.org>).
    pub(crate) fn on(terminal: bool) -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self { colours: terminal && !unwanted }
    }

    /// The text in a tone.
    pub(crate) fn text(self, tone: Tone, text: &str) -> String {
        if !self.colours || tone == Tone::Plain || text.is_empty() {
            return text.to_owned();
        }
        format!("\u{1b}[{}m{text}\u{1b}[0m", tone.code())
    }
}

/// Standard output.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    /// Whether to answer for programs.
    pub(crate) json: bool,
    /// Colours or none.
    pub(crate) paint: Paint,
}

impl Screen {
    /// Looks at standard output.
    pub(crate) fn new(json: bool) -> Self {
        Self { json, paint: Paint::on(io::stdout().is_terminal()) }
    }

    /// Prints text as it is, and a newline.
    ///
    /// # Errors
    /// Of the stream; a reader that went away is one too.
    pub(crate) fn line(self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "{text}")?;
        out.flush()
    }

    /// Prints a JSON document on one line.
    ///
    /// # Errors
    /// Of the stream.
    pub(crate) fn document(self, value: &impl Serialize) -> io::Result<()> {
        let mut out = io::stdout().lock();
        serde_json::to_writer(&mut out, value)?;
        writeln!(out)?;
        out.flush()
    }
}

/// A count with its noun.
pub(crate) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_only_where_they_are_wanted() {
        assert_eq!(Paint::NONE.text(Tone::Bad, "x"), "x");
        assert_eq!(Paint { colours: true }.text(Tone::Bad, "x"), "\u{1b}[1;31mx\u{1b}[0m");
        assert_eq!(Paint { colours: true }.text(Tone::Bad, ""), "");
    }

    #[test]
    fn counts_read_well() {
        assert_eq!((count(0, "session"), count(1, "session")), ("0 sessions".into(), "1 session".into()));
    }
}
