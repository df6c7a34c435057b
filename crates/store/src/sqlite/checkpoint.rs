//! Checkpoints, off the writer's path.
//!
//! A thread with its own connection copies pages from the log to the database (PASSIVE: it stops nobody). That alone
//! lets the log grow without bound while writes never pause, so past a size the writer itself restarts the log between
//! two transactions, when little is left to copy.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;

use super::open;

/// Pages not yet copied that start a checkpoint at once (16 MB).
const EAGER: u32 = 4_096;
/// Pages in the log from which on the writer tries to restart it (64 MB).
const RESTART: u32 = 16_384;
/// Pages in the log from which on the writer waits until it can (256 MB).
const LIMIT: u32 = 65_536;
/// How long small writes gather before they are copied.
const GATHER: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
struct Shared {
    /// Pages in the log, as of the last commit.
    pages: Arc<AtomicU32>,
    /// Of these, pages that are in the database too.
    copied: AtomicU32,
    /// Something was committed since the last pass began.
    dirty: AtomicBool,
    /// Held during a pass: SQLite allows one checkpoint at a time, and waiting for it inside SQLite is slow.
    pass: Mutex<()>,
}

/// The handle to the checkpointing thread.
#[derive(Debug)]
pub(super) struct Checkpointer {
    thread: Option<JoinHandle<()>>,
}

/// The writer's end.
pub(super) struct Pressure {
    shared: Arc<Shared>,
    wake: SyncSender<()>,
}

impl Checkpointer {
    /// Starts the thread. It ends when the writer's end is dropped.
    pub(super) fn start(connection: Connection) -> io::Result<(Self, Pressure)> {
        let (wake, woken) = sync_channel(1);
        let shared = Arc::new(Shared::default());
        let thread_shared = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name(String::from("store-checkpoint"))
            .spawn(move || run(&connection, &thread_shared, &woken))?;
        Ok((Self { thread: Some(thread) }, Pressure { shared, wake }))
    }

    /// Waits for the thread to end; the writer must have stopped.
    pub(super) fn stop(&mut self) {
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the checkpointer of the store ended abnormally");
        }
    }
}

fn run(connection: &Connection, shared: &Shared, woken: &Receiver<()>) {
    while woken.recv().is_ok() {
        while shared.backlog() < EAGER {
            match woken.recv_timeout(GATHER) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
        let _pass = shared.pass.lock().unwrap_or_else(PoisonError::into_inner);
        shared.dirty.store(false, Ordering::Relaxed);
        shared.checkpoint(connection, "PRAGMA wal_checkpoint(PASSIVE)");
    }
}

impl Shared {
    fn backlog(&self) -> u32 {
        let pages = self.pages.load(Ordering::Relaxed);
        let copied = self.copied.load(Ordering::Relaxed);
        // Fewer pages than were copied: the log has started anew.
        if pages < copied { pages } else { pages - copied }
    }

    fn checkpoint(&self, connection: &Connection, sql: &str) {
        let result = connection.prepare_cached(sql).and_then(|mut statement| {
            statement.query_row([], |row| Ok((row.get::<_, bool>(0)?, row.get::<_, i64>(2)?)))
        });
        match result {
            Ok((_, copied)) => self.copied.store(u32::try_from(copied).unwrap_or(0), Ordering::Relaxed),
            Err(error) => tracing::warn!(%error, "a checkpoint failed; the log grows until one succeeds"),
        }
    }
}

fn patience(connection: &Connection, time: Duration) {
    if let Err(error) = connection.busy_timeout(time) {
        tracing::warn!(%error, "the store's patience cannot be set");
    }
}

impl Pressure {
    /// Where the writer counts the pages of the log.
    pub(super) fn pages(&self) -> Arc<AtomicU32> {
        Arc::clone(&self.shared.pages)
    }

    /// Called by the writer between two transactions.
    pub(super) fn relieve(&self, writer: &Connection) {
        let shared = &*self.shared;
        let pages = shared.pages.load(Ordering::Relaxed);
        if pages >= RESTART {
            let pass = if pages >= LIMIT {
                Some(shared.pass.lock().unwrap_or_else(PoisonError::into_inner))
            } else {
                match shared.pass.try_lock() {
                    Ok(pass) => Some(pass),
                    Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
                    Err(TryLockError::WouldBlock) => None,
                }
            };
            if pass.is_some() {
                // A reader in the middle of a long read (a backup) holds the log; try again after the next commit
                // rather than keep everybody waiting.
                patience(writer, Duration::from_millis(2));
                shared.checkpoint(writer, "PRAGMA wal_checkpoint(RESTART)");
                patience(writer, open::PATIENCE);
            }
            return;
        }
        if (!shared.dirty.swap(true, Ordering::Relaxed) || shared.backlog() >= EAGER) && pages > 0 {
            // A full channel means that the thread has yet to see the last call.
            match self.wake.try_send(()) {
                Ok(()) | Err(TrySendError::Full(()) | TrySendError::Disconnected(())) => {}
            }
        }
    }
}
