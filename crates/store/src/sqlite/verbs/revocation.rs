//! Ending sessions, raising epochs, and what a node must remember of both.

use countersign_core::domain::id::{Epoch, Sid, UserId};
use countersign_core::domain::session::{EndReason, Ended};
use countersign_core::domain::time::Timestamp;
use countersign_core::port::{RevocationsSince, UserRevoked};
use rusqlite::{Connection, params};

use crate::sqlite::error::Sql;
use crate::sqlite::row::{abandoned_from_blob, all, first, run, sid as read_sid};

pub(in crate::sqlite) fn end_session(
    connection: &Connection,
    sid: Sid,
    reason: EndReason,
    at: Timestamp,
) -> Sql<Option<Ended>> {
    let sql = "UPDATE sessions SET ended_at = ?2, ended_reason = ?3 WHERE sid = ?1 AND ended_at IS NULL";
    let changed = run(connection, sql, params![sid.as_bytes(), at.as_millis(), reason.as_str()])?;
    Ok((changed == 1).then_some(Ended { at, reason }))
}

pub(in crate::sqlite) fn end_others(
    connection: &Connection,
    user: &UserId,
    keep: Sid,
    reason: EndReason,
    at: Timestamp,
) -> Sql<Vec<Sid>> {
    let sql = "UPDATE sessions SET ended_at = ?3, ended_reason = ?4
               WHERE user_id = ?1 AND sid <> ?2 AND ended_at IS NULL RETURNING sid";
    let params = params![user.as_str(), keep.as_bytes(), at.as_millis(), reason.as_str()];
    all(connection, sql, params, read_sid)
}

pub(in crate::sqlite) fn end_user(
    connection: &Connection,
    user: &UserId,
    reason: EndReason,
    at: Timestamp,
) -> Sql<Option<UserRevoked>> {
    // Two nodes' clocks may differ; the later instant keeps the raise inside every reader's window.
    let raise = "UPDATE users SET epoch = epoch + 1, epoch_at = max(coalesce(epoch_at, ?2), ?2) WHERE id = ?1
                 RETURNING epoch";
    let params = params![user.as_str(), at.as_millis()];
    let Some(epoch) = first(connection, raise, params, |columns| columns.next().map(Epoch))? else {
        return Ok(None);
    };
    let end = "UPDATE sessions SET ended_at = ?2, ended_reason = ?3 WHERE user_id = ?1 AND ended_at IS NULL
               RETURNING sid";
    let ended = all(connection, end, params![user.as_str(), at.as_millis(), reason.as_str()], read_sid)?;
    Ok(Some(UserRevoked { epoch, ended }))
}

pub(in crate::sqlite) fn end_everyone(
    connection: &Connection,
    reason: EndReason,
    at: Timestamp,
) -> Sql<Vec<Sid>> {
    let raise = "UPDATE users SET epoch = epoch + 1, epoch_at = max(coalesce(epoch_at, ?1), ?1)";
    run(connection, raise, [at.as_millis()])?;
    let end = "UPDATE sessions SET ended_at = ?1, ended_reason = ?2 WHERE ended_at IS NULL RETURNING sid";
    all(connection, end, params![at.as_millis(), reason.as_str()], read_sid)
}

pub(in crate::sqlite) fn since(
    connection: &Connection,
    since: Timestamp,
    now: Timestamp,
) -> Sql<RevocationsSince> {
    // One snapshot for the three parts: a Reissue and a revocation between two reads must not both be missed.
    let snapshot = connection.unchecked_transaction()?;
    let ended = all(
        &snapshot,
        "SELECT sid, ended_at FROM sessions WHERE ended_at >= ?1",
        [since.as_millis()],
        |columns| Ok((read_sid(columns)?, columns.instant()?)),
    )?;
    let epochs = all(
        &snapshot,
        "SELECT id, epoch, epoch_at FROM users WHERE epoch_at >= ?1
         UNION ALL SELECT id, epoch, removed_at FROM removed_users WHERE removed_at >= ?1",
        [since.as_millis()],
        |columns| {
            let user = columns.text("users.id", UserId::parse)?;
            Ok((user, Epoch(columns.next()?), columns.instant()?))
        },
    )?;
    let records = all(
        &snapshot,
        "SELECT sid, abandoned FROM sessions WHERE abandoned_until > ?1",
        [now.as_millis()],
        |columns| Ok((read_sid(columns)?, abandoned_from_blob(&columns.next::<Vec<u8>>()?)?)),
    )?;
    let abandoned = records
        .into_iter()
        .flat_map(|(sid, ranges)| ranges.into_iter().map(move |range| (sid, range)))
        .filter(|(_, range)| range.until > now)
        .collect();
    Ok(RevocationsSince { ended, epochs, abandoned })
}
