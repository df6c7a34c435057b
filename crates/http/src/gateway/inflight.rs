//! One rotation in flight per token and node; waiters share its answer (design §5).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest;
use countersign_core::domain::client::Presenter;
use countersign_core::domain::rotation::Carrier;
use countersign_core::service::{RotateError, RotateOutcome};
use tokio::sync::OnceCell;

/// What a rotation came to, shared by all who presented the same token at the same time.
pub(crate) type Shared = Result<Arc<RotateOutcome>, Arc<RotateError>>;
/// Who presents is part of it: what one may have, another may not.
type Key = ([u8; 32], bool, Presenter);

/// Rotations in flight. Keyed by a hash of the whole token: a forged one with the same session id shares nothing.
#[derive(Debug, Default)]
pub(crate) struct Inflight(Mutex<HashMap<Key, Arc<OnceCell<Shared>>>>);

impl Inflight {
    /// Runs `rotate`, or waits for the one that runs already. A leader that goes away is replaced by a waiter.
    pub(crate) async fn run<F>(
        &self,
        token: &str,
        carrier: Carrier,
        presenter: Presenter,
        rotate: F,
    ) -> Shared
    where
        F: Future<Output = Result<RotateOutcome, RotateError>>,
    {
        let mut hash = [0; 32];
        for (to, from) in hash.iter_mut().zip(digest::digest(&digest::SHA256, token.as_bytes()).as_ref()) {
            *to = *from;
        }
        let key = (hash, carrier == Carrier::StaleCopy, presenter);
        let cell = {
            let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(flights.entry(key.clone()).or_default())
        };
        let _leave = Leave { flights: self, key, cell: Arc::clone(&cell) };
        cell.get_or_init(|| async { rotate.await.map(Arc::new).map_err(Arc::new) }).await.clone()
    }
}

/// Takes the flight off the board once it is answered, or nobody waits any more: later presentations are judged anew.
struct Leave<'f> {
    flights: &'f Inflight,
    key: Key,
    cell: Arc<OnceCell<Shared>>,
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        let mut flights = self.flights.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = flights.get(&self.key).is_some_and(|c| Arc::ptr_eq(c, &self.cell));
        // Two: the board's and ours. Then nobody else waits.
        if same && (self.cell.initialized() || Arc::strong_count(&self.cell) <= 2) {
            flights.remove(&self.key);
        }
    }
}
