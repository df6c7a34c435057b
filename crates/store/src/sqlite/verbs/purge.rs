//! Deleting what is no longer of use, in bounded batches so that no verb waits long behind it.

use countersign_core::domain::id::UserId;
use countersign_core::domain::time::Timestamp;
use rusqlite::{Connection, params};

use crate::sqlite::error::Sql;
use crate::sqlite::row::run;

pub(in crate::sqlite) fn purge(
    connection: &Connection,
    sessions_before: Timestamp,
    events_before: Timestamp,
    now: Timestamp,
    batch: u32,
) -> Sql<u64> {
    let batch = usize::try_from(batch).unwrap_or(usize::MAX);
    let delete = |sql: &str, before: Timestamp, limit: usize| {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        run(connection, sql, params![before.as_millis(), limit])
    };
    let ended = delete(
        "DELETE FROM sessions WHERE sid IN (SELECT sid FROM sessions WHERE ended_at < ?1 LIMIT ?2)",
        sessions_before,
        batch,
    )?;
    let expired = delete(
        "DELETE FROM sessions WHERE sid IN (SELECT sid FROM sessions WHERE expires_at < ?1 LIMIT ?2)",
        sessions_before,
        batch.saturating_sub(ended),
    )?;
    let revoked_keys = delete(
        "DELETE FROM api_keys WHERE id IN (SELECT id FROM api_keys WHERE revoked_at < ?1 LIMIT ?2)",
        sessions_before,
        batch,
    )?;
    let expired_keys = delete(
        "DELETE FROM api_keys WHERE id IN (SELECT id FROM api_keys WHERE expires_at < ?1 LIMIT ?2)",
        sessions_before,
        batch.saturating_sub(revoked_keys),
    )?;
    let events = delete(
        "DELETE FROM events WHERE row IN (SELECT row FROM events WHERE at < ?1 LIMIT ?2)",
        events_before,
        batch,
    )?;
    let removed = delete(
        "DELETE FROM removed_users WHERE id IN (SELECT id FROM removed_users WHERE removed_at < ?1 LIMIT ?2)",
        events_before,
        batch,
    )?;
    let codes = delete(
        "DELETE FROM codes WHERE hash IN (SELECT hash FROM codes WHERE expires_at <= ?1 LIMIT ?2)",
        now,
        batch,
    )?;
    let attempts = delete(
        "DELETE FROM attempts WHERE key IN (SELECT key FROM attempts WHERE stale_at <= ?1 LIMIT ?2)",
        now,
        batch,
    )?;
    let tokens = delete(
        "DELETE FROM upstream_tokens WHERE (holder, upstream) IN
         (SELECT holder, upstream FROM upstream_tokens WHERE expires_at <= ?1 LIMIT ?2)",
        now,
        batch,
    )?;
    // After the sessions: a user of one session goes when its row has gone. The ids begin alike, so this reads no others.
    let users = run(
        connection,
        "DELETE FROM users WHERE id IN
         (SELECT u.id FROM users AS u WHERE u.id >= ?3 AND u.id < ?4 AND u.created_at < ?1
             AND NOT EXISTS (SELECT 1 FROM sessions WHERE user_id = u.id)
             AND NOT EXISTS (SELECT 1 FROM api_keys WHERE owner = u.id) LIMIT ?2)",
        params![
            sessions_before.as_millis(),
            i64::try_from(batch).unwrap_or(i64::MAX),
            UserId::PASSING,
            UserId::PASSING.replace('_', "`"),
        ],
    )?;
    Ok((users + ended + expired + revoked_keys + expired_keys + events + removed + codes + attempts + tokens)
        as u64)
}
