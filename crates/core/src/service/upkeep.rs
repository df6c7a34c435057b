//! What a node does beside requests: write behind, look for revocations, clean up.

use std::time::Duration;

use super::engine::Engine;
use crate::domain::time::Timestamp;
use crate::port::{Notice, Outside, Store, StoreError};

/// Ended sessions stay this long for the record.
const KEEP_SESSIONS: Duration = Duration::from_secs(90 * 86_400);
/// Events stay this long.
const KEEP_EVENTS: Duration = Duration::from_secs(180 * 86_400);
/// How far back each poll looks, so that a late commit is not missed.
const POLL_WINDOW: Duration = Duration::from_secs(60);
/// Access tokens cannot live longer than an hour in a hardened environment.
const LONGEST_ACCESS: Duration = Duration::from_secs(3600);

impl<O: Outside> Engine<O> {
    /// Writes uses and events that wait. Call about once a second, and before stopping.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is lost, the next call tries again.
    pub async fn flush(&self) -> Result<(), StoreError> {
        let uses = self.memory.take_uses();
        if !uses.is_empty() {
            self.outside.store().note_uses(&uses).await?;
            self.memory.written(&uses);
        }
        let uses = self.memory.take_key_uses();
        if !uses.is_empty() {
            self.outside.store().note_key_uses(&uses).await?;
            self.memory.key_uses_written(&uses);
        }
        let events = self.memory.take_events();
        if !events.is_empty()
            && let Err(error) = self.outside.store().append_events(&events).await
        {
            self.memory.return_events(events);
            return Err(error);
        }
        Ok(())
    }

    /// Looks at the store for revocations that did not come by the bus. Call about once a second.
    ///
    /// # Errors
    /// [`StoreError`]; the node grows stale and then asks the store on each request.
    pub async fn poll(&self) -> Result<(), StoreError> {
        // After an outage: from where the last poll ended.
        let heard = self.memory.fresh_at().min(self.now());
        self.refill(heard.minus(POLL_WINDOW)).await
    }

    /// Takes a notice from another node in.
    pub fn hear(&self, notice: &Notice) {
        self.memory.apply(notice, self.now());
    }

    /// Deletes what nobody needs, in bounded batches. Returns how many rows went; call again soon while it is not zero.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn purge(&self) -> Result<u64, StoreError> {
        let now = self.now();
        self.outside.store().purge(now.minus(KEEP_SESSIONS), now.minus(KEEP_EVENTS), now, 1000).await
    }

    /// A round trip to the store, for readiness.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ready(&self) -> Result<(), StoreError> {
        self.outside.store().ping().await
    }

    /// Events that could be logged but not stored since start.
    pub fn dropped_events(&self) -> u64 {
        self.memory.dropped_events()
    }

    pub(super) async fn refill(&self, since: Timestamp) -> Result<(), StoreError> {
        let now = self.now();
        let known = self.outside.store().revocations_since(since, now).await?;
        self.memory.refill(known, self.revocation_horizon(now), now);
        Ok(())
    }

    /// Before this, a revocation need not be remembered: nothing it forbids can still be good.
    pub(super) fn revocation_horizon(&self, now: Timestamp) -> Timestamp {
        now.minus(self.policy.longest_access().max(LONGEST_ACCESS + self.policy.session.leeway))
    }
}
