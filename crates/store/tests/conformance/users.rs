//! Users.

use countersign_core::domain::id::Epoch;
use countersign_core::domain::identity::Identity;
use countersign_core::domain::session::EndReason;
use countersign_core::domain::user::{PasswordHash, User};
use countersign_core::port::{AskedBy, Identified, NewPassword, NewUser, Store};

use crate::support::{at, session, user, with_user};

fn same(a: &User, b: &User) {
    // PasswordHash has no `==` on purpose, and its Debug shows nothing.
    assert_eq!(format!("{a:?}"), format!("{b:?}"));
    assert_eq!(hash(a), hash(b));
}

fn hash(user: &User) -> Option<&str> {
    user.password.as_ref().map(PasswordHash::expose)
}

pub(crate) async fn an_address_is_taken_once<S: Store>(store: &S) {
    with_user(store, &user(1)).await;
    let rival = User { email: user(1).email, ..user(2) };
    assert!(!store.create_user(NewUser { user: rival.clone() }).await.unwrap());
    assert!(store.user(&rival.id).await.unwrap().is_none());
    same(&store.user_by_email(&rival.email).await.unwrap().unwrap(), &user(1));
    // An id that exists is no taken address.
    let twice = User { email: user(3).email, ..user(1) };
    assert!(store.create_user(NewUser { user: twice }).await.is_err());
}

pub(crate) async fn a_user_comes_back_as_it_was<S: Store>(store: &S) {
    let bare = User { password: None, disabled_at: Some(at(4)), scope: Default::default(), ..user(2) };
    for user in [user(1), bare] {
        with_user(store, &user).await;
        same(&store.user(&user.id).await.unwrap().unwrap(), &user);
        same(&store.user_by_email(&user.email).await.unwrap().unwrap(), &user);
    }
    assert!(store.user(&user(9).id).await.unwrap().is_none());
    assert!(store.user_by_email(&user(9).email).await.unwrap().is_none());
}

pub(crate) async fn users_are_listed_by_address<S: Store>(store: &S) {
    for n in [3, 1, 5, 2, 4] {
        with_user(store, &user(n)).await;
    }
    let first = store.users(None, 2).await.unwrap();
    assert_eq!(first.rows.iter().map(|u| u.id.as_str()).collect::<Vec<_>>(), ["user1", "user2"]);
    assert!(first.more);
    let rest = store.users(Some(&user(2).email), 3).await.unwrap();
    assert_eq!(rest.rows.iter().map(|u| u.id.as_str()).collect::<Vec<_>>(), ["user3", "user4", "user5"]);
    assert!(!rest.more);
}

/// D11: a new password kills the sessions.
pub(crate) async fn d11_a_new_password_ends_every_session<S: Store>(store: &S) {
    for n in [1, 2] {
        with_user(store, &user(n)).await;
        store.open_session(&session(u64::from(n), &user(n)), None, None).await.unwrap();
    }
    let new =
        NewPassword { user: user(1).id, hash: PasswordHash::new("$new".into()), at: at(20), asked_by: None };
    let revoked = store.set_password(new).await.unwrap().unwrap();
    assert_eq!((revoked.epoch.0, revoked.ended), (2, vec![session(1, &user(1)).sid]));
    let held = store.session(session(1, &user(1)).sid).await.unwrap().unwrap();
    assert_eq!(held.session.ended.unwrap().reason, EndReason::PasswordChanged);
    assert_eq!(held.session.ended.unwrap().at, at(20));
    assert_eq!((held.user.epoch.0, hash(&held.user)), (2, Some("$new")));
    assert!(store.session(session(2, &user(2)).sid).await.unwrap().unwrap().session.ended.is_none());
}

/// P4, D11: a change that was on its way when its session, all sessions, the user or the password came to an end changes nothing.
pub(crate) async fn p4_a_late_change_of_password_changes_nothing<S: Store>(store: &S) {
    let old = user(1).password.unwrap();
    with_user(store, &user(1)).await;
    for n in [1, 2] {
        store.open_session(&session(n, &user(1)), None, None).await.unwrap();
    }
    let (first, second) = (session(1, &user(1)).sid, session(2, &user(1)).sid);
    let wish = |sid, old: &PasswordHash, epoch| NewPassword {
        user: user(1).id,
        hash: PasswordHash::new("$late".into()),
        at: at(30),
        asked_by: Some(AskedBy { sid, epoch: Epoch(epoch), old: old.clone() }),
    };
    let refused = async |new: NewPassword| store.set_password(new).await.unwrap().is_none();
    store.revoke_session(first, EndReason::EndedByUser, at(20)).await.unwrap();
    assert!(refused(wish(first, &old, 1)).await, "its session has ended");
    assert!(refused(wish(session(3, &user(1)).sid, &old, 1)).await, "there is no such session");
    assert!(refused(wish(second, &PasswordHash::new("$other".into()), 1)).await, "another password by now");
    assert!(refused(wish(second, &old, 2)).await, "another epoch");
    assert_eq!(hash(&store.user(&user(1).id).await.unwrap().unwrap()), Some(old.expose()));
    assert!(
        store.session(second).await.unwrap().unwrap().session.ended.is_none(),
        "and nobody is logged out"
    );
    assert!(store.set_password(wish(second, &old, 1)).await.unwrap().is_some(), "this one stands");

    with_user(store, &user(2)).await;
    store.open_session(&session(4, &user(2)), None, None).await.unwrap();
    store.set_disabled(&user(2).id, true, at(20)).await.unwrap().unwrap();
    let asked_by = AskedBy { sid: session(4, &user(2)).sid, epoch: Epoch(2), old: user(2).password.unwrap() };
    let new = NewPassword {
        user: user(2).id,
        hash: PasswordHash::new("$late".into()),
        at: at(30),
        asked_by: Some(asked_by),
    };
    assert!(refused(new).await, "the user is disabled");
}

/// F04: stronger parameters replace the hash they were computed for, never a newer password.
pub(crate) async fn f04_a_hash_is_upgraded_only_if_it_is_still_the_same<S: Store>(store: &S) {
    with_user(store, &user(1)).await;
    store.open_session(&session(1, &user(1)), None, None).await.unwrap();
    let id = user(1).id;
    let (old, better, wrong) = (user(1).password.unwrap(), "$better", PasswordHash::new("$other".into()));
    store.upgrade_password(&id, &wrong, &PasswordHash::new("$lost".into())).await.unwrap();
    assert_eq!(hash(&store.user(&id).await.unwrap().unwrap()), Some(old.expose()));
    store.upgrade_password(&id, &old, &PasswordHash::new(better.into())).await.unwrap();
    let held = store.session(session(1, &user(1)).sid).await.unwrap().unwrap();
    assert_eq!(hash(&held.user), Some(better));
    assert!(held.session.ended.is_none() && held.user.epoch.0 == 1, "no reason to log anybody out");
}

/// D11: disabling kills all sessions.
pub(crate) async fn d11_disabling_ends_every_session_and_enabling_revives_none<S: Store>(store: &S) {
    with_user(store, &user(1)).await;
    let sid = session(1, &user(1)).sid;
    store.open_session(&session(1, &user(1)), None, None).await.unwrap();
    let revoked = store.set_disabled(&user(1).id, true, at(20)).await.unwrap().unwrap();
    assert_eq!((revoked.epoch.0, revoked.ended), (2, vec![sid]));
    let held = store.session(sid).await.unwrap().unwrap();
    assert_eq!(held.user.disabled_at, Some(at(20)));
    assert_eq!(held.session.ended.unwrap().reason, EndReason::UserDisabled);
    // Again: since when stays true.
    store.set_disabled(&user(1).id, true, at(30)).await.unwrap().unwrap();
    assert_eq!(store.user(&user(1).id).await.unwrap().unwrap().disabled_at, Some(at(20)));

    let before = store.user(&user(1).id).await.unwrap().unwrap().epoch;
    let enabled = store.set_disabled(&user(1).id, false, at(40)).await.unwrap().unwrap();
    assert_eq!((enabled.epoch, enabled.ended), (before, vec![]));
    let held = store.session(sid).await.unwrap().unwrap();
    assert!(held.user.disabled_at.is_none() && held.session.ended.is_some());
}

pub(crate) async fn verbs_on_nobody_change_nothing<S: Store>(store: &S) {
    let id = user(1).id;
    let new =
        NewPassword { user: id.clone(), hash: PasswordHash::new("$x".into()), at: at(1), asked_by: None };
    assert!(store.set_password(new).await.unwrap().is_none());
    assert!(store.set_disabled(&id, true, at(1)).await.unwrap().is_none());
    assert!(store.set_disabled(&id, false, at(1)).await.unwrap().is_none());
    assert!(store.revoke_user(&id, EndReason::LogoutAll, at(1)).await.unwrap().is_none());
    assert!(store.sessions_of(&id, true).await.unwrap().is_empty());
    assert!(store.users(None, 10).await.unwrap().rows.is_empty());
}

/// A21: a user elsewhere is known by issuer and subject, and is nobody else's whatever address comes along.
pub(crate) async fn a21_an_identity_is_one_users<S: Store>(store: &S) {
    let identity = |iss, sub| Identity::parse(iss, sub).unwrap();
    let ada = identity("https://a.test", "1");
    assert!(store.user_by_identity(&ada).await.unwrap().is_none());
    let created = store.identify(&ada, NewUser { user: user(1) }).await.unwrap();
    assert!(matches!(&created, Identified::Created(u) if u.id == user(1).id), "{created:?}");
    same(&store.user_by_identity(&ada).await.unwrap().unwrap(), &user(1));
    // Once more, with another user at hand: the one who is there, and nobody is created.
    let again = store.identify(&ada, NewUser { user: user(2) }).await.unwrap();
    assert!(matches!(&again, Identified::Known(u) if u.id == user(1).id), "{again:?}");
    assert!(store.user(&user(2).id).await.unwrap().is_none());
    // Another issuer's equal subject does not get at the account by its address.
    let other = identity("https://b.test", "1");
    let rival = User { email: user(1).email, ..user(3) };
    assert!(matches!(store.identify(&other, NewUser { user: rival }).await.unwrap(), Identified::EmailTaken));
    assert!(store.user_by_identity(&other).await.unwrap().is_none());
}
