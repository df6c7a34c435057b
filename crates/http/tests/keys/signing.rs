//! Next, active, retired: by the clock alone.

use std::time::Duration;

use countersign_core::domain::signing_key::{Algorithm, KeyState};
use countersign_core::service::{Context, RotateKeysError};
use countersign_testkit::{Mode, TestOutside, TestSite};

use crate::{DAY, SECOND, kids, signed_by};

const MONTH: Duration = Duration::from_secs(30 * 86_400);

async fn scheduled() -> TestSite {
    TestSite::production().policy(|p| p.rotate_every = Some(MONTH)).start().await
}

/// H08: made a day ahead, published at once, signing when it is due; the old one is served until its last token has expired.
#[tokio::test]
async fn h08_keys_rotate_by_themselves() {
    let site = scheduled().await;
    let engine = site.site.engine();
    let first = kids(&site).await;
    site.advance(MONTH - DAY - SECOND);
    engine.tend_keys().await.unwrap();
    assert_eq!(kids(&site).await, first, "not before it is due");

    site.advance(SECOND);
    engine.tend_keys().await.unwrap();
    engine.tend_keys().await.unwrap();
    let both = kids(&site).await;
    assert_eq!(both.len(), 2, "made once");
    let next = both.iter().find(|kid| **kid != first[0]).unwrap();

    site.advance(DAY - SECOND);
    engine.tend_keys().await.unwrap();
    let client = site.signed_in("ada@example.com").await;
    assert_eq!(signed_by(&client), first[0], "published, not yet signing");
    site.advance(SECOND);
    engine.tend_keys().await.unwrap();
    client.get("/auth/session").expect_status(200).await;
    client.refresh().await.expect_status(200);
    assert_eq!(signed_by(&client), *next);

    // The last token of the first key lives 15 min, and 5 s of leeway.
    site.advance(Duration::from_secs(15 * 60 + 4));
    engine.tend_keys().await.unwrap();
    assert_eq!(kids(&site).await.len(), 2);
    site.advance(SECOND);
    engine.tend_keys().await.unwrap();
    assert_eq!(kids(&site).await, std::slice::from_ref(next));

    site.advance(MONTH);
    engine.tend_keys().await.unwrap();
    assert_eq!(kids(&site).await.len(), 2, "and again");
}

/// H08: of two nodes that find it due at once, one makes the next key; the other serves it too.
#[tokio::test]
async fn h08_two_nodes_make_one() {
    let site = scheduled().await;
    let other = TestSite::production()
        .outside(site.outside.clone())
        .policy(|p| p.rotate_every = Some(MONTH))
        .start()
        .await;
    site.advance(MONTH);
    // Slow enough that both have found it due before either has made it.
    site.outside.store.set(Mode::Slow(Duration::from_millis(20)));
    let (one, two) = tokio::join!(site.site.engine().tend_keys(), other.site.engine().tend_keys());
    one.unwrap();
    two.unwrap();
    site.outside.store.set(Mode::Working);
    for node in [&site, &other] {
        node.site.engine().tend_keys().await.unwrap();
        assert_eq!(kids(node).await.len(), 2);
    }
    let (mut here, mut there) = (kids(&site).await, kids(&other).await);
    here.sort();
    there.sort();
    assert_eq!(here, there);
}

/// ES256 by choice: the other algorithm takes over after the time of publication, without anybody's doing.
#[tokio::test]
async fn h08_another_algorithm_by_configuration() {
    let outside = TestOutside::default();
    let before = TestSite::production().outside(outside.clone()).start().await;
    let client = before.signed_in("ada@example.com").await;
    let site =
        TestSite::production().outside(outside).policy(|p| p.algorithm = Algorithm::Es256).start().await;
    let engine = site.site.engine();
    engine.tend_keys().await.unwrap();
    let states: Vec<_> = engine.signing_keys().iter().map(|(key, state)| (key.algorithm, *state)).collect();
    assert!(states.contains(&(Algorithm::EdDsa, KeyState::Active)), "{states:?}");
    assert!(states.contains(&(Algorithm::Es256, KeyState::Next)), "{states:?}");
    site.advance(DAY);
    engine.tend_keys().await.unwrap();
    let client = site.adopt(&client);
    client.refresh().await.expect_status(200);
    client.get("/auth/session").expect_status(200).await;
    assert_eq!(kids(&site).await.len(), 2);
    engine.tend_keys().await.unwrap();
    assert_eq!(kids(&site).await.len(), 2, "no further one follows");
}

/// H08: an operator's rotation waits until everybody who caches the list knows the key, unless told not to.
#[tokio::test]
async fn h08_an_operator_waits_or_forces() {
    let site = TestSite::production().start().await;
    let (engine, context) = (site.site.engine(), Context::default());
    let first = kids(&site).await[0].clone();
    let next = engine.rotate_signing_key(false, &context).await.unwrap();
    assert_eq!(kids(&site).await.len(), 2);
    site.advance(DAY - SECOND);
    let early = engine.rotate_signing_key(false, &context).await.unwrap_err();
    let known = next.created_at.plus(DAY);
    assert!(
        matches!(&early, RotateKeysError::TooEarly { kid, known_at, .. } if *kid == next.kid && *known_at == known),
        "{early}"
    );
    assert_eq!(signed_by(&site.signed_in("ada@example.com").await), first);
    let forced = engine.rotate_signing_key(true, &context).await.unwrap();
    assert_eq!(forced.kid, next.kid, "the one that most verifiers know");
    assert_eq!(signed_by(&site.signed_in("eve@example.com").await), *next.kid);
    // Without a next one, force makes a key that signs at once.
    site.advance(SECOND);
    let made = engine.rotate_signing_key(true, &context).await.unwrap();
    assert_eq!(signed_by(&site.signed_in("bob@example.com").await), *made.kid);
}

/// Whoever honours the list's `max-age` knows a key before it signs, however short it is published.
#[tokio::test]
async fn h08_the_list_is_cached_for_less_than_a_key_is_published() {
    for (published, cached) in [(DAY, 300), (Duration::from_secs(60), 30), (SECOND, 0), (Duration::ZERO, 0)] {
        let site = TestSite::production().policy(move |p| p.prepublish = published).start().await;
        let answer = site.client().get("/.well-known/jwks.json").expect_status(200).await;
        assert_eq!(answer.header("cache-control").unwrap(), format!("public, max-age={cached}"));
    }
}

/// A node whose clock is behind the first key's beginning starts, signs, and is understood.
#[tokio::test]
async fn a_node_whose_clock_is_behind_starts() {
    let site = TestSite::production().start().await;
    let first = kids(&site).await;
    let behind = TestOutside { clock: countersign_testkit::FakeClock::default(), ..site.outside.clone() };
    behind.clock.set(countersign_core::port::Clock::now(&site.outside.clock).minus(SECOND * 2));
    let other = TestSite::production().outside(behind.clone()).start().await;
    let client = other.signed_in("ada@example.com").await;
    assert_eq!([signed_by(&client)], first[..]);
    site.adopt(&client).get("/auth/session").expect_status(200).await;
}
