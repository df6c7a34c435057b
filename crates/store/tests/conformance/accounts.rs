//! What an operator changes about a user.

use countersign_core::domain::api_key::{AddressList, ApiKey, ApiKeyId, KeyName};
use countersign_core::domain::id::Epoch;
use countersign_core::domain::identity::Identity;
use countersign_core::domain::scope::ScopeSet;
use countersign_core::domain::session::EndReason;
use countersign_core::domain::throttle::ThrottleKey;
use countersign_core::domain::user::User;
use countersign_core::port::{Code, CodeKind, Identified, NewUser, Opening, ScopeChange, Store};

use crate::support::{at, event, session, sid, user, with_user};

fn scopes(text: &str) -> ScopeSet {
    ScopeSet::parse(text).unwrap()
}

fn change(add: &str, remove: &str) -> ScopeChange {
    ScopeChange { add: scopes(add), remove: scopes(remove) }
}

/// G04: who loses a scope has no session left that says otherwise; who gains one keeps what there is.
pub(crate) async fn g04_a_lost_scope_ends_every_session<S: Store>(store: &S) {
    for n in [1, 2] {
        with_user(store, &user(n)).await;
        store.open_session(&session(u64::from(n), &user(n)), None, None).await.unwrap();
    }
    let id = user(1).id;
    let more = store.change_scope(&id, &change("admin read", ""), at(20)).await.unwrap().unwrap();
    assert!(more.changed && more.revoked.is_none(), "{more:?}");
    assert_eq!((more.user.scope, more.user.epoch), (scopes("admin read write"), Epoch(1)));
    assert!(store.session(sid(1)).await.unwrap().unwrap().session.ended.is_none());

    let same = store.change_scope(&id, &change("admin", "nothing"), at(25)).await.unwrap().unwrap();
    assert!(!same.changed && same.revoked.is_none(), "{same:?}");

    let less = store.change_scope(&id, &change("audit", "read admin"), at(30)).await.unwrap().unwrap();
    let revoked = less.revoked.unwrap();
    assert_eq!((revoked.epoch, revoked.ended), (Epoch(2), vec![sid(1)]));
    assert_eq!((less.user.scope, less.user.epoch), (scopes("audit write"), Epoch(2)));
    let held = store.session(sid(1)).await.unwrap().unwrap();
    assert_eq!((held.user.scope, held.user.epoch), (scopes("audit write"), Epoch(2)));
    let ended = held.session.ended.unwrap();
    assert_eq!((ended.reason, ended.at), (EndReason::ScopeReduced, at(30)));
    assert!(store.session(sid(2)).await.unwrap().unwrap().session.ended.is_none(), "and nobody else's");
    assert_eq!(store.revocations_since(at(30), at(31)).await.unwrap().epochs, [(id, Epoch(2), at(30))]);
    assert!(store.change_scope(&user(9).id, &change("a", ""), at(1)).await.unwrap().is_none());
}

fn key(n: u8, owner: &User) -> ApiKey {
    ApiKey {
        id: ApiKeyId::from_bytes([n; 12]),
        owner: owner.id.clone(),
        name: KeyName::parse("ci").unwrap(),
        hash: [n; 32],
        last4: "aB9z".into(),
        scope: scopes("read"),
        addresses: AddressList::default(),
        created_at: at(5),
        expires_at: at(1000),
        revoked_at: None,
        last_used_at: None,
        networks: Vec::new(),
    }
}

/// Nothing of the user is left but events and an epoch above every token's.
pub(crate) async fn a_removed_user_is_gone_and_stays_refused<S: Store>(store: &S) {
    let (ada, eve) = (user(1), user(2));
    let identity = Identity::parse("https://a.test", "1").unwrap();
    store.identify(&identity, NewUser { user: ada.clone() }).await.unwrap();
    with_user(store, &eve).await;
    store.open_session(&session(1, &ada), None, None).await.unwrap();
    store.open_session(&session(2, &ada), None, None).await.unwrap();
    store.open_session(&session(3, &eve), None, None).await.unwrap();
    store.revoke_session(sid(2), EndReason::Logout, at(15)).await.unwrap();
    for (n, owner) in [(1, &ada), (2, &ada), (3, &eve)] {
        store.create_api_key(&key(n, owner), 9).await.unwrap();
    }
    store.revoke_api_key(key(2, &ada).id, None, at(16)).await.unwrap();
    let device = ThrottleKey([7; 16]);
    store.remember_device(&ada.id, device, at(5)).await.unwrap();
    let code = |n: u8, email| Code {
        hash: [n; 32],
        kind: CodeKind::SignUp,
        email,
        password: None,
        scope: ScopeSet::default(),
        expires_at: at(900),
    };
    store.put_code(code(1, ada.email.clone())).await.unwrap();
    store.put_code(code(2, eve.email.clone())).await.unwrap();
    store.append_events(&[event(1)]).await.unwrap();

    let removed = store.remove_user(&ada.id, at(20)).await.unwrap().unwrap();
    assert_eq!((removed.revoked.epoch, removed.revoked.ended), (Epoch(2), vec![sid(1)]));
    assert_eq!(removed.api_keys, [key(1, &ada).id]);
    assert!(store.user(&ada.id).await.unwrap().is_none());
    assert!(store.user_by_email(&ada.email).await.unwrap().is_none());
    for n in [1, 2] {
        assert!(store.session(sid(n)).await.unwrap().is_none());
        assert!(store.api_key(ApiKeyId::from_bytes([u8::try_from(n).unwrap(); 12])).await.unwrap().is_none());
    }
    assert!(store.known_device(&ada.id, &[device]).await.unwrap().is_none());
    assert!(store.consume_code(&[1; 32], CodeKind::SignUp, at(21)).await.unwrap().is_none());
    assert_eq!(store.events(&Default::default()).await.unwrap().len(), 1, "events stay");
    assert!(matches!(store.open_session(&session(4, &ada), None, None).await.unwrap(), Opening::NoUser));
    // Other nodes, and this one after a restart, hear of it as of any raised epoch.
    let heard = store.revocations_since(at(20), at(21)).await.unwrap();
    assert_eq!(heard.epochs, [(ada.id.clone(), Epoch(2), at(20))]);
    assert!(store.revocations_since(at(21), at(22)).await.unwrap().epochs.is_empty());
    assert!(store.remove_user(&ada.id, at(30)).await.unwrap().is_none());

    // Others are as they were; and the address, like the identity, is free for somebody new.
    assert!(store.session(sid(3)).await.unwrap().unwrap().session.ended.is_none());
    assert!(store.api_key(key(3, &eve).id).await.unwrap().is_some());
    assert!(store.consume_code(&[2; 32], CodeKind::SignUp, at(21)).await.unwrap().is_some());
    let heir = User { email: ada.email.clone(), ..user(3) };
    assert!(matches!(
        store.identify(&identity, NewUser { user: heir }).await.unwrap(),
        Identified::Created(_)
    ));

    // What is left goes with the events of its time.
    store.purge(at(20), at(20), at(20), 10).await.unwrap();
    assert_eq!(store.revocations_since(at(20), at(21)).await.unwrap().epochs.len(), 1);
    store.purge(at(20), at(21), at(20), 10).await.unwrap();
    assert!(store.revocations_since(at(20), at(21)).await.unwrap().epochs.is_empty());
}
