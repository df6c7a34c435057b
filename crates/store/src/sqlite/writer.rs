//! One thread that writes, with group commit: verbs that wait are put into one transaction, each in a savepoint of its
//! own, and nobody is answered before COMMIT has returned, which with `synchronous=FULL` means fsynced.

use std::io;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use countersign_core::port::StoreError;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::checkpoint::Pressure;
use super::error::{Sql, unavailable};

/// More verbs in a transaction gain little and make the first one wait.
const LARGEST_BATCH: usize = 256;

/// A verb on its way through the writer, its result type erased.
trait Job: Send {
    /// Does it. Returns whether it succeeded; a failure is undone by the caller.
    fn run(&mut self, connection: &Connection) -> bool;
    /// Answers, now that the fate of the transaction is known.
    fn answer(self: Box<Self>, fate: &Result<(), String>);
}

struct Verb<F, T> {
    work: Option<F>,
    result: Option<Sql<T>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<F, T> Job for Verb<F, T>
where
    F: FnOnce(&Connection) -> Sql<T> + Send,
    T: Send,
{
    fn run(&mut self, connection: &Connection) -> bool {
        self.result = self.work.take().map(|work| work(connection));
        matches!(self.result, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, fate: &Result<(), String>) {
        let answer = match (fate, self.result) {
            (Ok(()), Some(result)) => result.map_err(StoreError::from),
            (Ok(()), None) => Err(StoreError::Unavailable(String::from("the verb was not carried out"))),
            (Err(reason), _) => Err(StoreError::Unavailable(reason.clone())),
        };
        // A caller who went away has no use for the answer; the verb stands all the same.
        drop(self.reply.send(answer));
    }
}

/// The handle to the writing thread.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Option<SyncSender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for dyn Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Job")
    }
}

impl Writer {
    /// Starts the thread. At most `queue` verbs wait.
    pub(super) fn start(connection: Connection, queue: usize, pressure: Pressure) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(queue);
        let thread_state = Thread { connection, queue: receiver, pressure };
        let thread = std::thread::Builder::new()
            .name(String::from("store-writer"))
            .spawn(move || thread_state.run())?;
        Ok(Self { queue: Some(sender), thread: Some(thread) })
    }

    /// Carries a verb out in a transaction; durable when it returns `Ok`. A full queue refuses at once, so that an
    /// overload is answered while it is small.
    pub(super) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Sql<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let verb = Box::new(Verb { work: Some(work), result: None, reply });
        let Some(queue) = &self.queue else { return Err(unavailable(&"closing")) };
        match queue.try_send(verb) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => return Err(unavailable(&"too many writes are waiting")),
            Err(TrySendError::Disconnected(_)) => return Err(unavailable(&"the writer has stopped")),
        }
        answer.await.unwrap_or_else(|_| Err(unavailable(&"the writer has stopped")))
    }

    /// Finishes what is queued and ends the thread.
    pub(super) fn stop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the writer of the store ended abnormally");
        }
    }
}

struct Thread {
    connection: Connection,
    queue: Receiver<Box<dyn Job>>,
    pressure: Pressure,
}

impl Thread {
    fn run(mut self) {
        let pages = self.pressure.pages();
        let hooked = self.connection.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, count| {
            pages.store(u32::try_from(count).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }));
        if let Err(error) = hooked {
            tracing::error!(%error, "the store cannot watch its log");
            return;
        }
        while let Ok(job) = self.queue.recv() {
            self.batch(job);
            self.pressure.relieve(&self.connection);
        }
    }

    /// One transaction: `first`, and whatever arrives while it runs.
    fn batch(&self, first: Box<dyn Job>) {
        if let Err(error) = self.execute("BEGIN IMMEDIATE") {
            first.answer(&Err(error.to_string()));
            return;
        }
        let mut done = Vec::new();
        let mut fate = Ok(());
        let mut next = Some(first);
        while let Some(mut job) = next {
            let ran = self.in_savepoint(&mut *job);
            done.push(job);
            if let Err(error) = ran {
                fate = Err(error.to_string());
                break;
            }
            // A full disk or a failing one makes SQLite roll everything back by itself.
            if self.connection.is_autocommit() {
                fate = Err(String::from("the transaction was rolled back"));
                break;
            }
            next = if done.len() < LARGEST_BATCH { self.queue.try_recv().ok() } else { None };
        }
        if fate.is_ok() {
            fate = self.execute("COMMIT").map_err(|error| error.to_string());
        }
        if let Err(reason) = &fate {
            tracing::error!(%reason, verbs = done.len(), "a transaction failed");
            if !self.connection.is_autocommit()
                && let Err(error) = self.execute("ROLLBACK")
            {
                tracing::error!(%error, "rolling back failed");
            }
        }
        for job in done {
            job.answer(&fate);
        }
    }

    /// Runs one verb so that its failure undoes its own writes only.
    fn in_savepoint(&self, job: &mut dyn Job) -> rusqlite::Result<()> {
        self.execute("SAVEPOINT verb")?;
        if !job.run(&self.connection) && !self.connection.is_autocommit() {
            self.execute("ROLLBACK TO verb")?;
        }
        if self.connection.is_autocommit() {
            return Ok(());
        }
        self.execute("RELEASE verb")
    }

    fn execute(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(drop)
    }
}
