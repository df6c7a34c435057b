//! Threads that read, each with a read-only connection: reads neither wait for the writer nor block the runtime.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use countersign_core::port::StoreError;
use rusqlite::Connection;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::error::{Sql, SqlError, unavailable};
use super::open;

/// Reads by primary key take microseconds; more threads would only cost memory.
const THREADS: usize = 2;
/// Reads that may wait.
const QUEUE: usize = 4096;
/// Reads that one thread takes at a time: few, so that the other one gets some too.
const BATCH: usize = 8;

type Job = Box<dyn FnOnce(&Connection) + Send>;

/// The handle to the reading threads.
pub(super) struct Readers {
    queue: Option<SyncSender<Job>>,
    threads: Vec<JoinHandle<()>>,
    /// For reads by primary key on the caller's own thread.
    near: Mutex<Option<Near>>,
}

/// A connection that never waits for a lock, and is left alone for a while after a slow read: whoever calls serves others too.
struct Near {
    connection: Connection,
    shunned_until: Option<Instant>,
}

/// A read that takes longer than this came from a disk that is stuck or busy.
const SLOW: Duration = Duration::from_millis(50);
/// How long the reading threads then take all of them.
const SHUN: Duration = Duration::from_secs(2);

impl Near {
    fn open(path: &Path) -> rusqlite::Result<Self> {
        let connection = open::read_only(path)?;
        connection.busy_timeout(Duration::ZERO)?;
        Ok(Self { connection, shunned_until: None })
    }

    /// The answer, unless this is not the moment for one.
    fn read<T>(&mut self, work: impl FnOnce(&Connection) -> Sql<T>) -> Option<Sql<T>> {
        let began = Instant::now();
        if self.shunned_until.is_some_and(|until| began < until) {
            return None;
        }
        let answer = work(&self.connection);
        let busy = answer.as_ref().is_err_and(SqlError::is_busy);
        self.shunned_until = (busy || began.elapsed() > SLOW).then(|| Instant::now() + SHUN);
        (!busy).then_some(answer)
    }
}

impl std::fmt::Debug for Readers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Readers").field("threads", &self.threads.len()).finish_non_exhaustive()
    }
}

impl Readers {
    /// Starts the threads.
    pub(super) fn start(path: &Path) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let (queue, jobs) = sync_channel::<Job>(QUEUE);
        let jobs = Arc::new(Mutex::new(jobs));
        let mut threads = Vec::with_capacity(THREADS);
        for number in 0..THREADS {
            let connection = open::read_only(path)?;
            let jobs = Arc::clone(&jobs);
            let thread = std::thread::Builder::new().name(format!("store-reader-{number}"));
            threads.push(thread.spawn(move || {
                while let Some(batch) = next(&jobs) {
                    for job in batch {
                        job(&connection);
                    }
                }
            })?);
        }
        Ok(Self { queue: Some(queue), threads, near: Mutex::new(Some(Near::open(path)?)) })
    }

    /// Reads one row by primary key, on the caller's thread if nobody else does so right now: it takes microseconds, handing it to
    /// another thread and back takes longer. Readers of a write-ahead log never wait for the writer.
    pub(super) async fn point<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&Connection) -> Sql<T> + Send + 'static,
    {
        if let Ok(mut near) = self.near.try_lock()
            && let Some(near) = &mut *near
            && let Some(answer) = near.read(&work)
        {
            return answer.map_err(StoreError::from);
        }
        self.read(work).await
    }

    /// Reads what is committed, the caller's own writes included.
    pub(super) async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Sql<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // Nobody waits any more: a cancelled request costs no disk access.
            if !reply.is_closed() {
                drop(reply.send(work(connection).map_err(StoreError::from)));
            }
        });
        let Some(queue) = &self.queue else { return Err(unavailable(&"closing")) };
        match queue.try_send(job) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => return Err(unavailable(&"too many reads are waiting")),
            Err(TrySendError::Disconnected(_)) => return Err(unavailable(&"the readers have stopped")),
        }
        answer.await.unwrap_or_else(|_| Err(unavailable(&"the reader has stopped")))
    }

    /// Ends the threads.
    pub(super) fn stop(&mut self) {
        self.queue = None;
        self.near.lock().unwrap_or_else(PoisonError::into_inner).take();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a reader of the store ended abnormally");
            }
        }
    }
}

/// Waits for a job, and takes what waits behind it: under load, handing the queue to the other thread for each job costs more
/// than the job.
fn next(jobs: &Mutex<Receiver<Job>>) -> Option<Vec<Job>> {
    let jobs = jobs.lock().unwrap_or_else(PoisonError::into_inner);
    let mut batch = vec![jobs.recv().ok()?];
    batch.extend(jobs.try_iter().take(BATCH - 1));
    Some(batch)
}
