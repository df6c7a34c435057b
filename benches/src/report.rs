//! Figures for people: Markdown on standard output, progress on standard error.

use std::io::{self, Write as _};
use std::time::Duration;

use crate::load::Outcome;

/// One measured run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    /// Answers a second.
    pub(crate) per_second: f64,
    /// Answers a second of the server's processor time.
    pub(crate) per_cpu_second: f64,
    /// Median latency.
    pub(crate) p50: Duration,
    /// Latency of the slowest hundredth.
    pub(crate) p99: Duration,
    /// Resident memory afterwards, in MB.
    pub(crate) resident: f64,
}

impl Figures {
    /// From a run, the processor time that it took, and memory afterwards in kB.
    pub(crate) fn new(outcome: &Outcome, processor: Duration, resident: u64) -> Self {
        let answers = real(outcome.answers as u64);
        Self {
            per_second: answers / outcome.elapsed.as_secs_f64(),
            per_cpu_second: answers / processor.as_secs_f64().max(0.01),
            p50: outcome.latency(500),
            p99: outcome.latency(990),
            resident: real(resident) / 1024.0,
        }
    }
}

/// The run in the middle, by answers a second of processor time.
pub(crate) fn median(mut runs: Vec<Figures>, by: fn(&Figures) -> f64) -> Option<Figures> {
    runs.sort_by(|a, b| by(a).total_cmp(&by(b)));
    runs.get(runs.len() / 2).copied()
}

/// For ratios and people.
#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
pub(crate) const fn real(count: u64) -> f64 {
    count as f64
}

/// Tells where it was measured.
pub(crate) fn head(machine: &str) -> io::Result<()> {
    writeln!(io::stdout(), "Measured on: {machine}")
}

/// Starts a table of runs; the last column compares with its first row.
pub(crate) fn table(title: &str) -> io::Result<()> {
    let mut out = io::stdout();
    writeln!(out, "\n### {title}\n")?;
    writeln!(
        out,
        "| contender | per second | per CPU-second | p50 ms | p99 ms | RSS MB | per CPU-second, of each run |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|---|")
}

/// One row.
pub(crate) fn row(name: &str, figures: &Figures, runs: &[Figures]) -> io::Result<()> {
    let runs: Vec<String> = runs.iter().map(|run| format!("{:.0}", run.per_cpu_second)).collect();
    writeln!(
        io::stdout(),
        "| {name} | {:.0} | {:.0} | {:.2} | {:.2} | {:.1} | {} |",
        figures.per_second,
        figures.per_cpu_second,
        figures.p50.as_secs_f64() * 1e3,
        figures.p99.as_secs_f64() * 1e3,
        figures.resident,
        runs.join(", "),
    )
}

/// A figure beside what was wanted.
pub(crate) fn verdict(what: &str, figure: &str, wanted: &str, reached: bool) -> io::Result<()> {
    let word = if reached { "reached" } else { "MISSED" };
    writeln!(io::stdout(), "- {what}: **{figure}** (wanted {wanted}): {word}")
}

/// A line of text.
pub(crate) fn say(text: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{text}")
}

/// Tells what is going on, beside the report.
pub(crate) fn progress(text: &str) -> io::Result<()> {
    writeln!(io::stderr(), "… {text}")
}
