//! Opening and reading sessions.

use countersign_core::domain::id::{Generation, PublicId, Sid};
use countersign_core::domain::rotation::Abandoned;
use countersign_core::domain::session::{EndReason, Ended, Session};
use countersign_core::domain::time::Timestamp;
use countersign_core::port::{Opening, Store};

use crate::support::{at, session, sid, user, with_user};

fn opened_at(n: u64, seconds: i64) -> Session {
    Session { created_at: at(seconds), ..session(n, &user(1)) }
}

async fn reason<S: Store>(store: &S, sid: Sid) -> Option<EndReason> {
    store.session(sid).await.unwrap().unwrap().session.ended.map(|ended| ended.reason)
}

pub(crate) async fn a_session_comes_back_as_it_was<S: Store>(store: &S) {
    with_user(store, &user(1)).await;
    let plain = session(1, &user(1));
    let mut full = session(2, &user(1));
    full.device.ip = "2001:db8::7".parse().ok();
    full.rotation.current = Generation(u32::MAX);
    full.rotation.from = Some(Generation(3));
    full.rotation.confirmed_at = Some(Timestamp::from_millis(11_001));
    full.rotation.lost = 10;
    full.client = countersign_core::domain::client::ClientId::parse("ios");
    let range = |first, last| Abandoned {
        first: Generation(first),
        last: Generation(last),
        until: at(i64::from(last)),
    };
    full.rotation.abandoned = vec![range(4, 4), range(6, 0x0102_0304)];
    full.ended = Some(Ended { at: at(-1), reason: EndReason::Reuse });
    let mut bare = session(3, &user(1));
    (bare.amr, bare.scope, bare.device) = (vec![], Default::default(), Default::default());
    for session in [plain, full, bare] {
        let opening = store.open_session(&session, None, None).await.unwrap();
        let Opening::Opened { user: owner, ended } = opening else { panic!("{opening:?}") };
        assert_eq!((owner.id, ended), (user(1).id, vec![]));
        let held = store.session(session.sid).await.unwrap().unwrap();
        assert_eq!(held.session, session);
        assert_eq!(held.user.email, user(1).email);
        assert_eq!(store.session_by_public_id(&session.public_id).await.unwrap().unwrap().session, session);
    }
    assert!(store.session(sid(99)).await.unwrap().is_none());
    assert!(store.session_by_public_id(&PublicId::parse("nobody").unwrap()).await.unwrap().is_none());
}

pub(crate) async fn nobody_opens_no_session<S: Store>(store: &S) {
    with_user(store, &user(2)).await;
    store.open_session(&session(2, &user(2)), None, None).await.unwrap();
    let opening = store.open_session(&session(1, &user(1)), Some(sid(2)), None).await.unwrap();
    assert!(matches!(opening, Opening::NoUser));
    assert!(store.session(sid(1)).await.unwrap().is_none());
    assert_eq!(reason(store, sid(2)).await, None, "what would have been replaced lives on");
}

pub(crate) async fn an_id_drawn_twice_is_an_error_and_changes_nothing<S: Store>(store: &S) {
    with_user(store, &user(1)).await;
    for n in [1, 2] {
        store.open_session(&session(n, &user(1)), None, None).await.unwrap();
    }
    let same_sid = Session { public_id: PublicId::parse("other").unwrap(), ..session(1, &user(1)) };
    let same_public_id = Session { sid: sid(7), ..session(1, &user(1)) };
    for twice in [same_sid, same_public_id] {
        assert!(store.open_session(&twice, Some(sid(2)), Some((1, true))).await.is_err());
        assert_eq!(store.session(sid(1)).await.unwrap().unwrap().session, session(1, &user(1)));
        assert_eq!(reason(store, sid(2)).await, None);
    }
}

pub(crate) async fn a_login_replaces_the_browsers_session<S: Store>(store: &S) {
    with_user(store, &user(1)).await;
    with_user(store, &user(2)).await;
    // Another user's: the browser signs in as somebody else.
    store.open_session(&session(1, &user(2)), None, None).await.unwrap();
    let new = opened_at(2, 50);
    // One session is allowed, and the one that is replaced does not count.
    store.open_session(&new, Some(sid(1)), Some((1, false))).await.unwrap();
    let ended = store.session(sid(1)).await.unwrap().unwrap().session.ended;
    assert_eq!(ended, Some(Ended { at: at(50), reason: EndReason::Replaced }));
    let opening = store.open_session(&opened_at(3, 60), Some(sid(2)), Some((1, false))).await.unwrap();
    assert!(matches!(opening, Opening::Opened { ended, .. } if ended.is_empty()));
    // A second end keeps the first one's reason.
    store.open_session(&opened_at(4, 70), Some(sid(1)), None).await.unwrap();
    assert_eq!(store.session(sid(1)).await.unwrap().unwrap().session.ended.unwrap().at, at(50));
}

/// D14: concurrent-session limit, the oldest end.
pub(crate) async fn d14_the_oldest_end_to_make_room<S: Store>(store: &S) {
    with_user(store, &user(1)).await;
    with_user(store, &user(2)).await;
    store.open_session(&session(50, &user(2)), None, None).await.unwrap();
    // Neither an ended nor an expired session takes room.
    store.open_session(&opened_at(1, 1), None, None).await.unwrap();
    store.revoke_session(sid(1), EndReason::Logout, at(2)).await.unwrap();
    let expired = Session { expires_at: at(30), ..opened_at(2, 2) };
    store.open_session(&expired, None, None).await.unwrap();
    for (n, seconds) in [(5, 12), (3, 10), (4, 11)] {
        let opening = store.open_session(&opened_at(n, seconds), None, Some((4, true))).await.unwrap();
        assert!(matches!(opening, Opening::Opened { ended, .. } if ended.is_empty()));
    }
    let opening = store.open_session(&opened_at(6, 30), None, Some((2, true))).await.unwrap();
    let Opening::Opened { ended, .. } = opening else { panic!() };
    assert_eq!(ended, [sid(3), sid(4)]);
    for (n, expected) in [
        (1, Some(EndReason::Logout)),
        (2, None),
        (3, Some(EndReason::SessionLimit)),
        (4, Some(EndReason::SessionLimit)),
        (5, None),
        (6, None),
        (50, None),
    ] {
        assert_eq!(reason(store, sid(n)).await, expected, "session {n}");
    }
}

/// D14: or the new one is refused.
pub(crate) async fn d14_or_the_new_one_is_refused<S: Store>(store: &S) {
    with_user(store, &user(1)).await;
    for n in [1, 2] {
        store.open_session(&session(n, &user(1)), None, Some((2, false))).await.unwrap();
    }
    let refused = store.open_session(&session(3, &user(1)), None, Some((2, false))).await.unwrap();
    assert!(matches!(refused, Opening::LimitReached));
    assert!(store.session(sid(3)).await.unwrap().is_none());
    assert_eq!(store.sessions_of(&user(1).id, false).await.unwrap().len(), 2);
}

pub(crate) async fn lists_are_newest_first_and_bounded<S: Store>(store: &S) {
    with_user(store, &user(1)).await;
    with_user(store, &user(2)).await;
    store.open_session(&session(900, &user(2)), None, None).await.unwrap();
    for n in 0..203 {
        store.open_session(&opened_at(n, 10 + i64::try_from(n).unwrap()), None, None).await.unwrap();
    }
    store.revoke_session(sid(202), EndReason::Logout, at(500)).await.unwrap();
    let sids = |list: Vec<Session>| list.iter().map(|s| s.sid).collect::<Vec<_>>();
    let live = sids(store.sessions_of(&user(1).id, false).await.unwrap());
    assert_eq!(live, (2..202).rev().map(sid).collect::<Vec<_>>());
    let every = sids(store.sessions_of(&user(1).id, true).await.unwrap());
    assert_eq!(every, (3..203).rev().map(sid).collect::<Vec<_>>());
    // However many sign-ins follow, the theft stays on the list.
    store.revoke_session(sid(0), EndReason::Reuse, at(600)).await.unwrap();
    let every = sids(store.sessions_of(&user(1).id, true).await.unwrap());
    assert_eq!(every, (4..203).rev().chain([0]).map(sid).collect::<Vec<_>>());
}
