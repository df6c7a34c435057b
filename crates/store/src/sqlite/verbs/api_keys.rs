//! API keys.

use countersign_core::domain::api_key::{AddressList, ApiKey, ApiKeyId, HeldKey, KeyName, NetworkTag};
use countersign_core::domain::id::UserId;
use countersign_core::domain::scope::ScopeSet;
use countersign_core::domain::time::Timestamp;
use countersign_core::port::{KeyCreated, KeyUse};
use rusqlite::{Connection, params};

use crate::networks::merge;
use crate::sqlite::error::{Sql, SqlError};
use crate::sqlite::row::{Columns, all, first, run, user, user_columns};

/// Columns that [`held`] reads, before those of the owner.
macro_rules! select_held {
    ($rest:literal) => {
        concat!(
            "SELECT k.id, k.owner, k.name, k.hash, k.last4, k.scope, k.addresses, k.created_at, k.expires_at, \
             k.revoked_at, k.last_used_at, k.networks, ",
            user_columns!(),
            " FROM api_keys AS k JOIN users AS u ON u.id = k.owner ",
            $rest
        )
    };
}

pub(in crate::sqlite) fn create(connection: &Connection, key: &ApiKey, limit: u32) -> Sql<KeyCreated> {
    let at = key.created_at.as_millis();
    let owner = "SELECT count(*) FROM users WHERE id = ?1 AND disabled_at IS NULL";
    if first(connection, owner, [key.owner.as_str()], |columns| columns.next::<u32>())? != Some(1) {
        return Ok(KeyCreated::NoOwner);
    }
    let sql = "INSERT INTO api_keys (id, owner, name, hash, last4, scope, addresses, created_at, expires_at, networks)
               SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10
               WHERE ?11 > (SELECT count(*) FROM api_keys WHERE owner = ?2 AND revoked_at IS NULL AND expires_at > ?8)";
    let params = params![
        key.id.as_bytes(),
        key.owner.as_str(),
        key.name.as_str(),
        key.hash,
        key.last4,
        key.scope.to_string(),
        addresses(&key.addresses),
        at,
        key.expires_at.as_millis(),
        key.networks.concat(),
        limit,
    ];
    Ok(if run(connection, sql, params)? == 1 { KeyCreated::Created } else { KeyCreated::LimitReached })
}

pub(in crate::sqlite) fn by_id(connection: &Connection, id: ApiKeyId) -> Sql<Option<HeldKey>> {
    first(connection, select_held!("WHERE k.id = ?1"), [id.as_bytes()], held)
}

pub(in crate::sqlite) fn list(connection: &Connection, owner: Option<&UserId>) -> Sql<Vec<HeldKey>> {
    match owner {
        Some(owner) => {
            let sql = select_held!("WHERE k.owner = ?1 ORDER BY k.created_at DESC, k.id LIMIT 1000");
            all(connection, sql, [owner.as_str()], held)
        }
        None => all(connection, select_held!("ORDER BY k.created_at DESC, k.id LIMIT 1000"), [], held),
    }
}

pub(in crate::sqlite) fn revoke(
    connection: &Connection,
    id: ApiKeyId,
    owner: Option<&UserId>,
    at: Timestamp,
) -> Sql<Option<ApiKey>> {
    let sql = "UPDATE api_keys SET revoked_at = coalesce(revoked_at, ?2) WHERE id = ?1 AND owner = coalesce(?3, owner)";
    let params = params![id.as_bytes(), at.as_millis(), owner.map(UserId::as_str)];
    if run(connection, sql, params)? == 0 {
        return Ok(None);
    }
    Ok(by_id(connection, id)?.map(|held| held.key))
}

pub(in crate::sqlite) fn revoke_all_of(
    connection: &Connection,
    owner: &UserId,
    at: Timestamp,
) -> Sql<Vec<ApiKeyId>> {
    let sql = "UPDATE api_keys SET revoked_at = ?2 WHERE owner = ?1 AND revoked_at IS NULL RETURNING id";
    all(connection, sql, params![owner.as_str(), at.as_millis()], id)
}

pub(in crate::sqlite) fn note_uses(connection: &Connection, uses: &[KeyUse]) -> Sql<()> {
    for used in uses {
        let key = used.id.as_bytes();
        if let Some(at) = used.at {
            let sql = "UPDATE api_keys SET last_used_at = ?2
                       WHERE id = ?1 AND (last_used_at IS NULL OR last_used_at < ?2)";
            run(connection, sql, params![key, at.as_millis()])?;
        }
        if used.networks.is_empty() {
            continue;
        }
        let sql = "SELECT networks FROM api_keys WHERE id = ?1";
        if let Some(known) = first(connection, sql, [key], networks)? {
            let merged = merge(known, &used.networks);
            run(
                connection,
                "UPDATE api_keys SET networks = ?2 WHERE id = ?1",
                params![key, merged.concat()],
            )?;
        }
    }
    Ok(())
}

fn held(columns: &mut Columns<'_>) -> Sql<HeldKey> {
    let key = ApiKey {
        id: id(columns)?,
        owner: columns.text("api_keys.owner", UserId::parse)?,
        name: columns.text("api_keys.name", KeyName::parse)?,
        hash: columns.next()?,
        last4: columns.next()?,
        scope: columns.text("api_keys.scope", |text| ScopeSet::parse(text).ok())?,
        addresses: columns
            .text("api_keys.addresses", |text| AddressList::parse(text.split_whitespace()).ok())?,
        created_at: columns.instant()?,
        expires_at: columns.instant()?,
        revoked_at: columns.optional_instant()?,
        last_used_at: columns.optional_instant()?,
        networks: networks(columns)?,
    };
    Ok(HeldKey { key, owner: user(columns)? })
}

fn id(columns: &mut Columns<'_>) -> Sql<ApiKeyId> {
    columns.next().map(ApiKeyId::from_bytes)
}

fn networks(columns: &mut Columns<'_>) -> Sql<Vec<NetworkTag>> {
    let bytes: Vec<u8> = columns.next()?;
    let (tags, rest) = bytes.as_chunks::<8>();
    if rest.is_empty() { Ok(tags.to_vec()) } else { Err(SqlError::Unreadable("api_keys.networks")) }
}

fn addresses(list: &AddressList) -> String {
    list.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}
