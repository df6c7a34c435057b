//! Values for tests.
#![allow(dead_code, reason = "each test file uses a part")]

use countersign_core::domain::device::Device;
use countersign_core::domain::event::{Event, EventName, Outcome};
use countersign_core::domain::id::{Epoch, EventId, KeyId, PublicId, RequestId, Sid, UserId};
use countersign_core::domain::rotation::RotationRecord;
use countersign_core::domain::scope::ScopeSet;
use countersign_core::domain::session::Session;
use countersign_core::domain::time::Timestamp;
use countersign_core::domain::user::{Email, PasswordHash, User};
use countersign_core::port::{NewUser, Store};
use countersign_store::{OpenMode, SqliteStore};

/// A new store in a directory that goes away with the first value.
pub(crate) fn sqlite() -> (tempfile::TempDir, SqliteStore) {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&directory.path().join("store.db"), OpenMode::Create).unwrap();
    (directory, store)
}

/// An instant, in seconds.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(seconds)
}

/// User number `n`.
pub(crate) fn user(n: u32) -> User {
    User {
        id: UserId::parse(&format!("user{n}")).unwrap(),
        email: Email::parse(&format!("u{n:03}@example.com")).unwrap(),
        email_verified: n % 2 == 1,
        scope: ScopeSet::parse("read write").unwrap(),
        epoch: Epoch(1),
        password: Some(PasswordHash::new(format!("$argon2id$hash-{n}"))),
        created_at: at(1),
        disabled_at: None,
    }
}

/// Creates a user.
pub(crate) async fn with_user<S: Store>(store: &S, user: &User) {
    assert!(store.create_user(NewUser { user: user.clone() }).await.unwrap());
}

/// Session number `n` of a user: opened at 10 s, ends at 1000 s.
pub(crate) fn session(n: u64, user: &User) -> Session {
    Session {
        sid: sid(n),
        public_id: PublicId::parse(&format!("public{n}")).unwrap(),
        user: user.id.clone(),
        epoch: user.epoch,
        master_key: KeyId(7),
        salt: [9; 16],
        created_at: at(10),
        auth_time: at(9),
        seen_at: at(10),
        expires_at: at(1000),
        amr: vec!["pwd".into(), "otp".into()],
        scope: ScopeSet::parse("read").unwrap(),
        device: Device::new("192.0.2.7".parse().ok(), "Browser/1.0"),
        client: None,
        rotation: RotationRecord::opened(at(10)),
        ended: None,
    }
}

/// Session id number `n`.
pub(crate) fn sid(n: u64) -> Sid {
    Sid::from_bytes((u128::from(n) + 1).to_be_bytes())
}

/// The record after one rotation.
pub(crate) fn rotated_once(record: &RotationRecord, now: Timestamp) -> RotationRecord {
    RotationRecord {
        current: record.current.next(),
        from: Some(record.current),
        handed_over_at: now,
        confirmed_at: None,
        lost: 0,
        abandoned: record.abandoned.clone(),
    }
}

/// Event number `n`, at `n` seconds: even ones of user 2 and session `s2`, odd ones of user 1 and no session.
pub(crate) fn event(n: u32) -> Event {
    let even = n.is_multiple_of(2);
    Event {
        id: EventId::parse(&format!("event{n}")).unwrap(),
        at: at(i64::from(n)),
        name: if even { EventName::TokenReuse } else { EventName::LoginFail },
        outcome: if even { Outcome::Success } else { Outcome::Refused },
        user: Some(user(if even { 2 } else { 1 }).id),
        session: even.then(|| PublicId::parse("s2").unwrap()),
        session_tag: even.then(|| "tag".into()),
        ip: even.then(|| "2001:db8::1".parse().unwrap()),
        request: Some(RequestId::parse(&format!("r{}", n / 4)).unwrap()),
        reason: "why".into(),
        detail: "'; DROP TABLE events; --".into(),
    }
}
