//! A stateless node: a clock that may be off, and confirmations that it has not written yet.

use std::time::Duration;

use countersign_core::domain::id::Generation;
use countersign_core::domain::rotation::RotationRecord;
use countersign_core::domain::time::Timestamp;

/// Everything of it is lost in a restart.
#[derive(Debug, Default)]
pub(crate) struct Node {
    /// How far the clock is ahead.
    ahead: Duration,
    /// The newest generation seen in use, and when.
    seen: Option<(Generation, Timestamp)>,
    /// Counts restarts: what an earlier life had queued is gone.
    life: u32,
}

impl Node {
    pub(crate) fn new(ahead: Duration) -> Self {
        Self { ahead, ..Self::default() }
    }

    pub(crate) fn clock(&self, now: Timestamp) -> Timestamp {
        now.plus(self.ahead)
    }

    pub(crate) fn life(&self) -> u32 {
        self.life
    }

    pub(crate) fn restart(&mut self) {
        self.seen = None;
        self.life += 1;
    }

    /// Notes a generation in use; true if this node did not know.
    pub(crate) fn note(&mut self, generation: Generation, at: Timestamp) -> bool {
        let news = self.seen.is_none_or(|(seen, _)| seen < generation);
        if news {
            self.seen = Some((generation, at));
        }
        news
    }

    /// The stored record with what only this node's memory knows.
    pub(crate) fn view(&self, stored: &RotationRecord) -> RotationRecord {
        let mut record = stored.clone();
        if let Some((generation, at)) = self.seen {
            record.confirm(generation, at);
        }
        record
    }
}
