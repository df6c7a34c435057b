//! Places for connections, and who must go when there are none left.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::activity::Activity;

/// How long the one who must go is waited for, before somebody else must.
const STEP: Duration = Duration::from_millis(20);

/// The connections that are open, and how many there may be.
#[derive(Debug)]
pub(super) struct Seats {
    free: Arc<Semaphore>,
    taken: Mutex<HashMap<u64, Arc<Activity>>>,
    next: AtomicU64,
}

/// One connection's place, until all that came by it has ended.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Arc<Seats>,
    number: u64,
    pub(super) activity: Arc<Activity>,
    _permit: OwnedSemaphorePermit,
}

impl Seats {
    pub(super) fn new(connections: usize) -> Arc<Self> {
        let free = Arc::new(Semaphore::new(connections.clamp(1, Semaphore::MAX_PERMITS)));
        Arc::new(Self { free, taken: Mutex::default(), next: AtomicU64::new(0) })
    }

    /// A place for a connection that was accepted. Where there is none, whoever has been silent for longest loses
    /// theirs: those who open connections and say nothing would lock everybody else out.
    pub(super) async fn take(self: &Arc<Self>) -> Seat {
        loop {
            let free = Arc::clone(&self.free);
            if let Ok(permit) = Arc::clone(&free).try_acquire_owned() {
                return self.seat(permit);
            }
            self.make_room();
            if let Ok(Ok(permit)) = timeout(STEP, free.acquire_owned()).await {
                return self.seat(permit);
            }
        }
    }

    fn seat(self: &Arc<Self>, permit: OwnedSemaphorePermit) -> Seat {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let activity = Arc::new(Activity::default());
        self.taken().insert(number, Arc::clone(&activity));
        Seat { seats: Arc::clone(self), number, activity, _permit: permit }
    }

    /// Sends somebody away who is in no request: those who never asked for anything before those who are idle.
    fn make_room(&self) {
        let longest = self
            .taken()
            .values()
            .filter_map(|activity| activity.silence().map(|silence| (silence, Arc::clone(activity))))
            .max_by_key(|(silence, _)| *silence);
        if let Some((_, activity)) = longest {
            activity.evict();
        }
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<u64, Arc<Activity>>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.taken().remove(&self.number);
    }
}
