//! Sealed tokens of upstreams.

use countersign_core::domain::id::KeyId;
use countersign_core::domain::retrofit::Holder;
use countersign_core::domain::session::EndReason;
use countersign_core::port::{KeptToken, Opening, Store};

use crate::support::{at, session, sid, user, with_user};

fn kept(holder: Holder, upstream: &str, revision: i64) -> KeptToken {
    KeptToken {
        holder,
        upstream: upstream.into(),
        revision,
        master_key: KeyId(7),
        sealed: vec![1, 7, u8::try_from(revision).unwrap()],
        expires_at: at(1000),
    }
}

async fn open<S: Store>(store: &S, n: u64) -> Holder {
    let opened = store.open_session(&session(n, &user(1)), None, None).await.unwrap();
    assert!(matches!(opened, Opening::Opened { .. }));
    Holder::Session(sid(n))
}

pub(crate) async fn a_token_is_kept_by_holder_and_upstream<S: Store>(store: &S) {
    with_user(store, &user(1)).await;
    let (one, two) = (open(store, 1).await, open(store, 2).await);
    let visitor = Holder::Visitor([9; 32]);
    for token in [kept(one, "app", 1), kept(one, "api", 2), kept(two, "app", 3), kept(visitor, "app", 4)] {
        assert!(store.keep_upstream_token(&token, None).await.unwrap());
    }
    for (holder, upstream, expected) in [
        (one, "app", Some(kept(one, "app", 1))),
        (one, "api", Some(kept(one, "api", 2))),
        (two, "app", Some(kept(two, "app", 3))),
        (visitor, "app", Some(kept(visitor, "app", 4))),
        (two, "api", None),
        (Holder::Visitor([8; 32]), "app", None),
    ] {
        assert_eq!(store.upstream_token(holder, upstream).await.unwrap(), expected);
    }
    store.forget_upstream_token(visitor, "app").await.unwrap();
    store.forget_upstream_token(visitor, "app").await.unwrap();
    assert_eq!(store.upstream_token(visitor, "app").await.unwrap(), None);
}

/// Two nodes renew one token at once: the second is told, and looks again.
pub(crate) async fn a_token_is_replaced_once<S: Store>(store: &S) {
    with_user(store, &user(1)).await;
    let holder = open(store, 1).await;
    assert!(!store.keep_upstream_token(&kept(holder, "app", 2), Some(1)).await.unwrap(), "there is none");
    assert!(store.keep_upstream_token(&kept(holder, "app", 1), None).await.unwrap());
    assert!(store.keep_upstream_token(&kept(holder, "app", 2), Some(1)).await.unwrap());
    assert!(!store.keep_upstream_token(&kept(holder, "app", 3), Some(1)).await.unwrap());
    assert_eq!(store.upstream_token(holder, "app").await.unwrap(), Some(kept(holder, "app", 2)));
    assert!(store.keep_upstream_token(&kept(holder, "app", 4), None).await.unwrap(), "whatever is there");
}

/// D10: whatever ends a session takes its token away, and none comes after.
pub(crate) async fn d10_a_token_ends_with_its_session<S: Store>(store: &S) {
    with_user(store, &user(1)).await;
    let gone =
        |n: u64| async move { store.upstream_token(Holder::Session(sid(n)), "app").await.unwrap().is_none() };
    for n in 1..=5 {
        let holder = open(store, n).await;
        assert!(store.keep_upstream_token(&kept(holder, "app", 1), None).await.unwrap());
    }
    store.revoke_session(sid(1), EndReason::Logout, at(20)).await.unwrap();
    assert!(gone(1).await && !gone(2).await);
    let late = kept(Holder::Session(sid(1)), "app", 2);
    assert!(!store.keep_upstream_token(&late, None).await.unwrap(), "a session that has ended");
    let nobody = kept(Holder::Session(sid(99)), "app", 2);
    assert!(!store.keep_upstream_token(&nobody, None).await.unwrap(), "a session that never was");
    let new = session(6, &user(1));
    store.open_session(&new, Some(sid(2)), None).await.unwrap();
    assert!(gone(2).await && !gone(3).await, "a login replaced it");
    store.revoke_other_sessions(&user(1).id, sid(4), EndReason::EndedByUser, at(30)).await.unwrap();
    assert!(gone(3).await && !gone(4).await && gone(5).await);
    store.revoke_user(&user(1).id, EndReason::EndedByOperator, at(40)).await.unwrap();
    assert!(gone(4).await);
    let holder = open(store, 7).await;
    assert!(store.keep_upstream_token(&kept(holder, "app", 1), None).await.unwrap());
    store.revoke_everyone(EndReason::EndedByOperator, at(50)).await.unwrap();
    assert!(gone(7).await);
}

/// Rotating a master secret finds each of them, a batch at a time.
pub(crate) async fn tokens_are_counted_and_found_by_master_key<S: Store>(store: &S) {
    for n in 0..5u8 {
        let token = KeptToken { master_key: KeyId(n % 2), ..kept(Holder::Visitor([n; 32]), "app", 1) };
        assert!(store.keep_upstream_token(&token, None).await.unwrap());
    }
    assert_eq!(store.upstream_tokens_by_master_key().await.unwrap(), [(KeyId(0), 3), (KeyId(1), 2)]);
    let found = store.upstream_tokens_under(KeyId(0), 2).await.unwrap();
    assert_eq!(
        found.iter().map(|token| token.holder).collect::<Vec<_>>(),
        [0, 2].map(|n| Holder::Visitor([n; 32]))
    );
    for old in store.upstream_tokens_under(KeyId(0), 100).await.unwrap() {
        let new = KeptToken { master_key: KeyId(1), revision: 2, ..old };
        assert!(store.keep_upstream_token(&new, Some(1)).await.unwrap());
    }
    assert_eq!(store.upstream_tokens_by_master_key().await.unwrap(), [(KeyId(1), 5)]);
    assert!(store.upstream_tokens_under(KeyId(0), 100).await.unwrap().is_empty());
}

pub(crate) async fn expired_tokens_are_purged<S: Store>(store: &S) {
    let visitor = |n| kept(Holder::Visitor([n; 32]), "app", 1);
    let long = KeptToken { expires_at: at(2000), ..visitor(1) };
    for token in [long.clone(), visitor(2)] {
        assert!(store.keep_upstream_token(&token, None).await.unwrap());
    }
    assert_eq!(store.purge(at(0), at(0), at(999), 10).await.unwrap(), 0);
    assert_eq!(store.purge(at(0), at(0), at(1000), 10).await.unwrap(), 1);
    assert_eq!(store.upstream_token(long.holder, "app").await.unwrap(), Some(long));
}
