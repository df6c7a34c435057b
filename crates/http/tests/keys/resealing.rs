//! Sealing anew can stop anywhere, and be begun again.

use countersign_core::domain::id::KeyId;
use countersign_core::domain::key::{Unsealable, sealed_under};
use countersign_core::domain::secret::SecretArray;
use countersign_core::port::{Entropy, MasterKeys, Store};
use countersign_core::service::{Context, MasterKeyError};
use countersign_testkit::{Mode, TestSite};

use crate::kids;
use crate::master::restart;

async fn under(site: &TestSite) -> Vec<u8> {
    let values = site.outside.store.sealed_values().await.unwrap();
    values.iter().map(|value| sealed_under(&value.value).unwrap().0).collect()
}

fn secret(site: &TestSite) -> SecretArray<32> {
    SecretArray::new(site.outside.entropy.bytes())
}

/// Killed after the new secret was written and some values were sealed under it: it starts, and the rest is done later.
#[tokio::test]
async fn what_a_kill_left_half_done_is_finished_later() {
    let site = TestSite::production().start().await;
    let (engine, context) = (site.site.engine(), Context::default());
    for _ in 0..3 {
        engine.rotate_signing_key(true, &context).await.unwrap();
        site.advance(crate::SECOND);
        engine.tend_keys().await.unwrap();
    }
    // What a first attempt did before it was killed: one value sealed under the new secret, the others not.
    site.outside.master_keys.put_first(KeyId(8), &secret(&site)).unwrap();
    let half = restart(&site.outside).await.unwrap();
    assert_eq!(half.keyring().current(), KeyId(8));
    let values = site.outside.store.sealed_values().await.unwrap();
    let pepper = values.iter().find(|value| &*value.name == "pepper").unwrap();
    let plain = half.keyring().unseal("pepper", &pepper.value).unwrap();
    let anew = half.keyring().seal("pepper", site.outside.entropy.bytes(), &plain).unwrap();
    assert!(site.outside.store.reseal(pepper, &anew).await.unwrap());
    assert_eq!(under(&site).await, [8, 7, 7, 7, 7]);

    // It starts in this state; the old secret cannot go yet.
    let restarted = restart(&site.outside).await.unwrap();
    let refused = restarted.remove_master_key(KeyId(7), &context).await.unwrap_err();
    assert!(matches!(refused, MasterKeyError::Sealed { id: KeyId(7), values: 4 }), "{refused}");
    assert_eq!(restarted.reseal(&context).await.unwrap().values, 4);
    assert_eq!(restarted.reseal(&context).await.unwrap().values, 0, "nothing is left to do");
    assert_eq!(under(&site).await, [8; 5]);
    restarted.remove_master_key(KeyId(7), &context).await.unwrap();
    restart(&site.outside).await.unwrap();
}

/// The store goes away half way: the operator is told, nothing is lost, and another attempt finishes.
#[tokio::test]
async fn a_store_that_goes_away_loses_nothing() {
    let site = TestSite::production().start().await;
    let (engine, context) = (site.site.engine(), Context::default());
    let client = site.signed_in("ada@example.com").await;
    site.outside.store.set(Mode::Unavailable);
    assert!(engine.rotate_master_key(&context).await.is_err());
    site.outside.store.set(Mode::Working);
    client.refresh().await.expect_status(200);
    engine.rotate_master_key(&context).await.unwrap();
    client.get("/auth/session").expect_status(200).await;
    restart(&site.outside).await.unwrap();
}

/// Two nodes at once: each value is sealed anew by one of them, and both can read all.
#[tokio::test]
async fn two_nodes_reseal_at_once() {
    let site = TestSite::production().start().await;
    let other = TestSite::production().outside(site.outside.clone()).start().await;
    let context = Context::default();
    site.outside.master_keys.put_first(KeyId(8), &secret(&site)).unwrap();
    let (one, two) = tokio::join!(site.site.engine().reseal(&context), other.site.engine().reseal(&context));
    assert_eq!(one.unwrap().values + two.unwrap().values, 2);
    for node in [&site, &other] {
        node.site.engine().reload_keys().await.unwrap();
        node.signed_in(&format!("{}@example.com", node.address().port()))
            .await
            .get("/auth/session")
            .expect_status(200)
            .await;
    }
    assert_eq!(kids(&site).await, kids(&other).await);
}

/// A node that shares the file with the one that rotated takes the new secret over by itself.
#[tokio::test]
async fn another_node_learns_of_a_new_secret() {
    let site = TestSite::production().start().await;
    let other = TestSite::production().outside(site.outside.clone()).start().await;
    let context = Context::default();
    let client = other.signed_in("ada@example.com").await;
    site.site.engine().rotate_master_key(&context).await.unwrap();
    assert!(!other.site.engine().keyring().holds(KeyId(8)));
    other.site.engine().tend_keys().await.unwrap();
    assert_eq!(other.site.engine().keyring().current(), KeyId(8));
    client.refresh().await.expect_status(200);
    let new = site.signed_in("eve@example.com").await;
    other.adopt(&new).refresh().await.expect_status(200);
}

/// A file that lacks what is needed is not taken over: the node goes on with what it has, and says which one it misses.
#[tokio::test]
async fn a_file_that_lacks_a_secret_is_not_taken_over() {
    let site = TestSite::production().start().await;
    let (engine, context) = (site.site.engine(), Context::default());
    let client = site.signed_in("ada@example.com").await;
    site.outside.master_keys.set([(9, *secret(&site).expose())]);
    let refused = engine.reseal(&context).await.unwrap_err();
    assert!(
        matches!(&refused, MasterKeyError::Unsealable(Unsealable::Missing { id: KeyId(7), .. })),
        "{refused}"
    );
    // Another secret under the same id is found out as well.
    site.outside.master_keys.set([(7, *secret(&site).expose())]);
    let refused = engine.reseal(&context).await.unwrap_err();
    assert!(matches!(&refused, MasterKeyError::Unsealable(Unsealable::Wrong { .. })), "{refused}");
    client.refresh().await.expect_status(200);
    client.get("/auth/session").expect_status(200).await;
}

/// Nor is one that would log somebody out, though all that is sealed could be opened.
#[tokio::test]
async fn a_file_without_a_sessions_secret_is_not_taken_over() {
    let site = TestSite::production().start().await;
    let (engine, context) = (site.site.engine(), Context::default());
    let client = site.signed_in("ada@example.com").await;
    engine.rotate_master_key(&context).await.unwrap();
    site.outside.master_keys.remove(KeyId(7)).unwrap();
    let refused = engine.reseal(&context).await.unwrap_err();
    assert!(matches!(refused, MasterKeyError::InUse { id: KeyId(7), sessions: 1, .. }), "{refused}");
    client.refresh().await.expect_status(200);
}

/// The private part of a dead key may be lost: nobody will ever sign with it.
#[tokio::test]
async fn a_dead_keys_private_part_may_be_lost() {
    let site = TestSite::production().start().await;
    let (engine, context) = (site.site.engine(), Context::default());
    let first = kids(&site).await[0].clone();
    engine.revoke_signing_key(&first, &context).await.unwrap();
    let values = site.outside.store.sealed_values().await.unwrap();
    let dead = values.iter().find(|value| *value.name == *first).unwrap();
    assert!(site.outside.store.reseal(dead, &[1, 99, 0, 0]).await.unwrap());
    restart(&site.outside).await.unwrap();
    let uses = engine.master_keys().await.unwrap();
    assert!(uses.iter().all(|found| found.held), "{uses:?}");
    assert_eq!(engine.rotate_master_key(&context).await.unwrap().values, 2);
}
