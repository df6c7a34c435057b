//! What was typed.

use std::path::PathBuf;
use std::time::Duration;

use crate::Failure;

const USAGE: &str = "\
usage: countersign-benches <gateway|retrofit|refresh|verify|size|all> [--quick] [--rounds N] [--server PATH]
  --quick        a few seconds of everything: shows that it works, measures nothing
  --rounds N     alternated runs, of which the median counts [default: 3]
  --server PATH  the countersign binary [default: beside this program]";

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Subject {
    /// Authenticated requests through the gateway.
    Gateway,
    /// What a retrofit adds to a request.
    Retrofit,
    /// Durable rotations over HTTP.
    Refresh,
    /// One access token.
    Verify,
    /// Binary, memory, time to ready.
    Size,
}

/// The command line.
#[derive(Debug)]
pub(crate) struct Arguments {
    /// `None` is all.
    only: Option<Subject>,
    /// A smoke run.
    pub(crate) quick: bool,
    /// Alternated runs.
    pub(crate) rounds: usize,
    /// The binary to measure.
    pub(crate) server: PathBuf,
}

impl Arguments {
    /// Parses.
    ///
    /// # Errors
    /// The usage text.
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let only = match words.next().as_deref() {
            Some("gateway") => Some(Subject::Gateway),
            Some("retrofit") => Some(Subject::Retrofit),
            Some("refresh") => Some(Subject::Refresh),
            Some("verify") => Some(Subject::Verify),
            Some("size") => Some(Subject::Size),
            Some("all") => None,
            _ => return Err(USAGE.into()),
        };
        let beside = std::env::current_exe()?.with_file_name("countersign");
        let mut arguments = Self { only, quick: false, rounds: 3, server: beside };
        while let Some(word) = words.next() {
            match word.as_str() {
                "--quick" => (arguments.quick, arguments.rounds) = (true, 1),
                "--rounds" => arguments.rounds = words.next().ok_or(USAGE)?.parse::<usize>()?.max(1),
                "--server" => arguments.server = words.next().ok_or(USAGE)?.into(),
                _ => return Err(USAGE.into()),
            }
        }
        // Tokens are verified in this process.
        if only != Some(Subject::Verify) && !arguments.server.is_file() {
            let path = arguments.server.display();
            return Err(format!(
                "there is no {path}: build it with `cargo build --release -p countersign`, or name it with --server"
            )
            .into());
        }
        Ok(arguments)
    }

    /// Whether this is to be measured.
    pub(crate) fn wants(&self, subject: Subject) -> bool {
        self.only.is_none_or(|only| only == subject)
    }

    /// How long one measured run takes.
    pub(crate) const fn span(&self) -> Duration {
        if self.quick { Duration::from_secs(1) } else { Duration::from_secs(8) }
    }

    /// A count, or a small one for a smoke run.
    pub(crate) const fn count(&self, full: usize, quick: usize) -> usize {
        if self.quick { quick } else { full }
    }
}
