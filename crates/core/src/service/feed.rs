//! What verifiers elsewhere are told: which sessions, users and generations are dead (design §6; `docs/revocation-feed.md`).
//!
//! A node's memory only says whether one token is dead. The journal beside it keeps the order in which the node learnt, so
//! that a reader can be told what is new.

use std::collections::VecDeque;
use std::time::Duration;

use super::engine::Engine;
use crate::domain::id::{Epoch, Generation, Sid, UserId};
use crate::domain::time::Timestamp;
use crate::port::Outside;

/// Nodes do not learn things in the same order: a reader who comes from another node is told a little more than it missed.
const OVERLAP: Duration = Duration::from_secs(60);

/// Something that kills tokens. Never taken back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// A session ended.
    Session(Sid),
    /// Tokens of a user with a lower epoch are dead.
    User(UserId, Epoch),
    /// Tokens of these generations of a session are dead, first and last inclusive.
    Abandoned(Sid, Generation, Generation),
}

/// Where a reader is in the journal of this node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Position(u64);

#[derive(Debug)]
struct Entry {
    learnt_at: Timestamp,
    change: Change,
}

/// What this node learnt, in order.
#[derive(Debug, Default)]
pub(super) struct Journal {
    entries: VecDeque<Entry>,
    /// The position of the first entry.
    first: u64,
}

impl Journal {
    /// Appends what was news to memory.
    pub(super) fn note(&mut self, change: Change, now: Timestamp) {
        // Looked up by time: a clock that was set back must not break the order.
        let learnt_at = self.entries.back().map_or(now, |last| last.learnt_at.max(now));
        self.entries.push_back(Entry { learnt_at, change });
    }

    /// Drops what was learnt so long ago that no token can be left.
    pub(super) fn forget(&mut self, before: Timestamp) {
        while self.entries.front().is_some_and(|e| e.learnt_at < before) {
            self.entries.pop_front();
            self.first += 1;
        }
    }

    fn start(&self, since: Timestamp) -> Position {
        let older = self.entries.partition_point(|e| e.learnt_at < since);
        Position(self.first + older as u64)
    }

    fn after(&self, position: &mut Position, most: usize) -> Vec<Change> {
        let from = position.0.max(self.first);
        let skip = usize::try_from(from - self.first).unwrap_or(usize::MAX);
        let changes: Vec<_> = self.entries.iter().skip(skip).take(most).map(|e| e.change.clone()).collect();
        position.0 = from + changes.len() as u64;
        changes
    }
}

impl<O: Outside> Engine<O> {
    /// Where a reader begins: at the start for one who knows nothing (or comes from a time that cannot be), else somewhat
    /// before the instant up to which it knows everything.
    pub fn feed_start(&self, knows_until: Option<Timestamp>) -> Position {
        let now = self.now();
        match knows_until {
            Some(until) if until <= now.plus(OVERLAP) => {
                self.memory.journal(|journal| journal.start(until.minus(OVERLAP)))
            }
            _ => Position::default(),
        }
    }

    /// What this node learnt after `position`, at most so many; moves the position behind them. Empty: nothing is left.
    pub fn feed_next(&self, position: &mut Position, most: usize) -> Vec<Change> {
        self.memory.journal(|journal| journal.after(position, most))
    }

    /// Whether this node itself has heard of revocations lately. If not, it must not tell others that they know everything.
    pub fn feed_is_current(&self) -> bool {
        self.is_fresh(self.now())
    }

    /// How long a reader must remember a change: no access token lives longer.
    pub fn feed_keeps(&self) -> Duration {
        let now = self.now();
        now.since(self.revocation_horizon(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(n: u8) -> Change {
        Change::Session(Sid::from_bytes([n; 16]))
    }

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn journal(learnt: &[(u8, i64)]) -> Journal {
        let mut journal = Journal::default();
        for (n, secs) in learnt {
            journal.note(ended(*n), at(*secs));
        }
        journal
    }

    #[test]
    fn readers_are_told_everything_in_pieces_and_once() {
        let journal = journal(&[(1, 10), (2, 20), (3, 30)]);
        let mut position = Position::default();
        assert_eq!(journal.after(&mut position, 2), [ended(1), ended(2)]);
        assert_eq!(journal.after(&mut position, 2), [ended(3)]);
        assert_eq!(journal.after(&mut position, 2), []);
    }

    #[test]
    fn readers_who_know_until_an_instant_are_told_the_rest() {
        let journal = journal(&[(1, 10), (2, 20), (3, 30)]);
        assert_eq!(journal.after(&mut journal.start(at(20)), 9), [ended(2), ended(3)]);
        assert_eq!(journal.after(&mut journal.start(at(31)), 9), []);
    }

    #[test]
    fn forgetting_leaves_readers_where_they_are() {
        let mut journal = journal(&[(1, 10), (2, 20), (3, 30)]);
        let mut slow = Position::default();
        let mut quick = Position::default();
        journal.after(&mut slow, 1);
        journal.after(&mut quick, 3);
        journal.forget(at(30));
        journal.note(ended(4), at(40));
        assert_eq!(journal.after(&mut quick, 9), [ended(4)]);
        // What it missed is too old to matter.
        assert_eq!(journal.after(&mut slow, 9), [ended(3), ended(4)]);
    }

    #[test]
    fn a_clock_that_is_set_back_loses_nothing() {
        let journal = journal(&[(1, 100), (2, 40), (3, 41)]);
        assert_eq!(journal.after(&mut journal.start(at(99)), 9), [ended(1), ended(2), ended(3)]);
    }
}
