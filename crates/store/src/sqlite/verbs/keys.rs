//! Signing keys and other values sealed under the master secret.

use countersign_core::domain::signing_key::{Algorithm, SigningKey};
use countersign_core::domain::time::Timestamp;
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

pub(in crate::sqlite) fn add(connection: &Connection, key: &SigningKey, only_first: bool) -> Sql<bool> {
    let sql = "INSERT INTO signing_keys (kid, algorithm, public, sealed, created_at, active_at, revoked_at)
               SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE NOT ?8 OR NOT EXISTS (SELECT 1 FROM signing_keys)
               ON CONFLICT (kid) DO NOTHING";
    let params = params![
        key.kid,
        key.algorithm.as_str(),
        key.public,
        key.sealed,
        key.created_at.as_millis(),
        key.active_at.as_millis(),
        key.revoked_at.map(Timestamp::as_millis),
        only_first,
    ];
    Ok(run(connection, sql, params)? == 1)
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
