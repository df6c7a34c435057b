//! Ending sessions and raising epochs.

use countersign_core::domain::id::{Epoch, Sid};
use countersign_core::domain::session::{EndReason, Ended};
use countersign_core::port::Store;

use crate::support::{at, session, sid, user, with_user};

/// Users 1 and 2; sessions 1, 2 and 3 of user 1, 4 of user 2.
async fn four<S: Store>(store: &S) {
    for n in [1, 2] {
        with_user(store, &user(n)).await;
    }
    for n in [1, 2, 3] {
        store.open_session(&session(n, &user(1)), None, None).await.unwrap();
    }
    store.open_session(&session(4, &user(2)), None, None).await.unwrap();
}

async fn ended<S: Store>(store: &S, n: u64) -> Option<Ended> {
    store.session(sid(n)).await.unwrap().unwrap().session.ended
}

fn sorted(mut sids: Vec<Sid>) -> Vec<Sid> {
    sids.sort_unstable();
    sids
}

pub(crate) async fn revoke_is_once<S: Store>(store: &S) {
    four(store).await;
    let first = Ended { at: at(20), reason: EndReason::EndedByUser };
    assert_eq!(store.revoke_session(sid(1), first.reason, first.at).await.unwrap(), Some(first));
    assert_eq!(store.revoke_session(sid(1), EndReason::Reuse, at(30)).await.unwrap(), None);
    assert_eq!(ended(store, 1).await, Some(first), "why it ended stays what it was");
    assert_eq!(store.revoke_session(sid(99), EndReason::Reuse, at(30)).await.unwrap(), None);
    assert_eq!(ended(store, 2).await, None);
}

/// D12: users end their other sessions.
pub(crate) async fn d12_others_end_and_this_one_stays<S: Store>(store: &S) {
    four(store).await;
    store.revoke_session(sid(3), EndReason::Logout, at(15)).await.unwrap();
    let gone =
        store.revoke_other_sessions(&user(1).id, sid(1), EndReason::EndedByUser, at(20)).await.unwrap();
    assert_eq!(gone, [sid(2)]);
    assert_eq!(ended(store, 1).await, None);
    assert_eq!(ended(store, 2).await, Some(Ended { at: at(20), reason: EndReason::EndedByUser }));
    assert_eq!(ended(store, 3).await.unwrap().reason, EndReason::Logout);
    assert_eq!(ended(store, 4).await, None);
    assert_eq!(
        store.user(&user(1).id).await.unwrap().unwrap().epoch,
        Epoch(1),
        "the epoch would end this one too"
    );
}

/// H04: by user.
pub(crate) async fn h04_a_users_sessions_end_and_the_epoch_rises<S: Store>(store: &S) {
    four(store).await;
    store.revoke_session(sid(3), EndReason::Logout, at(15)).await.unwrap();
    // Past its deadline is no exception: leeway and clock differences could let its last token pass.
    let revoked = store.revoke_user(&user(1).id, EndReason::LogoutAll, at(5000)).await.unwrap().unwrap();
    assert_eq!((revoked.epoch, sorted(revoked.ended)), (Epoch(2), vec![sid(1), sid(2)]));
    let held = store.session(sid(1)).await.unwrap().unwrap();
    assert_eq!(held.user.epoch, Epoch(2));
    assert_eq!(held.session.epoch, Epoch(1));
    assert_eq!(held.session.ended, Some(Ended { at: at(5000), reason: EndReason::LogoutAll }));
    assert_eq!(ended(store, 3).await.unwrap().reason, EndReason::Logout);
    assert_eq!(ended(store, 4).await, None);
    let again = store.revoke_user(&user(1).id, EndReason::LogoutAll, at(5001)).await.unwrap().unwrap();
    assert_eq!((again.epoch, again.ended), (Epoch(3), vec![]));
}

/// H04: everyone.
pub(crate) async fn h04_everyone<S: Store>(store: &S) {
    four(store).await;
    store.revoke_session(sid(3), EndReason::Logout, at(15)).await.unwrap();
    let gone = store.revoke_everyone(EndReason::EndedByOperator, at(20)).await.unwrap();
    assert_eq!(sorted(gone), [sid(1), sid(2), sid(4)]);
    for n in [1, 2] {
        assert_eq!(store.user(&user(n).id).await.unwrap().unwrap().epoch, Epoch(2));
    }
    assert_eq!(ended(store, 4).await.unwrap().reason, EndReason::EndedByOperator);
    assert_eq!(ended(store, 3).await.unwrap().reason, EndReason::Logout);
}

pub(crate) async fn what_a_node_must_remember<S: Store>(store: &S) {
    four(store).await;
    let nothing = store.revocations_since(at(0), at(10)).await.unwrap();
    assert!(nothing.ended.is_empty() && nothing.epochs.is_empty() && nothing.abandoned.is_empty());

    store.revoke_session(sid(1), EndReason::Logout, at(20)).await.unwrap();
    store.revoke_session(sid(2), EndReason::Logout, at(30)).await.unwrap();
    store.revoke_user(&user(2).id, EndReason::LogoutAll, at(40)).await.unwrap();
    let mut since = store.revocations_since(at(30), at(50)).await.unwrap();
    since.ended.sort_unstable();
    assert_eq!(since.ended, [(sid(2), at(30)), (sid(4), at(40))], "the instant itself is included");
    assert_eq!(since.epochs, [(user(2).id, Epoch(2), at(40))]);

    // A clock that lags behind does not hide a raise from those who read since the last one.
    store.revoke_user(&user(2).id, EndReason::LogoutAll, at(35)).await.unwrap();
    assert_eq!(
        store.revocations_since(at(40), at(50)).await.unwrap().epochs,
        [(user(2).id, Epoch(3), at(40))]
    );
    assert!(store.revocations_since(at(41), at(50)).await.unwrap().epochs.is_empty());
}
