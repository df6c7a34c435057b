//! Devices, single-use codes, signing keys, sealed values.

use countersign_core::domain::id::KeyId;
use countersign_core::domain::scope::ScopeSet;
use countersign_core::domain::session::{EndReason, Session};
use countersign_core::domain::signing_key::{Algorithm, SigningKey};
use countersign_core::domain::throttle::ThrottleKey;
use countersign_core::domain::user::{PasswordHash, User};
use countersign_core::port::{
    Accepted, AddKey, Code, CodeKind, NewUser, OpenedWith, SealedPlace, SealedValue, Store,
};

use crate::support::{at, session, sid, user, with_user};

pub(crate) async fn a_device_is_known_to_its_user_only<S: Store>(store: &S) {
    let [a, b, c] = [1, 2, 3].map(|n| ThrottleKey([n; 16]));
    store.remember_device(&user(1).id, b, at(1)).await.unwrap();
    store.remember_device(&user(1).id, b, at(2)).await.unwrap();
    store.remember_device(&user(1).id, c, at(2)).await.unwrap();
    assert_eq!(store.known_device(&user(1).id, &[a, b, c]).await.unwrap(), Some(b));
    assert_eq!(store.known_device(&user(1).id, &[a]).await.unwrap(), None);
    assert_eq!(store.known_device(&user(1).id, &[]).await.unwrap(), None);
    assert_eq!(store.known_device(&user(2).id, &[b]).await.unwrap(), None);
}

fn code(n: u8, kind: CodeKind) -> Code {
    Code {
        hash: [n; 32],
        kind,
        email: user(1).email,
        password: Some(PasswordHash::new("$argon2id$x".into())),
        scope: ScopeSet::parse("admin").unwrap(),
        expires_at: at(100),
    }
}

/// F09: single use.
pub(crate) async fn f09_a_code_works_once<S: Store>(store: &S) {
    store.put_code(code(1, CodeKind::SignUp)).await.unwrap();
    store.put_code(Code { password: None, ..code(2, CodeKind::Invite) }).await.unwrap();
    let found = store.consume_code(&[1; 32], CodeKind::SignUp, at(99)).await.unwrap().unwrap();
    assert_eq!(format!("{found:?}"), format!("{:?}", code(1, CodeKind::SignUp)));
    assert_eq!(found.password.unwrap().expose(), "$argon2id$x");
    assert!(store.consume_code(&[1; 32], CodeKind::SignUp, at(99)).await.unwrap().is_none());
    let found = store.consume_code(&[2; 32], CodeKind::Invite, at(1)).await.unwrap().unwrap();
    assert!(found.password.is_none());
}

pub(crate) async fn a_code_is_for_one_purpose_and_expires<S: Store>(store: &S) {
    store.put_code(code(1, CodeKind::Invite)).await.unwrap();
    assert!(store.put_code(code(1, CodeKind::SignUp)).await.is_err(), "a code drawn twice");
    for (hash, kind, now) in [
        ([1; 32], CodeKind::SignUp, at(1)),
        ([1; 32], CodeKind::Invite, at(100)),
        ([3; 32], CodeKind::Invite, at(1)),
    ] {
        assert!(store.code(&hash, kind, now).await.unwrap().is_none());
        assert!(store.consume_code(&hash, kind, now).await.unwrap().is_none());
    }
    for _ in 0..2 {
        let seen = store.code(&[1; 32], CodeKind::Invite, at(99)).await.unwrap().unwrap();
        assert_eq!(format!("{seen:?}"), format!("{:?}", code(1, CodeKind::Invite)));
    }
    assert!(
        store.consume_code(&[1; 32], CodeKind::Invite, at(99)).await.unwrap().is_some(),
        "it was not used up"
    );
    assert!(store.code(&[1; 32], CodeKind::Invite, at(99)).await.unwrap().is_none(), "now it was");
}

/// Invitation number `n` to user 1, with the scope "admin".
fn invitation(n: u8) -> Code {
    Code { password: None, ..code(n, CodeKind::Invite) }
}

async fn accept<S: Store>(store: &S, n: u8, user: User, now: i64) -> Accepted {
    store.accept_invitation(&[n; 32], NewUser { user }, at(now)).await.unwrap()
}

/// F09: whatever does not end in a new user costs nobody their invitation; what does takes it.
pub(crate) async fn an_invitation_makes_a_user_or_stays<S: Store>(store: &S) {
    store.put_code(invitation(1)).await.unwrap();
    store.put_code(code(2, CodeKind::SignUp)).await.unwrap();
    let taken = User { email: user(1).email, ..user(7) };
    with_user(store, &taken).await;
    for (n, user, now) in [(1, user(2), 1), (1, user(1), 100), (2, user(1), 1), (3, user(1), 1)] {
        assert!(matches!(accept(store, n, user, now).await, Accepted::NoInvitation), "{n} at {now}");
    }
    assert!(matches!(accept(store, 1, user(1), 99).await, Accepted::Taken));
    assert!(store.user(&user(1).id).await.unwrap().is_none());
    // An id drawn twice fails; nothing of it stays.
    store.put_code(Code { email: user(3).email, ..invitation(4) }).await.unwrap();
    let twice = NewUser { user: User { id: taken.id, ..user(3) } };
    assert!(store.accept_invitation(&[4; 32], twice, at(1)).await.is_err());

    let Accepted::Created(made) = accept(store, 4, user(3), 99).await else { panic!("it was not used up") };
    assert_eq!(made.scope, ScopeSet::parse("admin").unwrap(), "what the user asks for does not count");
    let stored = store.user(&user(3).id).await.unwrap().unwrap();
    assert_eq!(format!("{stored:?}"), format!("{made:?}"));
    assert!(matches!(accept(store, 4, user(3), 99).await, Accepted::NoInvitation), "it works once");
    assert!(store.consume_code(&[1; 32], CodeKind::Invite, at(1)).await.unwrap().is_some(), "others stay");
}

/// Who invites again with less scope means it.
pub(crate) async fn the_newest_invitation_counts<S: Store>(store: &S) {
    store.put_code(invitation(1)).await.unwrap();
    store.put_code(code(2, CodeKind::SignUp)).await.unwrap();
    store.put_code(Code { email: user(5).email, ..invitation(3) }).await.unwrap();
    store.put_code(Code { scope: ScopeSet::default(), ..invitation(4) }).await.unwrap();
    assert!(matches!(accept(store, 1, user(1), 1).await, Accepted::NoInvitation));
    let Accepted::Created(made) = accept(store, 4, user(1), 1).await else { panic!("the newest works") };
    assert!(made.scope.is_empty());
    assert!(store.consume_code(&[2; 32], CodeKind::SignUp, at(1)).await.unwrap().is_some());
    assert!(
        matches!(accept(store, 3, user(5), 1).await, Accepted::Created(_)),
        "other addresses keep theirs"
    );
}

fn key(kid: &str, created: i64) -> SigningKey {
    SigningKey {
        kid: kid.into(),
        algorithm: if kid == "es" { Algorithm::Es256 } else { Algorithm::EdDsa },
        public: vec![1, 2, 3],
        sealed: vec![4, 5],
        created_at: at(created),
        active_at: at(created + 10),
        revoked_at: None,
    }
}

pub(crate) async fn signing_keys_come_back<S: Store>(store: &S) {
    assert!(store.signing_keys().await.unwrap().is_empty());
    for key in [key("young", 3), key("es", 2), key("old", 1)] {
        assert!(store.add_signing_key(&key, AddKey::Always).await.unwrap());
    }
    assert!(!store.add_signing_key(&key("es", 9), AddKey::Always).await.unwrap(), "a kid is one key");
    assert_eq!(store.signing_keys().await.unwrap(), [key("old", 1), key("es", 2), key("young", 3)]);
    assert!(store.revoke_signing_key("es", at(50)).await.unwrap());
    assert!(store.revoke_signing_key("es", at(60)).await.unwrap());
    assert!(!store.revoke_signing_key("none", at(50)).await.unwrap());
    let revoked: Vec<_> = store.signing_keys().await.unwrap().into_iter().map(|key| key.revoked_at).collect();
    assert_eq!(revoked, [None, Some(at(50)), None], "revoked since the first time");
}

pub(crate) async fn two_nodes_make_one_first_key<S: Store>(store: &S) {
    assert!(store.add_signing_key(&key("a", 1), AddKey::IfFirst).await.unwrap());
    assert!(!store.add_signing_key(&key("b", 2), AddKey::IfFirst).await.unwrap());
    assert_eq!(store.signing_keys().await.unwrap(), [key("a", 1)]);
}

pub(crate) async fn a_sealed_value_is_never_replaced<S: Store>(store: &S) {
    assert_eq!(store.sealed("pepper").await.unwrap(), None);
    assert_eq!(store.put_sealed_if_absent("pepper", b"first").await.unwrap(), b"first");
    assert_eq!(store.put_sealed_if_absent("pepper", b"second").await.unwrap(), b"first");
    assert_eq!(store.put_sealed_if_absent("empty", b"").await.unwrap(), b"");
    assert_eq!(store.sealed("pepper").await.unwrap().unwrap(), b"first");
}

/// H08: of two nodes that find the next key due at once, one makes it.
pub(crate) async fn h08_two_nodes_make_one_next_key<S: Store>(store: &S) {
    assert!(store.add_signing_key(&key("a", 1), AddKey::IfNoneAfter(at(0))).await.unwrap());
    assert!(store.add_signing_key(&key("b", 50), AddKey::IfNoneAfter(at(11))).await.unwrap());
    assert!(!store.add_signing_key(&key("c", 51), AddKey::IfNoneAfter(at(11))).await.unwrap());
    assert!(!store.add_signing_key(&key("c", 51), AddKey::IfNoneAfter(at(59))).await.unwrap());
    assert!(store.revoke_signing_key("b", at(55)).await.unwrap());
    assert!(
        store.add_signing_key(&key("d", 52), AddKey::IfNoneAfter(at(11))).await.unwrap(),
        "a revoked one counts for nothing"
    );
    assert_eq!(store.signing_keys().await.unwrap().len(), 3);
}

pub(crate) async fn a_key_is_hastened_never_delayed<S: Store>(store: &S) {
    assert!(store.add_signing_key(&key("a", 90), AddKey::Always).await.unwrap());
    assert!(!store.hasten_signing_key("a", at(100)).await.unwrap());
    assert!(!store.hasten_signing_key("a", at(101)).await.unwrap());
    assert!(store.hasten_signing_key("a", at(95)).await.unwrap());
    assert!(!store.hasten_signing_key("none", at(95)).await.unwrap());
    assert_eq!(store.signing_keys().await.unwrap()[0].active_at, at(95));
    assert!(store.revoke_signing_key("a", at(96)).await.unwrap());
    assert!(!store.hasten_signing_key("a", at(1)).await.unwrap(), "revoked is revoked");
}

/// Sealing anew replaces what was read, and nothing else: of two nodes that do it at once, one wins.
pub(crate) async fn what_is_sealed_is_sealed_anew_once<S: Store>(store: &S) {
    store.put_sealed_if_absent("pepper", b"old").await.unwrap();
    store.add_signing_key(&key("pepper", 1), AddKey::Always).await.unwrap();
    let sealed = |place, value: &[u8]| SealedValue { place, name: "pepper".into(), value: value.to_vec() };
    let (value, private) = (sealed(SealedPlace::Value, b"old"), sealed(SealedPlace::SigningKey, &[4, 5]));
    assert_eq!(store.sealed_values().await.unwrap(), [value.clone(), private.clone()]);
    assert!(store.reseal(&private, b"new").await.unwrap());
    assert_eq!(store.sealed("pepper").await.unwrap().unwrap(), b"old", "of the same name, and not the same");
    assert!(store.reseal(&value, b"newer").await.unwrap());
    assert!(!store.reseal(&value, b"newest").await.unwrap(), "it is no longer what was read");
    assert!(!store.reseal(&sealed(SealedPlace::SigningKey, b""), b"newest").await.unwrap());
    let now = [sealed(SealedPlace::Value, b"newer"), sealed(SealedPlace::SigningKey, b"new")];
    assert_eq!(store.sealed_values().await.unwrap(), now);
    assert_eq!(&*store.signing_keys().await.unwrap()[0].sealed, b"new");
}

/// Live ones only: what ended, expired or has not been used for too long needs no master secret.
pub(crate) async fn sessions_are_counted_by_master_key<S: Store>(store: &S) {
    with_user(store, &user(1)).await;
    for (n, master_key, seen, until) in
        [(1, 7, 10, 1000), (2, 9, 20, 2000), (3, 9, 30, 500), (4, 9, 30, 3000), (5, 9, 30, 90)]
    {
        let session = Session {
            master_key: KeyId(master_key),
            seen_at: at(seen),
            expires_at: at(until),
            ..session(n, &user(1))
        };
        store.open_session(&session, None, None).await.unwrap();
    }
    store.revoke_session(sid(4), EndReason::Logout, at(40)).await.unwrap();
    let opened = |id, sessions, until| OpenedWith { master_key: KeyId(id), sessions, until: at(until) };
    assert_eq!(
        store.sessions_by_master_key(at(100), at(10)).await.unwrap(),
        [opened(7, 1, 1000), opened(9, 2, 2000)]
    );
    assert_eq!(store.sessions_by_master_key(at(100), at(25)).await.unwrap(), [opened(9, 1, 500)]);
    assert!(store.sessions_by_master_key(at(2000), at(0)).await.unwrap().is_empty());
}
