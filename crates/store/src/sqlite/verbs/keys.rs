//! Signing keys and other values sealed under the master secret.

use countersign_core::domain::id::KeyId;
use countersign_core::domain::signing_key::{Algorithm, SigningKey};
use countersign_core::domain::time::Timestamp;
use countersign_core::port::{AddKey, OpenedWith, SealedPlace, SealedValue};
use rusqlite::{Connection, params};

use crate::sqlite::error::{Sql, SqlError};
use crate::sqlite::row::{all, first, run};

pub(in crate::sqlite) fn every(connection: &Connection) -> Sql<Vec<SigningKey>> {
    let sql = "SELECT kid, algorithm, public, sealed, created_at, active_at, revoked_at FROM signing_keys
               ORDER BY created_at, kid";
    all(connection, sql, [], |columns| {
        Ok(SigningKey {
            kid: columns.next()?,
            algorithm: columns.text("signing_keys.algorithm", Algorithm::parse)?,
            public: columns.next()?,
            sealed: columns.next()?,
            created_at: columns.instant()?,
            active_at: columns.instant()?,
            revoked_at: columns.optional_instant()?,
        })
    })
}

pub(in crate::sqlite) fn add(connection: &Connection, key: &SigningKey, when: AddKey) -> Sql<bool> {
    let sql = "INSERT INTO signing_keys (kid, algorithm, public, sealed, created_at, active_at, revoked_at)
               SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7
               WHERE NOT (?8 AND EXISTS (SELECT 1 FROM signing_keys))
                 AND NOT EXISTS (SELECT 1 FROM signing_keys WHERE active_at > ?9 AND revoked_at IS NULL)
               ON CONFLICT (kid) DO NOTHING";
    let none_after = match when {
        AddKey::IfNoneAfter(at) => Some(at.as_millis()),
        AddKey::Always | AddKey::IfFirst => None,
    };
    let params = params![
        key.kid,
        key.algorithm.as_str(),
        key.public,
        key.sealed,
        key.created_at.as_millis(),
        key.active_at.as_millis(),
        key.revoked_at.map(Timestamp::as_millis),
        when == AddKey::IfFirst,
        none_after,
    ];
    Ok(run(connection, sql, params)? == 1)
}

pub(in crate::sqlite) fn hasten(connection: &Connection, kid: &str, at: Timestamp) -> Sql<bool> {
    let sql =
        "UPDATE signing_keys SET active_at = ?2 WHERE kid = ?1 AND active_at > ?2 AND revoked_at IS NULL";
    Ok(run(connection, sql, params![kid, at.as_millis()])? == 1)
}

pub(in crate::sqlite) fn revoke(connection: &Connection, kid: &str, at: Timestamp) -> Sql<bool> {
    let sql = "UPDATE signing_keys SET revoked_at = coalesce(revoked_at, ?2) WHERE kid = ?1";
    Ok(run(connection, sql, params![kid, at.as_millis()])? == 1)
}

pub(in crate::sqlite) fn sealed(connection: &Connection, name: &str) -> Sql<Option<Vec<u8>>> {
    first(connection, "SELECT value FROM sealed WHERE name = ?1", [name], |columns| columns.next())
}

pub(in crate::sqlite) fn put_sealed(connection: &Connection, name: &str, value: &[u8]) -> Sql<Vec<u8>> {
    let sql = "INSERT INTO sealed (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING";
    run(connection, sql, params![name, value])?;
    sealed(connection, name)?.ok_or(SqlError::Unreadable("sealed.value"))
}

pub(in crate::sqlite) fn every_sealed(connection: &Connection) -> Sql<Vec<SealedValue>> {
    let sql =
        "SELECT 1, kid, sealed FROM signing_keys UNION ALL SELECT 0, name, value FROM sealed ORDER BY 1, 2";
    all(connection, sql, [], |columns| {
        let place = if columns.next()? { SealedPlace::SigningKey } else { SealedPlace::Value };
        Ok(SealedValue { place, name: columns.next()?, value: columns.next()? })
    })
}

pub(in crate::sqlite) fn reseal(connection: &Connection, old: &SealedValue, new: &[u8]) -> Sql<bool> {
    let sql = match old.place {
        SealedPlace::SigningKey => "UPDATE signing_keys SET sealed = ?3 WHERE kid = ?1 AND sealed = ?2",
        SealedPlace::Value => "UPDATE sealed SET value = ?3 WHERE name = ?1 AND value = ?2",
    };
    Ok(run(connection, sql, params![old.name, old.value, new])? == 1)
}

pub(in crate::sqlite) fn opened_with(
    connection: &Connection,
    now: Timestamp,
    used_since: Timestamp,
) -> Sql<Vec<OpenedWith>> {
    let sql = "SELECT master_key, count(*), max(expires_at) FROM sessions
               WHERE ended_at IS NULL AND expires_at > ?1 AND seen_at >= ?2
               GROUP BY master_key ORDER BY master_key";
    all(connection, sql, params![now.as_millis(), used_since.as_millis()], |columns| {
        Ok(OpenedWith {
            master_key: KeyId(columns.next()?),
            sessions: columns.next::<i64>()?.unsigned_abs(),
            until: columns.instant()?,
        })
    })
}
