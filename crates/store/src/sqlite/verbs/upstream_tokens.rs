//! Sealed tokens of upstreams.

use countersign_core::domain::id::KeyId;
use countersign_core::domain::retrofit::Holder;
use countersign_core::port::KeptToken;
use rusqlite::{Connection, params};

use crate::sqlite::error::{Sql, SqlError};
use crate::sqlite::row::{Columns, all, first, run};

const COLUMNS: &str =
    "SELECT holder, upstream, revision, master_key, sealed, expires_at FROM upstream_tokens";

fn read(columns: &mut Columns<'_>) -> Sql<KeptToken> {
    let holder: Vec<u8> = columns.next()?;
    Ok(KeptToken {
        holder: Holder::from_bytes(&holder).ok_or(SqlError::Unreadable("upstream_tokens.holder"))?,
        upstream: columns.next()?,
        revision: columns.next()?,
        master_key: KeyId(columns.next()?),
        sealed: columns.next()?,
        expires_at: columns.instant()?,
    })
}

pub(in crate::sqlite) fn by_holder(
    connection: &Connection,
    holder: Holder,
    upstream: &str,
) -> Sql<Option<KeptToken>> {
    let sql = format!("{COLUMNS} WHERE holder = ?1 AND upstream = ?2");
    first(connection, &sql, params![holder.as_bytes(), upstream], read)
}

pub(in crate::sqlite) fn keep(connection: &Connection, token: &KeptToken, was: Option<i64>) -> Sql<bool> {
    let visitor = matches!(token.holder, Holder::Visitor(_));
    let params = params![
        token.holder.as_bytes(),
        token.upstream,
        token.revision,
        token.master_key.0,
        token.sealed,
        token.expires_at.as_millis(),
        visitor,
        was,
    ];
    let sql = "INSERT INTO upstream_tokens (holder, upstream, revision, master_key, sealed, expires_at)
               SELECT ?1, ?2, ?3, ?4, ?5, ?6
               WHERE (?7 OR EXISTS (SELECT 1 FROM sessions WHERE sid = ?1 AND ended_at IS NULL))
                 AND (?8 IS NULL OR EXISTS
                      (SELECT 1 FROM upstream_tokens WHERE holder = ?1 AND upstream = ?2 AND revision = ?8))
               ON CONFLICT (holder, upstream) DO UPDATE SET revision = excluded.revision,
                   master_key = excluded.master_key, sealed = excluded.sealed, expires_at = excluded.expires_at";
    Ok(run(connection, sql, params)? == 1)
}

pub(in crate::sqlite) fn forget(connection: &Connection, holder: Holder, upstream: &str) -> Sql<()> {
    let sql = "DELETE FROM upstream_tokens WHERE holder = ?1 AND upstream = ?2";
    run(connection, sql, params![holder.as_bytes(), upstream])?;
    Ok(())
}

pub(in crate::sqlite) fn counted(connection: &Connection) -> Sql<Vec<(KeyId, u64)>> {
    let sql = "SELECT master_key, count(*) FROM upstream_tokens GROUP BY master_key ORDER BY master_key";
    all(connection, sql, [], |columns| Ok((KeyId(columns.next()?), columns.next::<i64>()?.unsigned_abs())))
}

pub(in crate::sqlite) fn under(connection: &Connection, key: KeyId, limit: u32) -> Sql<Vec<KeptToken>> {
    let sql = format!("{COLUMNS} WHERE master_key = ?1 ORDER BY holder, upstream LIMIT ?2");
    all(connection, &sql, params![key.0, limit], read)
}
