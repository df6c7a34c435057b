//! The part of a session that rotation reads and writes.

use crate::domain::id::Generation;
use crate::domain::time::Timestamp;

/// Generations that were handed out but may have reached somebody else: their use is theft.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Abandoned {
    /// First generation of the range.
    pub first: Generation,
    /// Last generation of the range, inclusive.
    pub last: Generation,
    /// Until when an access token of the range could still be good.
    pub until: Timestamp,
}

/// Rotation state of one session. (`current`, `lost`) never repeats within a session, so a compare-and-set on
/// the two decides every race.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct RotationRecord {
    /// The newest generation handed out.
    pub current: Generation,
    /// The generation whose presentation gave `current`; none for a session that never rotated.
    pub from: Option<Generation>,
    /// When `current` was last handed over.
    pub handed_over_at: Timestamp,
    /// When `current` was first seen in use.
    pub confirmed_at: Option<Timestamp>,
    /// Answers lost since `from` was presented.
    pub lost: u8,
    /// Ranges that nobody honest holds.
    pub abandoned: Vec<Abandoned>,
}

impl RotationRecord {
    /// A session just opened: generation 1, nothing before it.
    #[must_use]
    pub const fn opened(now: Timestamp) -> Self {
        Self {
            current: Generation::FIRST,
            from: None,
            handed_over_at: now,
            confirmed_at: None,
            lost: 0,
            abandoned: Vec::new(),
        }
    }

    /// Whether a generation was abandoned.
    #[must_use]
    pub fn is_abandoned(&self, generation: Generation) -> bool {
        self.abandoned.iter().any(|a| a.first <= generation && generation <= a.last)
    }

    /// Notes that `generation` was seen in use at `at`. Returns whether that was news.
    pub fn confirm(&mut self, generation: Generation, at: Timestamp) -> bool {
        let news = generation == self.current && self.confirmed_at.is_none();
        if news {
            self.confirmed_at = Some(at.max(self.handed_over_at));
        }
        news
    }

    /// The compare-and-set of every store, as a pure rule: the record after `next` was written over `self`, or `None` where
    /// `judged` is no longer what is stored. A confirmation written meanwhile is no conflict, and stays where the same
    /// generation is handed out again.
    #[must_use]
    pub fn succeeded_by(&self, judged: &Self, next: &Self) -> Option<Self> {
        if (self.current, self.lost) != (judged.current, judged.lost) {
            return None;
        }
        let kept = self.confirmed_at.filter(|_| next.current == self.current);
        let confirmed_at = next.confirmed_at.or(kept.map(|at| at.max(next.handed_over_at)));
        Some(Self { confirmed_at, ..next.clone() })
    }
}
