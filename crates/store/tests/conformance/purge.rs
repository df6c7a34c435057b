//! Upkeep.

use std::time::Duration;

use countersign_core::domain::event::EventFilter;
use countersign_core::domain::id::UserId;
use countersign_core::domain::session::{EndReason, Session};
use countersign_core::domain::throttle::{ThrottleKey, ThrottleRule};
use countersign_core::domain::user::User;
use countersign_core::port::{Code, CodeKind, Store};

use crate::support::{at, event, session, sid, user, with_user};

/// D10, "why was I logged out?": the record stays until it is old, and goes then.
pub(crate) async fn d10_ended_sessions_stay_for_the_record<S: Store>(store: &S) {
    with_user(store, &user(1)).await;
    for n in 1..=4 {
        let expires_at = if n == 4 { at(300) } else { at(10_000) };
        store.open_session(&Session { expires_at, ..session(n, &user(1)) }, None, None).await.unwrap();
    }
    store.revoke_session(sid(1), EndReason::Logout, at(399)).await.unwrap();
    store.revoke_session(sid(2), EndReason::Logout, at(400)).await.unwrap();
    // 1 ended and 4 expired before 400 s; 2 ended just then; 3 lives.
    assert_eq!(store.purge(at(400), at(0), at(0), 100).await.unwrap(), 2);
    let mut left = Vec::new();
    for n in 1..=4 {
        left.extend(store.session(sid(n)).await.unwrap().map(|_| n));
    }
    assert_eq!(left, [2, 3]);
    assert!(store.user(&user(1).id).await.unwrap().is_some());
}

/// Users of one session do not pile up; others stay, whatever they are called.
pub(crate) async fn passing_users_go_with_their_session<S: Store>(store: &S) {
    let passing = |n: u8| User { id: UserId::passing([n; 16]), ..user(n.into()) };
    let lookalike = User { id: UserId::parse("passingX").unwrap(), ..user(9) };
    for user in [passing(1), passing(2), lookalike.clone(), user(3)] {
        with_user(store, &user).await;
    }
    let short = Session { expires_at: at(300), ..session(1, &passing(1)) };
    store.open_session(&short, None, None).await.unwrap();
    store
        .open_session(&Session { expires_at: at(10_000), ..session(2, &passing(2)) }, None, None)
        .await
        .unwrap();
    assert_eq!(store.purge(at(200), at(0), at(0), 10).await.unwrap(), 0, "the session's record is there");
    assert_eq!(store.purge(at(301), at(0), at(0), 10).await.unwrap(), 2, "the session and its user");
    assert!(store.user(&passing(1).id).await.unwrap().is_none());
    for user in [passing(2), lookalike, user(3)] {
        assert!(store.user(&user.id).await.unwrap().is_some());
    }
}

pub(crate) async fn batches_are_bounded<S: Store>(store: &S) {
    with_user(store, &user(1)).await;
    let rule = ThrottleRule {
        free: 9,
        first_delay: Duration::ZERO,
        longest_delay: Duration::ZERO,
        cap: 9,
        window: Duration::from_secs(100),
    };
    for n in 0..5_u8 {
        let expires_at = at(300 + i64::from(n));
        store
            .open_session(&Session { expires_at, ..session(u64::from(n), &user(1)) }, None, None)
            .await
            .unwrap();
        let code = Code {
            hash: [n; 32],
            // A later invitation would replace an earlier one.
            kind: CodeKind::SignUp,
            email: user(1).email,
            password: None,
            scope: Default::default(),
            expires_at: at(500),
        };
        store.put_code(code).await.unwrap();
        store.admit_attempt(&[(ThrottleKey([n; 16]), rule)], at(400)).await.unwrap();
    }
    store.revoke_session(sid(0), EndReason::Logout, at(20)).await.unwrap();
    store.append_events(&(0..5).map(event).collect::<Vec<_>>()).await.unwrap();

    // Too early for codes and attempts by a second. Sessions: 0 ended; 1 expired at 301 s. Events: 0 and 1.
    assert_eq!(store.purge(at(302), at(2), at(499), 3).await.unwrap(), 2 + 2);
    assert_eq!(store.purge(at(900), at(900), at(500), 2).await.unwrap(), 4 * 2);
    assert_eq!(store.purge(at(900), at(900), at(500), 2).await.unwrap(), 1 + 1 + 2 + 2);
    assert_eq!(store.purge(at(900), at(900), at(500), 2).await.unwrap(), 1 + 1);
    assert_eq!(store.purge(at(900), at(900), at(500), 2).await.unwrap(), 0);
}

/// A reader who follows by row number must not miss what came after a purge.
pub(crate) async fn row_numbers_are_never_used_twice<S: Store>(store: &S) {
    store.append_events(&(0..3).map(event).collect::<Vec<_>>()).await.unwrap();
    let last = store.events(&EventFilter::default()).await.unwrap().last().unwrap().0;
    assert_eq!(store.purge(at(0), at(100), at(0), 100).await.unwrap(), 3);
    store.append_events(&[event(7)]).await.unwrap();
    let found = store.events(&EventFilter { after: Some(last), ..Default::default() }).await.unwrap();
    assert_eq!(found.into_iter().map(|(_, event)| event).collect::<Vec<_>>(), [event(7)]);
}

pub(crate) async fn it_answers<S: Store>(store: &S) {
    store.ping().await.unwrap();
}
