//! A durable store of one session, with the verbs that rotation uses.

use countersign_core::domain::id::Generation;
use countersign_core::domain::rotation::RotationRecord;
use countersign_core::domain::time::Timestamp;

/// One session, and every record it ever had.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    record: RotationRecord,
    ended: bool,
    history: Vec<RotationRecord>,
}

impl Store {
    pub(crate) fn opened(now: Timestamp) -> Self {
        let record = RotationRecord::opened(now);
        Self { record: record.clone(), ended: false, history: vec![record] }
    }

    pub(crate) fn record(&self) -> &RotationRecord {
        &self.record
    }

    pub(crate) fn ended(&self) -> bool {
        self.ended
    }

    pub(crate) fn revoke(&mut self) {
        self.ended = true;
    }

    /// The compare-and-set on (`current`, `lost`).
    pub(crate) fn rotate_if_current(&mut self, judged: &RotationRecord, next: &RotationRecord) -> bool {
        let Some(after) = self.record.succeeded_by(judged, next).filter(|_| !self.ended) else {
            return false;
        };
        self.record = after;
        self.history.push(self.record.clone());
        true
    }

    /// Written behind; counts only while the generation is current and unconfirmed.
    pub(crate) fn confirm(&mut self, generation: Generation, at: Timestamp) {
        self.record.confirm(generation, at);
    }

    /// A failover to a replica that lacks the last `writes` rotations.
    pub(crate) fn fail_over(&mut self, writes: usize) {
        let kept = self.history.len().saturating_sub(writes).max(1);
        self.history.truncate(kept);
        self.record = self.history[kept - 1].clone();
    }
}
