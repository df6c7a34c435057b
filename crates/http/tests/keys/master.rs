//! Master secrets change, and nobody is logged out.

use countersign_core::domain::environment::Environment;
use countersign_core::domain::id::KeyId;
use countersign_core::domain::key::{Keyring, Unsealable, sealed_under};
use countersign_core::port::{MasterKeys, Store};
use countersign_core::service::{Context, Engine, MasterKeyError, MasterKeyUse, StartError};
use countersign_testkit::{PASSWORD, TestOutside, TestSite, policy};

use crate::kids;

const ADA: &str = "ada@example.com";

async fn of(site: &TestSite, id: u8) -> MasterKeyUse {
    let all = site.site.engine().master_keys().await.unwrap();
    *all.iter().find(|found| found.id == KeyId(id)).unwrap_or_else(|| panic!("no {id} in {all:?}"))
}

/// Starts an engine on what a site left behind.
pub(crate) async fn restart(outside: &TestOutside) -> Result<Engine<TestOutside>, StartError> {
    let environment = Environment::parse("production").unwrap();
    let keyring = Keyring::new(environment, outside.master_keys.load().unwrap()).unwrap();
    Engine::start(outside.clone(), keyring, policy("production", "https://app.countersign.test")).await
}

/// Sessions keep the secret that they were opened with, over restarts too; new ones get the new one; the old one goes when it
/// is needed no more, and not before.
#[tokio::test]
async fn nobody_is_logged_out_by_a_rotation() {
    let site = TestSite::production().start().await;
    let (engine, context) = (site.site.engine(), Context::default());
    let before = site.signed_in(ADA).await;
    let signer = kids(&site).await;
    before.csrf().await;

    let resealed = engine.rotate_master_key(&context).await.unwrap();
    assert_eq!((resealed.under, resealed.values), (KeyId(8), 2), "pepper and signing key");
    for value in site.outside.store.sealed_values().await.unwrap() {
        assert_eq!(sealed_under(&value.value), Some(KeyId(8)), "{}", value.name);
    }
    assert_eq!(site.outside.master_keys.ids(), [8, 7]);

    // Access token, refresh token and CSRF token of before are all good, and lead on.
    before.get("/auth/session").expect_status(200).await;
    before.refresh().await.expect_status(200);
    before.get("/auth/session").expect_status(200).await;
    let after = site.client();
    after.log_in(ADA, PASSWORD).await.expect_status(200);
    assert_eq!((of(&site, 7).await.sessions, of(&site, 8).await.sessions), (1, 1));

    // Neither does a restart log anybody out; the pepper is the same, so that passwords still match.
    let restarted = TestSite::production().outside(site.outside.clone()).start().await;
    assert_eq!(kids(&restarted).await, signer);
    for client in [&before, &after] {
        let client = restarted.adopt(client);
        client.get("/auth/session").expect_status(200).await;
        client.refresh().await.expect_status(200);
    }
    restarted.client().log_in(ADA, PASSWORD).await.expect_status(200);

    let refused = engine.remove_master_key(KeyId(7), &context).await.unwrap_err();
    assert!(matches!(refused, MasterKeyError::InUse { id: KeyId(7), sessions: 1, .. }), "{refused}");
    assert!(matches!(engine.remove_master_key(KeyId(8), &context).await, Err(MasterKeyError::Current(_))));
    assert!(matches!(engine.remove_master_key(KeyId(3), &context).await, Err(MasterKeyError::Unknown(_))));
    assert_eq!(site.outside.master_keys.ids(), [8, 7], "nothing was changed");

    before.log_out().await.expect_status(204);
    engine.remove_master_key(KeyId(7), &context).await.unwrap();
    assert_eq!(site.outside.master_keys.ids(), [8]);
    after.refresh().await.expect_status(200);
    restart(&site.outside).await.unwrap();
}

/// A session that nobody used for `idle_ttl` needs its secret no more, and neither does one past its end.
#[tokio::test]
async fn sessions_that_expired_need_no_secret() {
    let site = TestSite::production().start().await;
    let engine = site.site.engine();
    drop(site.signed_in(ADA).await);
    engine.rotate_master_key(&Context::default()).await.unwrap();
    let idle = engine.policy().session.idle_ttl;
    site.advance(idle);
    assert_eq!(of(&site, 7).await.sessions, 1);
    site.advance(crate::SECOND);
    engine.remove_master_key(KeyId(7), &Context::default()).await.unwrap();
}

/// F07: a device that signed in before a rotation is known after it: guesses from elsewhere do not lock its owner out.
#[tokio::test]
async fn f07_a_device_stays_known() {
    let site = TestSite::production().start().await;
    let owner = site.signed_in(ADA).await;
    owner.log_out().await.expect_status(204);
    site.site.engine().rotate_master_key(&Context::default()).await.unwrap();
    let guesser = site.client().at("198.51.100.9").agent("Guesser/1");
    for _ in 0..8 {
        guesser.log_in(ADA, "wrong wrong wrong wrong").await;
    }
    guesser.log_in(ADA, PASSWORD).await.expect(429, "rate_limited");
    owner.log_in(ADA, PASSWORD).await.expect_status(200);
}

/// Two rotations in a row, and a third whose id would be taken: ids are not used twice while anything needs them.
#[tokio::test]
async fn ids_go_on_and_wrap() {
    let site = TestSite::production().start().await;
    let engine = site.site.engine();
    let context = Context::default();
    let mut old = Vec::new();
    for expected in [8, 9, 10] {
        old.push(site.signed_in(&format!("u{expected}@example.com")).await);
        assert_eq!(engine.rotate_master_key(&context).await.unwrap().under, KeyId(expected));
    }
    assert_eq!(site.outside.master_keys.ids(), [10, 9, 8, 7]);
    for client in &old {
        client.refresh().await.expect_status(200);
    }
    // By hand, an operator made 255 the current one.
    site.outside
        .master_keys
        .put_first(
            KeyId(255),
            &countersign_core::domain::secret::SecretArray::new([0x5a; 32].map({
                let mut n = 3u8;
                move |b: u8| {
                    n = n.wrapping_mul(31).wrapping_add(b);
                    n
                }
            })),
        )
        .unwrap();
    assert_eq!(engine.reseal(&context).await.unwrap().under, KeyId(255));
    assert_eq!(engine.rotate_master_key(&context).await.unwrap().under, KeyId(0));
}

/// Also where it is needed later only: a key that is to sign tomorrow would stop signing tomorrow.
#[tokio::test]
async fn a_secret_that_is_needed_tomorrow_is_missed_today() {
    let site = TestSite::production().start().await;
    let (engine, context) = (site.site.engine(), Context::default());
    engine.rotate_master_key(&context).await.unwrap();
    let next = engine.rotate_signing_key(false, &context).await.unwrap();
    let values = site.outside.store.sealed_values().await.unwrap();
    let sealed = values.iter().find(|value| value.name == next.kid).unwrap();
    let old = [&[1, 7], &sealed.value[2..]].concat();
    assert!(site.outside.store.reseal(sealed, &old).await.unwrap());
    site.outside.master_keys.remove(KeyId(7)).unwrap();
    let error = restart(&site.outside).await.unwrap_err();
    assert!(matches!(&error, StartError::WrongMaster(Unsealable::Missing { id: KeyId(7), .. })), "{error}");
}

/// A store whose sealed values need a secret that is not there refuses to start, and names it.
#[tokio::test]
async fn a_missing_secret_stops_the_start_and_is_named() {
    let site = TestSite::production().start().await;
    site.site.engine().rotate_master_key(&Context::default()).await.unwrap();
    site.outside.master_keys.remove(KeyId(8)).unwrap();
    let error = restart(&site.outside).await.unwrap_err();
    assert!(matches!(&error, StartError::WrongMaster(Unsealable::Missing { id: KeyId(8), .. })), "{error}");
    assert!(error.to_string().contains("master secret 8"), "{error}");
}
