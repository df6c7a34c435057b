//! Time in ticks, a whole number of them to a grace. The present never moves: all instants grow older instead, and those older than
//! any window are as good as the oldest. So a session that goes on for ever has finitely many states.

use std::fmt::Write as _;
use std::time::Duration;

use countersign_core::domain::id::Generation;
use countersign_core::domain::rotation::{AfterRollback, RotationPolicy, RotationRecord, Windows};
use countersign_core::domain::time::Timestamp;

/// The present, in all states.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

const GRACE_MS: i64 = 10_000;

/// How finely time is cut, and how old things get.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticks {
    /// Ticks to a grace.
    pub(crate) grace: i64,
    /// The longest window that counts from a hand-over, in ticks.
    longest: i64,
}

impl Ticks {
    pub(crate) fn new(grace: i64, windows: &Windows) -> Self {
        // A window "for ever" needs no older instants than the others do.
        let longest = [windows.keep, windows.lost, 1].into_iter().filter(|w| *w < 100).max().unwrap();
        Self { grace, longest: i64::from(longest) * grace }
    }

    fn millis(self, ticks: i64) -> i64 {
        ticks * (GRACE_MS / self.grace)
    }

    pub(crate) fn ahead(self, ticks: i64) -> Timestamp {
        Timestamp::from_millis(NOW.as_millis() + self.millis(ticks))
    }

    /// How many ticks ago; negative in the future.
    pub(crate) fn ago(self, at: Timestamp) -> i64 {
        (NOW.as_millis() - at.as_millis()) / self.millis(1)
    }

    /// An instant one tick older, but no older than `oldest` ticks.
    fn older(self, at: Timestamp, oldest: i64) -> Timestamp {
        self.ahead(-(self.ago(at) + 1).min(oldest))
    }

    /// A grace and a tick: as old as a confirmation gets.
    fn spent(self) -> i64 {
        self.grace + 1
    }

    /// Lets one tick pass for a record.
    pub(crate) fn pass(self, record: &mut RotationRecord) {
        record.handed_over_at = self.older(record.handed_over_at, self.longest + 1);
        record.confirmed_at = record.confirmed_at.map(|at| self.older(at, self.spent()));
        for range in &mut record.abandoned {
            range.until = self.older(range.until, 0);
        }
    }

    /// Lets one tick pass for a confirmation that waits to be written.
    pub(crate) fn pass_note(self, note: &mut Option<Note>) {
        if let Some(note) = note {
            note.at = self.older(note.at, self.spent());
        }
    }

    /// The oldest hand-over: where it no longer matters when it was.
    pub(crate) fn long_ago(self) -> Timestamp {
        self.ahead(-(self.longest + 1))
    }

    /// The policy under test. Access tokens live for `access` ticks, leeway included.
    pub(crate) fn policy(self, windows: Windows, access: i64) -> RotationPolicy {
        let millis = |ticks| Duration::from_millis(u64::try_from(self.millis(ticks)).unwrap());
        let policy = RotationPolicy::new(millis(self.grace), millis(access), AfterRollback::Heal);
        if windows == Windows::DESIGN { policy } else { policy.dangerous().windows(windows) }
    }
}

/// A generation seen in use, noted in a node's memory and not yet written.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Note {
    pub(crate) generation: Generation,
    pub(crate) at: Timestamp,
}

/// How many generations were forgotten before the one that is now called 1. For the reader of a trace alone: it tells no two
/// states apart.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Before(u32);

impl Before {
    pub(crate) fn add(&mut self, by: u32) {
        self.0 += by;
    }

    /// The generation's number since the session was opened.
    pub(crate) fn number(self, generation: Generation) -> u32 {
        self.0 + generation.0
    }
}

impl PartialEq for Before {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Before {}

impl std::hash::Hash for Before {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}

/// What a node takes the record for: the stored one, and what only its memory knows.
pub(crate) fn view(record: &RotationRecord, note: Option<Note>) -> RotationRecord {
    let mut seen = record.clone();
    if let Some(note) = note {
        seen.confirm(note.generation, note.at);
    }
    seen
}

/// Whether a waiting confirmation can still mean anything.
pub(crate) fn is_stale(note: Note, record: &RotationRecord) -> bool {
    note.generation < record.current || (note.generation == record.current && record.confirmed_at.is_some())
}

/// Counts all generations of a record from `by` on; what counts is only which is newer.
pub(crate) fn renumber(record: &mut RotationRecord, by: u32) {
    record.current.0 -= by;
    record.from = record.from.map(|g| Generation(g.0 - by));
    for range in &mut record.abandoned {
        range.first.0 -= by;
        range.last.0 -= by;
    }
}

/// The record in a few words, for a trace.
pub(crate) fn show(ticks: Ticks, before: Before, record: &RotationRecord) -> String {
    let mut told = format!("store {}", before.number(record.current));
    if let Some(from) = record.from {
        let handed = ticks.ago(record.handed_over_at);
        write!(told, " from {}, handed over {handed} ago", before.number(from)).unwrap();
    }
    if let Some(at) = record.confirmed_at {
        write!(told, ", used {} ago", ticks.ago(at)).unwrap();
    }
    if record.lost > 0 {
        write!(told, ", lost {}", record.lost).unwrap();
    }
    for range in &record.abandoned {
        write!(told, ", abandoned {}-{}", before.number(range.first), before.number(range.last)).unwrap();
    }
    told
}
