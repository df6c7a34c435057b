//! What an operator changes about a user: scopes, and whether there is one.

use countersign_core::domain::id::UserId;
use countersign_core::domain::session::EndReason;
use countersign_core::domain::time::Timestamp;
use countersign_core::port::{ScopeChange, ScopeChanged, UserRemoved};
use rusqlite::{Connection, params};

use super::{api_keys, revocation, users};
use crate::sqlite::error::Sql;
use crate::sqlite::row::run;

pub(in crate::sqlite) fn change_scope(
    connection: &Connection,
    user: &UserId,
    change: &ScopeChange,
    at: Timestamp,
) -> Sql<Option<ScopeChanged>> {
    let Some(before) = users::by_id(connection, user)? else { return Ok(None) };
    let scope = change.applied_to(&before.scope);
    if scope != before.scope {
        let sql = "UPDATE users SET scope = ?2 WHERE id = ?1";
        run(connection, sql, params![user.as_str(), scope.to_string()])?;
    }
    let revoked = if scope.covers(&before.scope) {
        None
    } else {
        revocation::end_user(connection, user, EndReason::ScopeReduced, at)?
    };
    let epoch = revoked.as_ref().map_or(before.epoch, |revoked| revoked.epoch);
    let changed = scope != before.scope;
    let user = countersign_core::domain::user::User { scope, epoch, ..before };
    Ok(Some(ScopeChanged { user, changed, revoked }))
}

pub(in crate::sqlite) fn remove(
    connection: &Connection,
    user: &UserId,
    at: Timestamp,
) -> Sql<Option<UserRemoved>> {
    let Some(gone) = users::by_id(connection, user)? else { return Ok(None) };
    let Some(revoked) = revocation::end_user(connection, user, EndReason::EndedByOperator, at)? else {
        return Ok(None);
    };
    let api_keys = api_keys::revoke_all_of(connection, user, at)?;
    // An id that was removed, restored, and removed again.
    let sql = "INSERT INTO removed_users (id, epoch, removed_at) VALUES (?1, ?2, ?3)
               ON CONFLICT (id) DO UPDATE SET epoch = max(epoch, excluded.epoch), removed_at = excluded.removed_at";
    run(connection, sql, params![user.as_str(), revoked.epoch.0, at.as_millis()])?;
    for sql in [
        "DELETE FROM sessions WHERE user_id = ?1",
        "DELETE FROM api_keys WHERE owner = ?1",
        "DELETE FROM identities WHERE user_id = ?1",
        "DELETE FROM devices WHERE user_id = ?1",
        "DELETE FROM users WHERE id = ?1",
    ] {
        run(connection, sql, [user.as_str()])?;
    }
    // An invitation or a sign-up that waits for its mail would make the account again.
    run(connection, "DELETE FROM codes WHERE email = ?1", [gone.email.as_str()])?;
    Ok(Some(UserRemoved { revoked, api_keys }))
}
