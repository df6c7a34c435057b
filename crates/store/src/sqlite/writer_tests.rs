//! Group commit, seen from inside: which verbs share a transaction, and what a failing one does to the others.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;

use countersign_core::port::StoreError;
use rusqlite::Connection;

use super::checkpoint::Checkpointer;
use super::error::{Sql, SqlError};
use super::open::{Tuning, connect, read_only};
use super::row::run;
use super::writer::Writer;

struct Bench {
    writer: Arc<Writer>,
    commits: Arc<AtomicU32>,
    reader: Connection,
    _checkpointer: Checkpointer,
    _directory: tempfile::TempDir,
}

/// A writer over a table `t(k PRIMARY KEY)` that counts its commits.
fn bench(queue: usize) -> Bench {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("t.db");
    let mut connection = connect(path_created(&path), Tuning::default()).unwrap();
    connection.execute_batch("CREATE TABLE t (k INTEGER NOT NULL PRIMARY KEY) STRICT").unwrap();
    let commits = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&commits);
    connection
        .commit_hook(Some(move || {
            counter.fetch_add(1, Ordering::SeqCst);
            false
        }))
        .unwrap();
    let (checkpointer, pressure) = Checkpointer::start(connect(&path, Tuning::default()).unwrap()).unwrap();
    let writer = Arc::new(Writer::start(connection, queue, pressure).unwrap());
    let reader = read_only(&path).unwrap();
    Bench { writer, commits, reader, _checkpointer: checkpointer, _directory: directory }
}

fn path_created(path: &Path) -> &Path {
    super::files::create_private(path).unwrap();
    path
}

fn insert(connection: &Connection, k: i64) -> Sql<usize> {
    run(connection, "INSERT INTO t (k) VALUES (?1)", [k])
}

/// Lets spawned tasks queue their verbs: on one thread they run in order, up to their first wait.
async fn settle() {
    for _ in 0..16 {
        tokio::task::yield_now().await;
    }
}

impl Bench {
    /// Occupies the writer, in a transaction, until the returned sender is used or dropped.
    async fn hold(&self) -> (mpsc::Sender<()>, tokio::task::JoinHandle<Result<(), StoreError>>) {
        let (release, held) = mpsc::channel::<()>();
        let (begun, begins) = tokio::sync::oneshot::channel();
        let writer = Arc::clone(&self.writer);
        let holding = tokio::spawn(async move {
            let work = move |_: &Connection| {
                begun.send(()).unwrap();
                // An error means released by dropping: just as well.
                held.recv().or(Ok(()))
            };
            writer.write(work).await
        });
        begins.await.unwrap();
        (release, holding)
    }

    fn spawn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Sql<T> + Send + 'static,
    ) -> tokio::task::JoinHandle<Result<T, StoreError>> {
        let writer = Arc::clone(&self.writer);
        tokio::spawn(async move { writer.write(work).await })
    }

    fn stored(&self) -> Vec<i64> {
        let mut statement = self.reader.prepare("SELECT k FROM t ORDER BY k").unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }
}

/// Design §8: a failing verb inside a batch fails alone, whatever it wrote before it failed is undone, and the whole
/// batch is one transaction.
#[tokio::test]
async fn a_failing_verb_fails_alone() {
    let bench = bench(64);
    let (release, holding) = bench.hold().await;
    let good_before = bench.spawn(|c| insert(c, 1));
    let half_done = bench.spawn(|c| {
        insert(c, 2)?;
        Err::<(), _>(SqlError::Unreadable("t.k"))
    });
    let duplicate = bench.spawn(|c| {
        insert(c, 3)?;
        insert(c, 1)
    });
    let good_after = bench.spawn(|c| insert(c, 4));
    settle().await;
    assert_eq!(bench.stored(), [] as [i64; 0], "nothing shows before the commit");
    drop(release);

    assert!(good_before.await.unwrap().is_ok());
    assert!(matches!(half_done.await.unwrap(), Err(StoreError::Corrupt(_))));
    assert!(matches!(duplicate.await.unwrap(), Err(StoreError::Corrupt(_))));
    assert!(good_after.await.unwrap().is_ok());
    assert!(holding.await.unwrap().is_ok());
    assert_eq!(bench.stored(), [1, 4]);
    assert_eq!(bench.commits.load(Ordering::SeqCst), 1, "all of them were one transaction");
}

/// When the transaction itself is lost, nobody in it is told that it worked.
#[tokio::test]
async fn a_lost_transaction_is_nobodys_success() {
    let bench = bench(64);
    let (release, holding) = bench.hold().await;
    let innocent = bench.spawn(|c| insert(c, 1));
    settle().await;
    // What SQLite does by itself when the disk is full.
    let fatal = bench.spawn(|c| {
        c.execute_batch("ROLLBACK")?;
        Err::<(), _>(SqlError::Unreadable("t.k"))
    });
    settle().await;
    drop(release);
    for answer in [innocent.await.unwrap().map(drop), fatal.await.unwrap(), holding.await.unwrap()] {
        assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    }
    assert_eq!(bench.stored(), [] as [i64; 0]);
    // And the writer goes on.
    assert!(bench.writer.write(|c| insert(c, 7)).await.is_ok());
    assert_eq!(bench.stored(), [7]);
}

/// A commit that fails acknowledges nothing.
#[tokio::test]
async fn a_failed_commit_acknowledges_nothing() {
    let bench = bench(64);
    let setup = "CREATE TABLE parent (k INTEGER PRIMARY KEY) STRICT;
        CREATE TABLE child (k INTEGER REFERENCES parent (k) DEFERRABLE INITIALLY DEFERRED) STRICT;";
    bench.writer.write(move |c| Ok(c.execute_batch(setup)?)).await.unwrap();
    let (release, holding) = bench.hold().await;
    let innocent = bench.spawn(|c| insert(c, 1));
    // A deferred constraint is checked by COMMIT only.
    let fatal = bench.spawn(|c| run(c, "INSERT INTO child (k) VALUES (1)", []));
    settle().await;
    drop(release);
    for answer in [innocent.await.unwrap().map(drop), fatal.await.unwrap().map(drop), holding.await.unwrap()]
    {
        assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    }
    assert_eq!(bench.stored(), [] as [i64; 0]);
}

/// A full queue refuses at once instead of growing.
#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let bench = bench(2);
    let (release, holding) = bench.hold().await;
    let waiting = [bench.spawn(|c| insert(c, 1)), bench.spawn(|c| insert(c, 2))];
    settle().await;
    let refused = bench.writer.write(|c| insert(c, 3)).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    drop(release);
    for verb in waiting {
        assert!(verb.await.unwrap().is_ok());
    }
    assert!(holding.await.unwrap().is_ok());
    assert_eq!(bench.stored(), [1, 2]);
}

/// Baselines: with passive checkpoints alone the log grows without bound while writes never pause.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_does_not_grow_without_bound() {
    let bench = bench(4096);
    let blob = "CREATE TABLE big (k INTEGER PRIMARY KEY, v BLOB) STRICT";
    bench.writer.write(move |c| Ok(c.execute_batch(blob)?)).await.unwrap();
    let mut largest = 0;
    let log = bench._directory.path().join("t.db-wal");
    // 480 MB through the log, without a pause in which a passive checkpoint could catch up.
    let mut writing: Vec<_> = Vec::new();
    for round in 0..120_i64 {
        let work = move |c: &Connection| {
            run(c, "INSERT OR REPLACE INTO big (k, v) VALUES (?1 % 8, zeroblob(4000000))", [round]).map(drop)
        };
        writing.push(bench.spawn(work));
        if writing.len() >= 4 {
            writing.remove(0).await.unwrap().unwrap();
        }
        largest = largest.max(std::fs::metadata(&log).unwrap().len());
    }
    for verb in writing {
        verb.await.unwrap().unwrap();
    }
    assert!(largest < 200 << 20, "the log reached {} MB", largest >> 20);
}
