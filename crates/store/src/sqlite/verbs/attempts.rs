//! Counted password guesses (F07, F08), and the devices that may guess while an account is throttled.

use countersign_core::domain::id::UserId;
use countersign_core::domain::throttle::{Admission, ThrottleKey, ThrottleRule, ThrottleState};
use countersign_core::domain::time::Timestamp;
use rusqlite::{Connection, params};

use crate::admission::decide;
use crate::sqlite::error::Sql;
use crate::sqlite::row::{first, run};

pub(in crate::sqlite) fn admit(
    connection: &Connection,
    keys: &[(ThrottleKey, ThrottleRule)],
    at: Timestamp,
) -> Sql<Admission> {
    let mut states = Vec::with_capacity(keys.len());
    for (key, rule) in keys {
        let sql = "SELECT count, last_at FROM attempts WHERE key = ?1";
        let state = first(connection, sql, [key.0], |columns| {
            Ok(ThrottleState { count: columns.next()?, last_at: columns.instant()? })
        })?;
        states.push((*key, *rule, state));
    }
    let decision = decide(&states, at);
    for (key, rule, state) in decision.writes {
        let sql = "INSERT INTO attempts (key, count, last_at, stale_at) VALUES (?1, ?2, ?3, ?4)
                   ON CONFLICT (key) DO UPDATE SET
                       count = excluded.count, last_at = excluded.last_at, stale_at = excluded.stale_at";
        let stale_at = at.plus(rule.window);
        run(connection, sql, params![key.0, state.count, state.last_at.as_millis(), stale_at.as_millis()])?;
    }
    Ok(decision.admission)
}

pub(in crate::sqlite) fn forgive(connection: &Connection, key: ThrottleKey) -> Sql<()> {
    run(connection, "UPDATE attempts SET count = count - 1 WHERE key = ?1 AND count > 0", [key.0])?;
    Ok(())
}

pub(in crate::sqlite) fn clear(connection: &Connection, keys: &[ThrottleKey]) -> Sql<()> {
    for key in keys {
        run(connection, "DELETE FROM attempts WHERE key = ?1", [key.0])?;
    }
    Ok(())
}

pub(in crate::sqlite) fn remember_device(
    connection: &Connection,
    user: &UserId,
    device: ThrottleKey,
    at: Timestamp,
) -> Sql<()> {
    let sql = "INSERT INTO devices (user_id, device, seen_at) VALUES (?1, ?2, ?3)
               ON CONFLICT (user_id, device) DO UPDATE SET seen_at = excluded.seen_at";
    run(connection, sql, params![user.as_str(), device.0, at.as_millis()])?;
    Ok(())
}

pub(in crate::sqlite) fn known_device(
    connection: &Connection,
    user: &UserId,
    devices: &[ThrottleKey],
) -> Sql<Option<ThrottleKey>> {
    for device in devices {
        let sql = "SELECT 1 FROM devices WHERE user_id = ?1 AND device = ?2";
        if first(connection, sql, params![user.as_str(), device.0], |_| Ok(()))?.is_some() {
            return Ok(Some(*device));
        }
    }
    Ok(None)
}
