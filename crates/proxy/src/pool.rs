//! Keep-alive connections to one upstream.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};

use crate::connect::{Conn, connect};
use crate::{ClientConnection, ForwardError, Origin, PoolLimits};

/// How long a connection that has just come back may take to become ready: its task has seen the end of the
/// answer but perhaps not yet run to its own.
const SETTLE: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(crate) struct Pool {
    origin: Origin,
    limits: PoolLimits,
    idle: Mutex<IdleList>,
    /// One permit per exchange. Connections only grow beyond the idle ones, so their number is capped too.
    permits: Semaphore,
    waiting: AtomicUsize,
}

#[derive(Debug, Default)]
struct IdleList {
    /// In the order they came back: the last one is the most likely to be alive, and its buffers to be warm.
    conns: Vec<Idle>,
    reaping: bool,
}

#[derive(Debug)]
struct Idle {
    conn: Conn,
    since: Instant,
}

/// The right to one connection.
#[derive(Debug)]
pub(crate) struct Slot {
    pool: Arc<Pool>,
    /// What it takes of its client's share.
    _share: Option<OwnedSemaphorePermit>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.pool.permits.add_permits(1);
    }
}

/// How full an upstream's pool is, for whoever decides about a client that holds one of its connections.
#[derive(Debug, Clone)]
pub struct Pressure(Arc<Pool>);

impl Pressure {
    /// Half of the connections that may be are in use: those that move nothing are better given to others.
    #[must_use]
    pub fn is_high(&self) -> bool {
        self.0.is_crowded()
    }
}

/// A connection in use. Dropping it closes it; only [`Lease::give_back`] pools it.
#[derive(Debug)]
pub(crate) struct Lease {
    // In this order: the connection is gone before the slot is free.
    pub(crate) conn: Conn,
    slot: Slot,
}

impl IdleList {
    /// The last of this thread's, else the last of any.
    fn pop(&mut self) -> Option<Idle> {
        let here = thread::current().id();
        match self.conns.iter().rposition(|idle| idle.conn.home == here) {
            Some(at) => Some(self.conns.remove(at)),
            None => self.conns.pop(),
        }
    }
}

impl Pool {
    pub(crate) fn new(origin: Origin, limits: PoolLimits) -> Self {
        let permits = Semaphore::new(limits.connections.clamp(1, Semaphore::MAX_PERMITS));
        Self { origin, limits, idle: Mutex::default(), permits, waiting: AtomicUsize::new(0) }
    }

    /// Waits for the right to a connection, in a bounded queue for a bounded time.
    pub(crate) async fn slot(
        self: &Arc<Self>,
        client: Option<&ClientConnection>,
    ) -> Result<Slot, ForwardError> {
        let share = client.and_then(|client| client.share.as_ref());
        let part = match share {
            Some(share) => self.part(share).await?,
            None => None,
        };
        if let Ok(permit) = self.permits.try_acquire() {
            permit.forget();
            return Ok(Slot { pool: Arc::clone(self), _share: part });
        }
        let _place = Place::take(&self.waiting, self.limits.queue).ok_or(ForwardError::Saturated)?;
        match timeout(self.limits.queue_timeout, self.permits.acquire()).await {
            Ok(Ok(permit)) => {
                permit.forget();
                Ok(Slot { pool: Arc::clone(self), _share: part })
            }
            Ok(Err(_)) | Err(_) => Err(ForwardError::Saturated),
        }
    }

    /// A part of a client's share; none where it is used up but nobody else waits. It is waited for outside the
    /// queue, or one client's requests would fill that.
    async fn part(&self, share: &Arc<Semaphore>) -> Result<Option<OwnedSemaphorePermit>, ForwardError> {
        if let Ok(part) = Arc::clone(share).try_acquire_owned() {
            return Ok(Some(part));
        }
        if !self.is_crowded() {
            return Ok(None);
        }
        match timeout(self.limits.queue_timeout, Arc::clone(share).acquire_owned()).await {
            Ok(Ok(part)) => Ok(Some(part)),
            Ok(Err(_)) | Err(_) => Err(ForwardError::Saturated),
        }
    }

    /// Half of the exchanges that may be are.
    pub(crate) fn is_crowded(&self) -> bool {
        self.permits.available_permits() < self.limits.connections.div_ceil(2)
    }

    /// An idle connection that is still open, the most recent first.
    pub(crate) async fn reuse(&self) -> Option<Conn> {
        loop {
            let Idle { mut conn, since, .. } = self.idle().pop()?;
            if since.elapsed() >= self.limits.idle_timeout {
                continue;
            }
            if conn.sender.is_closed() {
                continue;
            }
            if conn.sender.is_ready() || matches!(timeout(SETTLE, conn.sender.ready()).await, Ok(Ok(()))) {
                return Some(conn);
            }
        }
    }

    pub(crate) async fn fresh(&self) -> Result<Conn, ForwardError> {
        connect(&self.origin, self.limits.connect_timeout).await
    }

    /// Closes all idle connections: one of them was stale, so the others are too, most likely.
    pub(crate) fn forget_idle(&self) {
        let conns = std::mem::take(&mut self.idle().conns);
        drop(conns);
    }

    fn idle(&self) -> MutexGuard<'_, IdleList> {
        // A panic while holding it leaves a valid list.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(self: &Arc<Self>, conn: Conn) {
        if conn.sender.is_closed() {
            return;
        }
        let mut idle = self.idle();
        if idle.conns.len() >= self.limits.idle {
            // Outside the lock is better, but this is the rare case and closing a socket is quick.
            return;
        }
        idle.conns.push(Idle { conn, since: Instant::now() });
        if !idle.reaping {
            idle.reaping = true;
            drop(idle);
            tokio::spawn(reap(Arc::downgrade(self), self.limits.idle_timeout));
        }
    }

    /// Closes what has been idle for too long; whether anything is left.
    fn reap_once(&self) -> bool {
        let mut idle = self.idle();
        let expired = idle.conns.partition_point(|idle| idle.since.elapsed() >= self.limits.idle_timeout);
        let expired: Vec<_> = idle.conns.drain(..expired).collect();
        idle.reaping = !idle.conns.is_empty();
        let more = idle.reaping;
        drop(idle);
        drop(expired);
        more
    }
}

impl Slot {
    pub(crate) fn lease(self, conn: Conn) -> Lease {
        Lease { conn, slot: self }
    }
}

impl Lease {
    /// How full the pool is that it came from.
    pub(crate) fn pressure(&self) -> Pressure {
        Pressure(Arc::clone(&self.slot.pool))
    }

    /// Returns a connection whose exchange is over on both sides.
    pub(crate) fn give_back(self) {
        let Self { conn, slot } = self;
        slot.pool.put(conn);
    }
}

/// Runs while there are idle connections.
async fn reap(pool: Weak<Pool>, period: Duration) {
    loop {
        sleep(period).await;
        if !pool.upgrade().is_some_and(|pool| pool.reap_once()) {
            return;
        }
    }
}

/// A place in the queue, given up when the wait ends in any way.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize, limit: usize) -> Option<Self> {
        let place = Self(waiting);
        (waiting.fetch_add(1, Ordering::AcqRel) < limit).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// A connection stays its thread's whoever gives it back, or each use by its own would seem to be a stranger's.
    #[tokio::test]
    async fn connections_stay_at_home() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = Origin::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let pool = Arc::new(Pool::new(origin, PoolLimits::default()));
        let ours = pool.fresh().await.unwrap();
        let (lender, lent) = (Arc::clone(&pool), thread::current().id());
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let theirs = lender.fresh().await.unwrap();
                lender.put(ours);
                lender.put(theirs);
                // The last one given back; but the other is at home nowhere here.
                assert_eq!(lender.idle().pop().unwrap().conn.home, thread::current().id());
            });
        })
        .join()
        .unwrap();
        assert_eq!(pool.idle().pop().unwrap().conn.home, lent);
    }
}
