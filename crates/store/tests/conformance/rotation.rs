//! Rotation's compare-and-set and noted uses.

use countersign_core::domain::device::Device;
use countersign_core::domain::id::Generation;
use countersign_core::domain::rotation::{Abandoned, RotationRecord};
use countersign_core::domain::session::{EndReason, Session};
use countersign_core::domain::time::Timestamp;
use countersign_core::port::{Rotated, Store, Use};

use crate::support::{at, rotated_once, session, sid, user, with_user};

async fn open<S: Store>(store: &S) -> Session {
    with_user(store, &user(1)).await;
    store.open_session(&session(1, &user(1)), None, None).await.unwrap();
    session(1, &user(1))
}

async fn rotate<S: Store>(
    store: &S,
    judged: &RotationRecord,
    next: &RotationRecord,
    seen: Timestamp,
) -> Rotated {
    store.rotate_if_current(sid(1), judged, next, seen, &Device::default()).await.unwrap()
}

async fn record<S: Store>(store: &S) -> RotationRecord {
    store.session(sid(1)).await.unwrap().unwrap().session.rotation
}

fn confirmed(generation: u32, seconds: i64) -> Use {
    Use { sid: sid(1), seen_at: None, confirmed: Some((Generation(generation), at(seconds))) }
}

pub(crate) async fn a_step_is_written_once<S: Store>(store: &S) {
    let before = open(store).await;
    let next = rotated_once(&before.rotation, at(100));
    let device = Device::new("198.51.100.1".parse().ok(), "Other/2");
    let rotated = store.rotate_if_current(sid(1), &before.rotation, &next, at(100), &device).await.unwrap();
    let Rotated::Rotated(held) = rotated else { panic!("{rotated:?}") };
    let expected = Session { rotation: next.clone(), seen_at: at(100), device, ..before.clone() };
    assert_eq!(held.session, expected);
    assert_eq!(held.user.id, user(1).id);

    // The loser of the race learns what the winner wrote and changes nothing.
    let rotated = rotate(store, &before.rotation, &rotated_once(&before.rotation, at(105)), at(105)).await;
    let Rotated::Moved(held) = rotated else { panic!("{rotated:?}") };
    assert_eq!(held.session, expected);
    assert_eq!(store.session(sid(1)).await.unwrap().unwrap().session, expected);

    let gone =
        store.rotate_if_current(sid(2), &before.rotation, &next, at(100), &Device::default()).await.unwrap();
    assert!(matches!(gone, Rotated::Gone));
}

/// D04: an ended session never moves.
pub(crate) async fn d04_an_ended_session_never_moves<S: Store>(store: &S) {
    let before = open(store).await;
    store.revoke_session(sid(1), EndReason::Logout, at(50)).await.unwrap();
    let rotated = rotate(store, &before.rotation, &rotated_once(&before.rotation, at(60)), at(60)).await;
    let Rotated::Moved(held) = rotated else { panic!("{rotated:?}") };
    assert_eq!(held.session.ended.unwrap().reason, EndReason::Logout);
    assert_eq!(held.session.rotation, before.rotation);
}

pub(crate) async fn a_confirmation_is_no_conflict<S: Store>(store: &S) {
    let opened = open(store).await.rotation;
    let second = rotated_once(&opened, at(100));
    rotate(store, &opened, &second, at(100)).await;

    // A replay counted a lost answer while the generation was confirmed: both stand.
    let replay = RotationRecord { lost: 1, handed_over_at: at(120), ..second.clone() };
    store.note_uses(&[confirmed(2, 119)]).await.unwrap();
    let Rotated::Rotated(held) = rotate(store, &second, &replay, at(120)).await else { panic!() };
    assert_eq!(held.session.rotation, RotationRecord { confirmed_at: Some(at(120)), ..replay.clone() });

    // The next generation starts unconfirmed.
    let third = rotated_once(&replay, at(200));
    let Rotated::Rotated(held) = rotate(store, &replay, &third, at(200)).await else { panic!() };
    assert_eq!(held.session.rotation, third);
}

pub(crate) async fn lost_answers_are_part_of_the_comparison<S: Store>(store: &S) {
    let opened = open(store).await.rotation;
    let replay = RotationRecord { lost: 1, handed_over_at: at(30), ..opened.clone() };
    assert!(matches!(rotate(store, &opened, &replay, at(30)).await, Rotated::Rotated(_)));
    // Same generation, but an answer was lost meanwhile: judge again.
    let rotated = rotate(store, &opened, &rotated_once(&opened, at(31)), at(31)).await;
    assert!(matches!(rotated, Rotated::Moved(held) if held.session.rotation == replay));
}

pub(crate) async fn abandoned_ranges_are_kept_and_loaded<S: Store>(store: &S) {
    let opened = open(store).await.rotation;
    let until = |seconds| Abandoned { first: Generation(2), last: Generation(2), until: at(seconds) };
    let mut reissued = rotated_once(&rotated_once(&opened, at(50)), at(50));
    reissued.from = opened.from;
    reissued.lost = 1;
    reissued.abandoned = vec![until(960)];
    rotate(store, &opened, &reissued, at(50)).await;
    assert_eq!(record(store).await, reissued);

    // A rotation that does not touch them keeps them.
    let fourth = rotated_once(&reissued, at(60));
    rotate(store, &reissued, &fourth, at(60)).await;
    assert_eq!(record(store).await.abandoned, [until(960)]);
    let found = store.revocations_since(at(0), at(959)).await.unwrap().abandoned;
    assert_eq!(found, [(sid(1), until(960))]);
    assert!(store.revocations_since(at(0), at(960)).await.unwrap().abandoned.is_empty());

    // A longer list: the expired one is not reported, the live one is.
    let mut fifth = rotated_once(&fourth, at(70));
    let late = Abandoned { first: Generation(4), last: Generation(4), until: at(2000) };
    fifth.abandoned = vec![until(960), late];
    rotate(store, &fourth, &fifth, at(70)).await;
    let found = store.revocations_since(at(0), at(1000)).await.unwrap().abandoned;
    assert_eq!(found, [(sid(1), late)]);

    // And dropped when the record drops them.
    let mut sixth = rotated_once(&fifth, at(80));
    sixth.abandoned = vec![];
    rotate(store, &fifth, &sixth, at(80)).await;
    assert!(record(store).await.abandoned.is_empty());
    assert!(store.revocations_since(at(0), at(0)).await.unwrap().abandoned.is_empty());
}

pub(crate) async fn uses_only_move_forward<S: Store>(store: &S) {
    let opened = open(store).await.rotation;
    let seen = |seconds| Use { sid: sid(1), seen_at: Some(at(seconds)), confirmed: None };
    store.note_uses(&[seen(300), seen(200), Use { sid: sid(9), ..seen(400) }]).await.unwrap();
    assert_eq!(store.session(sid(1)).await.unwrap().unwrap().session.seen_at, at(300));

    // Of a generation that is not current: no news.
    store.note_uses(&[confirmed(2, 301)]).await.unwrap();
    assert_eq!(record(store).await.confirmed_at, None);
    store.note_uses(&[confirmed(1, 302)]).await.unwrap();
    store.note_uses(&[confirmed(1, 310)]).await.unwrap();
    assert_eq!(record(store).await.confirmed_at, Some(at(302)), "first seen stays first");

    // Never before the hand-over, whichever node's clock measured it.
    let second = rotated_once(&opened, at(400));
    rotate(store, &record(store).await, &second, at(400)).await;
    store.note_uses(&[confirmed(2, 399)]).await.unwrap();
    assert_eq!(record(store).await.confirmed_at, Some(at(400)));
}

pub(crate) async fn time_of_last_use_never_runs_backwards<S: Store>(store: &S) {
    let opened = open(store).await.rotation;
    let seen = Use { sid: sid(1), seen_at: Some(at(300)), confirmed: None };
    store.note_uses(&[seen]).await.unwrap();
    rotate(store, &opened, &rotated_once(&opened, at(290)), at(290)).await;
    assert_eq!(store.session(sid(1)).await.unwrap().unwrap().session.seen_at, at(300));
}
