//! API keys.

use countersign_core::domain::api_key::{AddressList, ApiKey, ApiKeyId, KeyName, MAX_NETWORKS, NetworkTag};
use countersign_core::domain::scope::ScopeSet;
use countersign_core::domain::user::User;
use countersign_core::port::{KeyCreated, KeyUse, Store};

use crate::support::{at, user, with_user};

fn id(n: u8) -> ApiKeyId {
    ApiKeyId::from_bytes([n; 12])
}

/// Key number `n` of a user: made at `n` seconds, expires at 1000 s.
fn key(n: u8, owner: &User) -> ApiKey {
    ApiKey {
        id: id(n),
        owner: owner.id.clone(),
        name: KeyName::parse(&format!("key {n}")).unwrap(),
        hash: [n; 32],
        last4: "aB9z".into(),
        scope: ScopeSet::parse("read introspect").unwrap(),
        addresses: AddressList::parse(["192.0.2.0/24", "2001:db8::1"]).unwrap(),
        created_at: at(i64::from(n)),
        expires_at: at(1000),
        revoked_at: None,
        last_used_at: None,
        networks: Vec::new(),
    }
}

async fn stored<S: Store>(store: &S, n: u8) -> ApiKey {
    store.api_key(id(n)).await.unwrap().unwrap().key
}

async fn create<S: Store>(store: &S, key: &ApiKey, limit: u32) -> KeyCreated {
    store.create_api_key(key, limit).await.unwrap()
}

pub(crate) async fn g03_a_key_comes_back_with_its_owner<S: Store>(store: &S) {
    with_user(store, &user(1)).await;
    assert_eq!(create(store, &key(1, &user(1)), 9).await, KeyCreated::Created);
    let held = store.api_key(id(1)).await.unwrap().unwrap();
    assert_eq!(held.key, key(1, &user(1)));
    assert_eq!(format!("{:?}", held.owner), format!("{:?}", user(1)));
    assert!(store.api_key(id(2)).await.unwrap().is_none());
    let everywhere =
        ApiKey { addresses: AddressList::default(), scope: ScopeSet::default(), ..key(2, &user(1)) };
    assert_eq!(create(store, &everywhere, 9).await, KeyCreated::Created);
    assert_eq!(stored(store, 2).await, everywhere);
    assert!(store.create_api_key(&key(1, &user(1)), 9).await.is_err(), "an id drawn twice");
}

pub(crate) async fn nobody_and_the_disabled_own_no_new_key<S: Store>(store: &S) {
    assert_eq!(create(store, &key(1, &user(1)), 9).await, KeyCreated::NoOwner);
    with_user(store, &user(1)).await;
    store.set_disabled(&user(1).id, true, at(5)).await.unwrap();
    assert_eq!(create(store, &key(1, &user(1)), 9).await, KeyCreated::NoOwner);
    assert!(store.api_key(id(1)).await.unwrap().is_none());
}

/// Only keys that could still be used count.
pub(crate) async fn the_limit_counts_keys_that_work<S: Store>(store: &S) {
    with_user(store, &user(1)).await;
    with_user(store, &user(2)).await;
    create(store, &key(1, &user(1)), 2).await;
    create(store, &ApiKey { expires_at: at(4), ..key(2, &user(1)) }, 2).await;
    assert_eq!(create(store, &key(3, &user(1)), 2).await, KeyCreated::LimitReached);
    assert_eq!(create(store, &key(4, &user(1)), 2).await, KeyCreated::Created, "2 has just expired");
    assert_eq!(create(store, &key(5, &user(1)), 2).await, KeyCreated::LimitReached);
    assert_eq!(create(store, &key(6, &user(2)), 2).await, KeyCreated::Created, "others' do not count");
    store.revoke_api_key(id(1), None, at(6)).await.unwrap();
    assert_eq!(create(store, &key(7, &user(1)), 2).await, KeyCreated::Created);
}

pub(crate) async fn lists_are_newest_first<S: Store>(store: &S) {
    with_user(store, &user(1)).await;
    with_user(store, &user(2)).await;
    for (n, owner) in [(1, 1), (2, 2), (3, 1)] {
        create(store, &key(n, &user(owner)), 9).await;
    }
    store.revoke_api_key(id(1), None, at(6)).await.unwrap();
    let ids = |keys: Vec<countersign_core::domain::api_key::HeldKey>| {
        keys.into_iter().map(|held| held.key.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(store.api_keys(Some(&user(1).id)).await.unwrap()), [id(3), id(1)]);
    assert_eq!(ids(store.api_keys(None).await.unwrap()), [id(3), id(2), id(1)]);
    assert!(store.api_keys(Some(&user(9).id)).await.unwrap().is_empty());
}

/// G08, H04: revoked since the first time, and only by who may.
pub(crate) async fn g08_revoking_a_key<S: Store>(store: &S) {
    with_user(store, &user(1)).await;
    with_user(store, &user(2)).await;
    create(store, &key(1, &user(1)), 9).await;
    assert!(store.revoke_api_key(id(1), Some(&user(2).id), at(50)).await.unwrap().is_none(), "not theirs");
    assert!(store.revoke_api_key(id(2), None, at(50)).await.unwrap().is_none(), "no such key");
    assert_eq!(stored(store, 1).await.revoked_at, None);
    let revoked = store.revoke_api_key(id(1), Some(&user(1).id), at(60)).await.unwrap().unwrap();
    assert_eq!(revoked, ApiKey { revoked_at: Some(at(60)), ..key(1, &user(1)) });
    let again = store.revoke_api_key(id(1), None, at(70)).await.unwrap().unwrap();
    assert_eq!(again.revoked_at, Some(at(60)));
}

/// H04: all of a user's keys.
pub(crate) async fn h04_all_keys_of_a_user<S: Store>(store: &S) {
    with_user(store, &user(1)).await;
    with_user(store, &user(2)).await;
    for (n, owner) in [(1, 1), (2, 1), (3, 2), (4, 1)] {
        create(store, &key(n, &user(owner)), 9).await;
    }
    store.revoke_api_key(id(4), None, at(60)).await.unwrap();
    let mut revoked = store.revoke_api_keys_of(&user(1).id, at(70)).await.unwrap();
    revoked.sort_unstable();
    assert_eq!(revoked, [id(1), id(2)]);
    assert_eq!(stored(store, 1).await.revoked_at, Some(at(70)));
    assert_eq!(stored(store, 4).await.revoked_at, Some(at(60)));
    assert_eq!(stored(store, 3).await.revoked_at, None);
    assert!(store.revoke_api_keys_of(&user(1).id, at(80)).await.unwrap().is_empty());
}

/// G05: last use only moves forward; networks are kept once each, the newest of too many.
pub(crate) async fn g05_uses_are_noted<S: Store>(store: &S) {
    with_user(store, &user(1)).await;
    create(store, &key(1, &user(1)), 9).await;
    let tag = |n: usize| -> NetworkTag { (n as u64).to_be_bytes() };
    let used = |at, networks: Vec<NetworkTag>| KeyUse { id: id(1), at, networks };
    let nobody = KeyUse { id: id(9), ..used(Some(at(1)), vec![tag(1)]) };
    store.note_key_uses(&[nobody, used(Some(at(20)), vec![tag(1)])]).await.unwrap();
    store.note_key_uses(&[used(Some(at(10)), vec![tag(2), tag(1)])]).await.unwrap();
    store.note_key_uses(&[used(None, vec![])]).await.unwrap();
    let found = stored(store, 1).await;
    assert_eq!((found.last_used_at, found.networks), (Some(at(20)), vec![tag(1), tag(2)]));
    let many: Vec<NetworkTag> = (2..2 + MAX_NETWORKS).map(tag).collect();
    store.note_key_uses(&[used(None, many.clone())]).await.unwrap();
    let found = stored(store, 1).await;
    assert_eq!((found.last_used_at, found.networks), (Some(at(20)), many), "1, the oldest, is gone");
}

/// Dead keys stay for the record like sessions do.
pub(crate) async fn dead_keys_are_purged<S: Store>(store: &S) {
    with_user(store, &user(1)).await;
    for n in 1..=4 {
        let expires_at = if n == 2 { at(300) } else { at(1000) };
        create(store, &ApiKey { expires_at, ..key(n, &user(1)) }, 9).await;
    }
    store.revoke_api_key(id(1), None, at(399)).await.unwrap();
    store.revoke_api_key(id(3), None, at(400)).await.unwrap();
    assert_eq!(store.purge(at(400), at(0), at(0), 1).await.unwrap(), 1);
    assert_eq!(store.purge(at(400), at(0), at(0), 1).await.unwrap(), 1);
    assert_eq!(store.purge(at(400), at(0), at(0), 1).await.unwrap(), 0);
    let left: Vec<_> = store.api_keys(None).await.unwrap().into_iter().map(|held| held.key.id).collect();
    assert_eq!(left, [id(4), id(3)]);
}
