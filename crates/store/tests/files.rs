//! The database as a file: lock, modes, refusals, backup and restore.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use countersign_core::domain::id::Epoch;
use countersign_core::domain::session::EndReason;
use countersign_core::port::Store as _;
use countersign_store::{
    BackupError, OpenError, OpenMode, Plan, Replaced, RestoreError, Restored, RestoredSessions, SqliteStore,
    WhatEndedSince,
};
use support::{at, event, session, sid, sqlite, user, with_user};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn files_are_private_and_a_clean_end_leaves_one() {
    let (directory, store) = sqlite();
    with_user(&store, &user(1)).await;
    let migrated = store.migrated().unwrap();
    assert_eq!((migrated.from, migrated.copy.clone()), (0, None));
    for name in names(directory.path()) {
        assert_eq!(mode(&directory.path().join(&name)), 0o600, "{name}");
    }
    let path = store.path().to_owned();
    drop(store);
    assert_eq!(names(directory.path()), ["store.db", "store.db.lock"]);
    let again = SqliteStore::open(&path, OpenMode::Existing).unwrap();
    assert!(again.migrated().is_none());
    assert!(again.user(&user(1).id).await.unwrap().is_some());
}

#[tokio::test]
async fn one_process_at_a_time() {
    let (_directory, store) = sqlite();
    let refused = SqliteStore::open(store.path(), OpenMode::Existing).unwrap_err();
    assert!(
        matches!(refused, OpenError::Locked { by: Some(pid), .. } if pid == std::process::id()),
        "{refused:?}"
    );
    assert!(refused.to_string().contains(&format!("process {}", std::process::id())), "{refused}");
    let path = store.path().to_owned();
    // By another name it is the same database.
    let (link, second) = (path.with_file_name("link.db"), path.with_file_name("second.db"));
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let refused = SqliteStore::open(&link, OpenMode::Existing).unwrap_err();
    assert!(matches!(refused, OpenError::Locked { .. }), "{refused:?}");
    fs::hard_link(&path, &second).unwrap();
    let refused = SqliteStore::open(&second, OpenMode::Existing).unwrap_err();
    assert!(refused.to_string().contains("second name") || format!("{refused:?}").contains("second name"));
    fs::remove_file(&second).unwrap();
    drop(store);
    SqliteStore::open(&path, OpenMode::Existing).unwrap();
}

#[test]
fn what_cannot_be_opened_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let open =
        |name: &str, mode| SqliteStore::open(&directory.path().join(name), mode).map(drop).unwrap_err();
    assert!(matches!(open("none/store.db", OpenMode::Create), OpenError::NoDirectory { .. }));
    assert!(matches!(open("store.db", OpenMode::Existing), OpenError::Missing { .. }));
    assert_eq!(names(directory.path()), [] as [&str; 0], "a refusal leaves nothing behind");
    fs::write(
        directory.path().join("text.db"),
        "this is no database at all, but it is long enough to look at",
    )
    .unwrap();
    assert!(matches!(open("text.db", OpenMode::Create), OpenError::Damaged { .. }));
}

/// A backup is complete, consistent and private while others write.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backup_works_while_serving() {
    let (directory, store) = sqlite();
    let store = Arc::new(store);
    with_user(&*store, &user(1)).await;
    let (stop, opened) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let writing = {
        let (store, stop, opened) = (Arc::clone(&store), Arc::clone(&stop), Arc::clone(&opened));
        tokio::spawn(async move {
            while !stop.load(Ordering::SeqCst) {
                let n = opened.load(Ordering::SeqCst);
                store.open_session(&session(n, &user(1)), None, None).await.unwrap();
                opened.store(n + 1, Ordering::SeqCst);
            }
        })
    };
    while opened.load(Ordering::SeqCst) < 50 {
        tokio::task::yield_now().await;
    }
    let copy = directory.path().join("copy.db");
    let before = opened.load(Ordering::SeqCst);
    store.backup(&copy).await.unwrap();
    stop.store(true, Ordering::SeqCst);
    writing.await.unwrap();
    assert_eq!(mode(&copy), 0o600);
    assert!(!names(directory.path()).iter().any(|name| name.starts_with("copy.db") && name != "copy.db"));

    let again = store.backup(&copy).await.unwrap_err();
    assert!(matches!(again, BackupError::Exists(_)), "{again:?}");
    let nowhere = store.backup(&directory.path().join("none/copy.db")).await.unwrap_err();
    assert!(matches!(nowhere, BackupError::Io { .. }), "{nowhere:?}");

    let copied = SqliteStore::open(&copy, OpenMode::Existing).unwrap();
    for n in 0..before {
        assert!(
            copied.session(sid(n)).await.unwrap().is_some(),
            "session {n} of {before} is not in the copy"
        );
    }
}

/// Three sessions; the third is opened, and the second revoked, after the copy was made.
async fn copied() -> (tempfile::TempDir, std::path::PathBuf, std::path::PathBuf) {
    let (directory, store) = sqlite();
    with_user(&store, &user(1)).await;
    for n in [1, 2] {
        store.open_session(&session(n, &user(1)), None, None).await.unwrap();
    }
    let copy = directory.path().join("copy.db");
    store.backup(&copy).await.unwrap();
    store.revoke_session(sid(2), EndReason::Logout, at(20)).await.unwrap();
    store.open_session(&session(3, &user(1)), None, None).await.unwrap();
    let path = store.path().to_owned();
    (directory, path, copy)
}

/// As `store restore` does it.
fn restore(from: &Path, to: &Path, sessions: RestoredSessions) -> Result<Restored, RestoreError> {
    let plan = Plan { sessions, since: WhatEndedSince::StaysEnded };
    countersign_store::restore(from, to, plan, |_| event(99))
}

/// What was revoked after the copy was made must not come back to life.
#[tokio::test]
async fn restore_ends_every_session() {
    let (_directory, path, copy) = copied().await;
    let done = restore(&copy, &path, RestoredSessions::End { at: at(500) }).unwrap();
    assert_eq!(done.outcome.ended, 2);
    assert_eq!(mode(&path), 0o600);
    let store = SqliteStore::open(&path, OpenMode::Existing).unwrap();
    for n in [1, 2] {
        let held = store.session(sid(n)).await.unwrap().unwrap();
        let ended = held.session.ended.unwrap();
        assert_eq!((ended.reason, ended.at, held.user.epoch), (EndReason::Restored, at(500), Epoch(2)));
    }
    assert!(store.session(sid(3)).await.unwrap().is_none());
    // What was there is aside, whole.
    let aside = SqliteStore::open(&done.aside.unwrap(), OpenMode::Existing).unwrap();
    assert_eq!(
        aside.session(sid(2)).await.unwrap().unwrap().session.ended.unwrap().reason,
        EndReason::Logout
    );
    assert!(aside.session(sid(3)).await.unwrap().is_some());
}

#[tokio::test]
async fn restore_can_keep_sessions_and_needs_no_predecessor() {
    let (directory, _path, copy) = copied().await;
    let elsewhere = directory.path().join("new.db");
    let done = restore(&copy, &elsewhere, RestoredSessions::Keep).unwrap();
    assert_eq!((done.outcome.ended, done.aside), (0, None));
    assert_eq!(done.outcome.replaced, Replaced::Nothing);
    let store = SqliteStore::open(&elsewhere, OpenMode::Existing).unwrap();
    let held = store.session(sid(2)).await.unwrap().unwrap();
    assert_eq!((held.session.ended, held.user.epoch), (None, Epoch(1)));
}

#[tokio::test]
async fn restore_refuses_what_would_harm() {
    let (directory, path, copy) = copied().await;
    let before = fs::read(&path).unwrap();
    let try_restore = |from: &Path| restore(from, &path, RestoredSessions::Keep).unwrap_err();

    // While it is served.
    let serving = SqliteStore::open(&path, OpenMode::Existing).unwrap();
    assert!(matches!(try_restore(&copy), RestoreError::Open(OpenError::Locked { .. })));
    drop(serving);

    let missing = try_restore(&directory.path().join("none.db"));
    assert!(matches!(missing, RestoreError::Open(OpenError::Missing { .. })), "{missing:?}");
    let empty = directory.path().join("empty.db");
    fs::write(&empty, "").unwrap();
    let nothing = try_restore(&empty);
    assert!(matches!(nothing, RestoreError::Open(OpenError::NotOurs { .. })), "{nothing:?}");

    // A page in the middle was overwritten.
    let damaged = directory.path().join("damaged.db");
    let mut bytes = fs::read(&copy).unwrap();
    let length = bytes.len();
    bytes[4096 * 3..4096 * 4].fill(0x5a);
    bytes.truncate(length);
    fs::write(&damaged, bytes).unwrap();
    let refused = try_restore(&damaged);
    assert!(matches!(refused, RestoreError::Damaged { .. }), "{refused:?}");

    // A newer version.
    let newer = directory.path().join("newer.db");
    let mut bytes = fs::read(&copy).unwrap();
    bytes[60..64].copy_from_slice(&99_u32.to_be_bytes());
    fs::write(&newer, bytes).unwrap();
    let refused = try_restore(&newer);
    assert!(matches!(refused, RestoreError::Open(OpenError::Newer { found: 99, .. })), "{refused:?}");

    assert_eq!(fs::read(&path).unwrap(), before, "the database in place is as it was");
    assert!(
        !names(directory.path()).iter().any(|name| name.contains("restor")),
        "{:?}",
        names(directory.path())
    );
}
