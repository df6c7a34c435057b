//! Races between verbs, on the store that is served.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use countersign_core::domain::session::EndReason;
use countersign_core::port::{Rotated, Store as _};
use support::{at, rotated_once, session, sqlite, user, with_user};

/// D02: 200 parallel redeems of one token make one generation step.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn d02_of_200_parallel_rotations_one_wins() {
    let (_directory, store) = sqlite();
    let store = Arc::new(store);
    with_user(&*store, &user(1)).await;
    let opened = session(1, &user(1));
    store.open_session(&opened, None, None).await.unwrap();
    let calls: Vec<_> = (0..200)
        .map(|_| {
            let (store, judged) = (Arc::clone(&store), opened.rotation.clone());
            tokio::spawn(async move {
                let next = rotated_once(&judged, at(10));
                store
                    .rotate_if_current(session(1, &user(1)).sid, &judged, &next, at(10), &Default::default())
                    .await
            })
        })
        .collect();
    let mut winners = 0;
    for call in calls {
        match call.await.unwrap().unwrap() {
            Rotated::Rotated(held) => {
                winners += 1;
                assert_eq!(held.session.rotation.current.0, 2);
            }
            Rotated::Moved(held) => assert_eq!(held.session.rotation.current.0, 2),
            Rotated::Gone => panic!("the session is gone"),
        }
    }
    assert_eq!(winners, 1);
    assert_eq!(store.session(opened.sid).await.unwrap().unwrap().session.rotation.current.0, 2);
}

/// D04: rotation and revocation exclude each other, 10,000 times: what began after revoke's answer never rotates, and
/// the record never moves again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d04_nothing_rotates_after_revoke_has_returned() {
    const RACES: u64 = 10_000;
    const AT_ONCE: u64 = 50;
    let (_directory, store) = sqlite();
    let store = Arc::new(store);
    with_user(&*store, &user(1)).await;
    let (mut rotated_before, mut refused_after) = (0, 0);
    for first in (0..RACES).step_by(usize::try_from(AT_ONCE).unwrap()) {
        let races: Vec<_> =
            (first..first + AT_ONCE).map(|number| tokio::spawn(race(Arc::clone(&store), number))).collect();
        for race in races {
            let (steps, refused) = race.await.unwrap();
            rotated_before += steps;
            refused_after += refused;
        }
    }
    // Both orders happened, or nothing was raced.
    assert!(rotated_before > 0, "no rotation ever won");
    assert!(refused_after >= RACES, "every race ends refused");
}

/// Rotates as fast as it can while another task revokes. Returns how often it rotated and was refused.
async fn race(store: Arc<countersign_store::SqliteStore>, number: u64) -> (u64, u64) {
    let opened = session(number, &user(1));
    let sid = opened.sid;
    store.open_session(&opened, None, None).await.unwrap();
    let revoked = Arc::new(AtomicBool::new(false));
    let revoking = {
        let (store, revoked) = (Arc::clone(&store), Arc::clone(&revoked));
        tokio::spawn(async move {
            for _ in 0..number % 4 {
                tokio::task::yield_now().await;
            }
            store.revoke_session(sid, EndReason::Logout, at(20)).await.unwrap().unwrap();
            revoked.store(true, Ordering::SeqCst);
            store.session(sid).await.unwrap().unwrap().session
        })
    };
    let (mut steps, mut record) = (0, opened.rotation);
    loop {
        let after = revoked.load(Ordering::SeqCst);
        let next = rotated_once(&record, at(10));
        match store.rotate_if_current(sid, &record, &next, at(10), &Default::default()).await.unwrap() {
            Rotated::Rotated(held) => {
                assert!(!after, "race {number}: rotated after revoke had returned");
                steps += 1;
                record = held.session.rotation;
            }
            Rotated::Moved(held) => {
                assert!(held.session.ended.is_some(), "race {number}: refused for another reason");
                break;
            }
            Rotated::Gone => panic!("the session is gone"),
        }
    }
    let at_revoke = revoking.await.unwrap();
    let next = rotated_once(&record, at(30));
    let late = store.rotate_if_current(sid, &record, &next, at(30), &Default::default()).await.unwrap();
    let Rotated::Moved(held) = late else { panic!("race {number}: rotated after revoke") };
    assert_eq!(held.session, at_revoke, "race {number}: the record moved after revoke had returned");
    (steps, 1)
}
