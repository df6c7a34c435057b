//! Devices, single-use codes, signing keys, sealed values.

use countersign_core::domain::scope::ScopeSet;
use countersign_core::domain::signing_key::{Algorithm, SigningKey};
use countersign_core::domain::throttle::ThrottleKey;
use countersign_core::domain::user::{PasswordHash, User};
use countersign_core::port::{Accepted, Code, CodeKind, NewUser, Store};

use crate::support::{at, user, with_user};

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
        assert!(store.consume_code(&hash, kind, now).await.unwrap().is_none());
    }
    assert!(
        store.consume_code(&[1; 32], CodeKind::Invite, at(99)).await.unwrap().is_some(),
        "it was not used up"
    );
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
        assert!(store.add_signing_key(&key, false).await.unwrap());
    }
    assert!(!store.add_signing_key(&key("es", 9), false).await.unwrap(), "a kid is one key");
    assert_eq!(store.signing_keys().await.unwrap(), [key("old", 1), key("es", 2), key("young", 3)]);
    assert!(store.revoke_signing_key("es", at(50)).await.unwrap());
    assert!(store.revoke_signing_key("es", at(60)).await.unwrap());
    assert!(!store.revoke_signing_key("none", at(50)).await.unwrap());
    let revoked: Vec<_> = store.signing_keys().await.unwrap().into_iter().map(|key| key.revoked_at).collect();
    assert_eq!(revoked, [None, Some(at(50)), None], "revoked since the first time");
}

pub(crate) async fn two_nodes_make_one_first_key<S: Store>(store: &S) {
    assert!(store.add_signing_key(&key("a", 1), true).await.unwrap());
    assert!(!store.add_signing_key(&key("b", 2), true).await.unwrap());
    assert_eq!(store.signing_keys().await.unwrap(), [key("a", 1)]);
}

pub(crate) async fn a_sealed_value_is_never_replaced<S: Store>(store: &S) {
    assert_eq!(store.sealed("pepper").await.unwrap(), None);
    assert_eq!(store.put_sealed_if_absent("pepper", b"first").await.unwrap(), b"first");
    assert_eq!(store.put_sealed_if_absent("pepper", b"second").await.unwrap(), b"first");
    assert_eq!(store.put_sealed_if_absent("empty", b"").await.unwrap(), b"");
    assert_eq!(store.sealed("pepper").await.unwrap().unwrap(), b"first");
}
