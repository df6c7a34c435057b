//! What the replaced store had ended since the backup: it stays ended, unless it is said otherwise.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

mod support;

use std::path::{Path, PathBuf};

use countersign_core::domain::api_key::{AddressList, ApiKey, ApiKeyId, KeyName};
use countersign_core::domain::id::{Epoch, KeyId};
use countersign_core::domain::scope::ScopeSet;
use countersign_core::domain::session::EndReason;
use countersign_core::domain::signing_key::{Algorithm, SigningKey};
use countersign_core::domain::user::PasswordHash;
use countersign_core::port::{AddKey, NewPassword, ScopeChange, Store as _};
use countersign_store::{
    EndedSince, OpenMode, Outcome, Plan, Replaced, Restored, RestoredSessions, SqliteStore, WhatEndedSince,
};
use support::{at, event, session, sid, sqlite, user, with_user};

fn signing_key(kid: &str, created: i64) -> SigningKey {
    SigningKey {
        kid: kid.into(),
        algorithm: Algorithm::EdDsa,
        public: vec![1; 32],
        sealed: vec![2; 60],
        created_at: at(created),
        active_at: at(created),
        revoked_at: None,
    }
}

fn api_key(n: u8) -> ApiKey {
    ApiKey {
        id: ApiKeyId::from_bytes([n; 12]),
        owner: user(5).id,
        name: KeyName::parse("ci").unwrap(),
        hash: [n; 32],
        last4: "aB9z".into(),
        scope: ScopeSet::parse("read").unwrap(),
        addresses: AddressList::default(),
        created_at: at(5),
        expires_at: at(1000),
        revoked_at: None,
        last_used_at: None,
        networks: Vec::new(),
    }
}

/// Users 1 to 5 with a session each, two signing keys and two API keys of user 5.
async fn filled(store: &SqliteStore) {
    for n in 1..=5 {
        with_user(store, &user(n)).await;
        store.open_session(&session(u64::from(n), &user(n)), None, None).await.unwrap();
    }
    for kid in ["leaked", "good"] {
        assert!(store.add_signing_key(&signing_key(kid, 1), AddKey::Always).await.unwrap());
    }
    for n in [1, 2] {
        store.create_api_key(&api_key(n), 9).await.unwrap();
    }
}

/// Something of every kind ends.
async fn much_ends(store: &SqliteStore) {
    store.revoke_signing_key("leaked", at(20)).await.unwrap();
    store.set_disabled(&user(1).id, true, at(21)).await.unwrap();
    store.remove_user(&user(2).id, at(22)).await.unwrap();
    let new = NewPassword {
        user: user(3).id,
        hash: PasswordHash::new("$newer".into()),
        at: at(23),
        asked_by: None,
    };
    store.set_password(new).await.unwrap();
    let less = ScopeChange { remove: ScopeSet::parse("write").unwrap(), ..Default::default() };
    store.change_scope(&user(4).id, &less, at(24)).await.unwrap();
    store.revoke_api_key(api_key(1).id, None, at(25)).await.unwrap();
    store.revoke_session(sid(5), EndReason::Logout, at(26)).await.unwrap();
}

fn everything() -> EndedSince {
    let address = |n: u32| user(n).email.to_string();
    EndedSince {
        signing_keys: vec!["leaked".into()],
        removed_users: vec![address(2)],
        disabled_users: vec![address(1)],
        passwords: vec![address(3)],
        scopes: vec![(address(4), "write".into())],
        api_keys: vec![(api_key(1).id.to_string(), "ci".into(), address(5))],
        // Those of users 1, 3 and 4 ended with what happened to the user; that of user 2 went with them.
        sessions: 4,
        epochs: 3,
    }
}

/// A store that goes on after its backup.
async fn grown() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let (directory, store) = sqlite();
    filled(&store).await;
    let copy = directory.path().join("copy.db");
    store.backup(&copy).await.unwrap();
    much_ends(&store).await;
    let path = store.path().to_owned();
    (directory, path, copy)
}

fn restore(copy: &Path, path: &Path, sessions: RestoredSessions, since: WhatEndedSince) -> Restored {
    countersign_store::restore(copy, path, Plan { sessions, since }, |_| event(77)).unwrap()
}

const KEPT: WhatEndedSince = WhatEndedSince::StaysEnded;

#[tokio::test]
async fn what_was_ended_since_stays_ended() {
    let (_directory, path, copy) = grown().await;
    let done = restore(&copy, &path, RestoredSessions::Keep, KEPT);
    assert_eq!(done.outcome, Outcome { ended: 0, replaced: Replaced::Compared(everything()) });
    let store = SqliteStore::open(&path, OpenMode::Existing).unwrap();
    let revoked: Vec<_> =
        store.signing_keys().await.unwrap().into_iter().map(|key| (key.kid, key.revoked_at)).collect();
    assert!(revoked.contains(&("leaked".into(), Some(at(20)))) && revoked.contains(&("good".into(), None)));
    let users = [1, 3, 4, 5].map(|n| user(n).id);
    let mut found = Vec::new();
    for id in &users {
        found.push(store.user(id).await.unwrap().unwrap());
    }
    assert_eq!(found.iter().map(|user| user.epoch.0).collect::<Vec<_>>(), [2, 2, 2, 1]);
    assert_eq!(found[0].disabled_at, Some(at(21)));
    assert_eq!(found[1].password.as_ref().unwrap().expose(), "$newer");
    assert_eq!(found[2].scope, ScopeSet::parse("read").unwrap());
    assert_eq!(found[3].scope, user(5).scope);
    assert!(store.user(&user(2).id).await.unwrap().is_none());
    let heard = store.revocations_since(at(22), at(30)).await.unwrap().epochs;
    assert!(heard.contains(&(user(2).id, Epoch(2), at(22))), "{heard:?}");
    assert_eq!(store.api_key(api_key(1).id).await.unwrap().unwrap().key.revoked_at, Some(at(25)));
    assert_eq!(store.api_key(api_key(2).id).await.unwrap().unwrap().key.revoked_at, None);
    assert_eq!(
        store.session(sid(5)).await.unwrap().unwrap().session.ended.unwrap().reason,
        EndReason::Logout
    );
    let events = store.events(&Default::default()).await.unwrap();
    assert_eq!(events.last().unwrap().1, event(77), "it is recorded");
}

/// Ending everybody's sessions comes last: it raises the epochs that were taken over.
#[tokio::test]
async fn ended_sessions_and_what_was_ended_since_go_together() {
    let (_directory, path, copy) = grown().await;
    let done = restore(&copy, &path, RestoredSessions::End { at: at(500) }, KEPT);
    assert_eq!(done.outcome.ended, 4, "all but that of user 2, who is erased");
    let told = EndedSince { sessions: 0, ..everything() };
    assert_eq!(done.outcome.replaced, Replaced::Compared(told), "sessions end anyway");
    let store = SqliteStore::open(&path, OpenMode::Existing).unwrap();
    assert_eq!(store.user(&user(1).id).await.unwrap().unwrap().epoch, Epoch(3));
    assert_eq!(store.user(&user(5).id).await.unwrap().unwrap().epoch, Epoch(2));
}

#[tokio::test]
async fn a_backup_is_taken_as_it_is_only_if_that_is_said() {
    let (_directory, path, copy) = grown().await;
    let done = restore(&copy, &path, RestoredSessions::Keep, WhatEndedSince::LivesAgain);
    assert_eq!(done.outcome.replaced, Replaced::Compared(everything()), "it is told all the same");
    let store = SqliteStore::open(&path, OpenMode::Existing).unwrap();
    assert!(store.signing_keys().await.unwrap().iter().all(|key| key.revoked_at.is_none()));
    for n in 1..=5 {
        let found = store.user(&user(n).id).await.unwrap().unwrap();
        assert_eq!((found.disabled_at, found.epoch, &found.scope), (None, Epoch(1), &user(n).scope));
        assert!(store.session(sid(u64::from(n))).await.unwrap().unwrap().session.ended.is_none());
    }
    assert_eq!(store.api_key(api_key(1).id).await.unwrap().unwrap().key.revoked_at, None);
}

/// A store that lost a page in its middle says nothing that could be relied on, and stands in nobody's way.
#[tokio::test]
async fn a_damaged_store_is_replaced_and_the_doubt_is_told() {
    let (_directory, path, copy) = grown().await;
    let whole = std::fs::read(&path).unwrap();
    let mut torn = whole.clone();
    torn[4096 * 2..4096 * 6].fill(0x5a);
    for bytes in [torn, b"nothing that was ever a database, but long enough".to_vec(), Vec::new()] {
        let empty = bytes.is_empty();
        std::fs::write(&path, bytes).unwrap();
        let done = restore(&copy, &path, RestoredSessions::Keep, KEPT);
        match done.outcome.replaced {
            Replaced::Unreadable { reason } => assert!(!reason.is_empty() && !empty),
            Replaced::Nothing => assert!(empty),
            other => panic!("{other:?}"),
        }
        let store = SqliteStore::open(&path, OpenMode::Existing).unwrap();
        assert!(store.user(&user(2).id).await.unwrap().is_some());
    }
}

/// A fresh store after a disaster knows nothing of the backup's keys: that they are not there ends nothing.
#[tokio::test]
async fn a_store_of_another_origin_is_not_compared() {
    let (_directory, _path, copy) = grown().await;
    let (_other, store) = sqlite();
    filled(&store).await;
    store.revoke_signing_key("leaked", at(20)).await.unwrap();
    let path = store.path().to_owned();
    drop(store);
    // The same names of keys would make it a relative; here it has others.
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch("UPDATE signing_keys SET kid = 'x' || kid").unwrap();
    drop(connection);
    let done = restore(&copy, &path, RestoredSessions::Keep, KEPT);
    assert_eq!(done.outcome.replaced, Replaced::Unrelated);
}

/// Forward again: an older store in place takes nothing from a newer copy.
#[tokio::test]
async fn an_older_store_takes_nothing_from_a_newer_backup() {
    let (directory, store) = sqlite();
    filled(&store).await;
    let old = directory.path().join("old.db");
    store.backup(&old).await.unwrap();
    much_ends(&store).await;
    store.set_disabled(&user(1).id, false, at(40)).await.unwrap();
    let newer = directory.path().join("newer.db");
    store.backup(&newer).await.unwrap();
    drop(store);
    let done = restore(&newer, &old, RestoredSessions::Keep, KEPT);
    assert_eq!(done.outcome.replaced, Replaced::Compared(EndedSince::default()));
    let store = SqliteStore::open(&old, OpenMode::Existing).unwrap();
    assert!(store.user(&user(1).id).await.unwrap().unwrap().disabled_at.is_none());
    assert_eq!(session(5, &user(5)).master_key, KeyId(7));
}
