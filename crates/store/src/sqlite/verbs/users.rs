//! Users.

use countersign_core::domain::id::UserId;
use countersign_core::domain::identity::Identity;
use countersign_core::domain::session::EndReason;
use countersign_core::domain::time::Timestamp;
use countersign_core::domain::user::{Email, PasswordHash, User};
use countersign_core::port::{Identified, NewPassword, Page, UserRevoked};
use rusqlite::{Connection, params};

use super::revocation;
use crate::sqlite::error::Sql;
use crate::sqlite::row::{all, first, run, user, user_columns};

pub(in crate::sqlite) fn create(connection: &Connection, new: &User) -> Sql<bool> {
    // Only the address may be taken; an id that exists already stays an error.
    let sql = "INSERT INTO users (id, email, email_verified, scope, epoch, password, created_at, disabled_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (email) DO NOTHING";
    let params = params![
        new.id.as_str(),
        new.email.as_str(),
        new.email_verified,
        new.scope.to_string(),
        new.epoch.0,
        new.password.as_ref().map(PasswordHash::expose),
        new.created_at.as_millis(),
        new.disabled_at.map(Timestamp::as_millis),
    ];
    Ok(run(connection, sql, params)? == 1)
}

pub(in crate::sqlite) fn by_id(connection: &Connection, id: &UserId) -> Sql<Option<User>> {
    const SQL: &str = concat!("SELECT ", user_columns!(), " FROM users AS u WHERE u.id = ?1");
    first(connection, SQL, [id.as_str()], user)
}

pub(in crate::sqlite) fn by_email(connection: &Connection, email: &Email) -> Sql<Option<User>> {
    const SQL: &str = concat!("SELECT ", user_columns!(), " FROM users AS u WHERE u.email = ?1");
    first(connection, SQL, [email.as_str()], user)
}

pub(in crate::sqlite) fn by_identity(connection: &Connection, identity: &Identity) -> Sql<Option<User>> {
    const SQL: &str = concat!(
        "SELECT ",
        user_columns!(),
        " FROM identities AS i JOIN users AS u ON u.id = i.user_id WHERE i.issuer = ?1 AND i.subject = ?2"
    );
    first(connection, SQL, [identity.issuer(), identity.subject()], user)
}

pub(in crate::sqlite) fn identify(
    connection: &Connection,
    identity: &Identity,
    new: User,
) -> Sql<Identified> {
    if let Some(known) = by_identity(connection, identity)? {
        return Ok(Identified::Known(known));
    }
    if !create(connection, &new)? {
        return Ok(Identified::EmailTaken);
    }
    let sql = "INSERT INTO identities (issuer, subject, user_id, created_at) VALUES (?1, ?2, ?3, ?4)";
    let created_at = new.created_at.as_millis();
    run(connection, sql, params![identity.issuer(), identity.subject(), new.id.as_str(), created_at])?;
    Ok(Identified::Created(new))
}

pub(in crate::sqlite) fn page(connection: &Connection, after: Option<&Email>, limit: u32) -> Sql<Page<User>> {
    const SQL: &str =
        concat!("SELECT ", user_columns!(), " FROM users AS u WHERE u.email > ?1 ORDER BY u.email LIMIT ?2");
    // Every address sorts after the empty text. One row more than asked for tells whether there are more.
    let after = after.map_or("", Email::as_str);
    let mut rows = all(connection, SQL, params![after, i64::from(limit) + 1], user)?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    Ok(Page { rows, more })
}

pub(in crate::sqlite) fn set_password(
    connection: &Connection,
    new: &NewPassword,
) -> Sql<Option<UserRevoked>> {
    let changed = match &new.asked_by {
        None => {
            let sql = "UPDATE users SET password = ?2 WHERE id = ?1";
            run(connection, sql, params![new.user.as_str(), new.hash.expose()])?
        }
        Some(asked) => {
            let sql = "UPDATE users SET password = ?2 WHERE id = ?1 AND password = ?3 AND epoch = ?4 AND disabled_at IS NULL \
                       AND EXISTS (SELECT 1 FROM sessions WHERE sid = ?5 AND user_id = ?1 AND ended_at IS NULL)";
            let (sid, epoch) = (asked.sid.as_bytes(), asked.epoch.0);
            let params = params![new.user.as_str(), new.hash.expose(), asked.old.expose(), epoch, sid];
            run(connection, sql, params)?
        }
    };
    if changed == 0 {
        return Ok(None);
    }
    revocation::end_user(connection, &new.user, EndReason::PasswordChanged, new.at)
}

pub(in crate::sqlite) fn upgrade_password(
    connection: &Connection,
    user: &UserId,
    old: &PasswordHash,
    new: &PasswordHash,
) -> Sql<()> {
    let sql = "UPDATE users SET password = ?3 WHERE id = ?1 AND password = ?2";
    run(connection, sql, params![user.as_str(), old.expose(), new.expose()])?;
    Ok(())
}

pub(in crate::sqlite) fn set_disabled(
    connection: &Connection,
    user: &UserId,
    disabled: bool,
    at: Timestamp,
) -> Sql<Option<UserRevoked>> {
    if disabled {
        let sql = "UPDATE users SET disabled_at = coalesce(disabled_at, ?2) WHERE id = ?1";
        run(connection, sql, params![user.as_str(), at.as_millis()])?;
        return revocation::end_user(connection, user, EndReason::UserDisabled, at);
    }
    run(connection, "UPDATE users SET disabled_at = NULL WHERE id = ?1", [user.as_str()])?;
    Ok(by_id(connection, user)?.map(|user| UserRevoked { epoch: user.epoch, ended: Vec::new() }))
}
