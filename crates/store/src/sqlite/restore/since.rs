//! What the replaced database had ended since the copy was made. A copy that is put in place as it is would bring it all
//! back: a signing key that leaked, a user who was thrown out, an API key that was found in a repository.

use std::path::Path;

use countersign_core::domain::id::UserId;
use countersign_core::domain::scope::ScopeSet;
use countersign_core::domain::time::Timestamp;
use rusqlite::{Connection, Params, params};

use crate::sqlite::error::{Sql, SqlError};
use crate::sqlite::open::{self, OpenError, Tuning};
use crate::sqlite::row::{Columns, all, each, first, run};
use crate::sqlite::verbs::{accounts, users};

/// What the replaced database had ended and the copy has not.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EndedSince {
    /// Signing keys that were retired at once, by `kid`.
    pub signing_keys: Vec<String>,
    /// Users who were erased, by address.
    pub removed_users: Vec<String>,
    /// Users who were disabled, by address.
    pub disabled_users: Vec<String>,
    /// Users who have another password since, by address.
    pub passwords: Vec<String>,
    /// Users who lost scopes, by address, and which.
    pub scopes: Vec<(String, String)>,
    /// API keys that were revoked: id, name, address of the owner.
    pub api_keys: Vec<(String, String, String)>,
    /// How many sessions ended, where the others are to live on.
    pub sessions: usize,
    /// How many users' sessions were ended all at once.
    pub epochs: usize,
}

/// What is known of the database that was replaced.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Replaced {
    /// There was none.
    Nothing,
    /// It was compared with the copy.
    Compared(EndedSince),
    /// It could not be read: the usual reason to restore. What was ended since is not known.
    Unreadable {
        /// What is wrong with it.
        reason: String,
    },
    /// It has no signing key in common with the copy, so that neither comes from the other.
    Unrelated,
}

/// Opens what is to be replaced, with the log of a crash folded in; `None` if there is none.
pub(super) fn open_replaced(path: &Path) -> Result<Option<Connection>, String> {
    if !path.exists() {
        return Ok(None);
    }
    let failed = |error: rusqlite::Error| OpenError::sqlite(path, &error).to_string();
    // One that is not ours, or newer, is not written to either.
    let probe = open::read_only(path).map_err(failed)?;
    if open::version(&probe, path).map_err(|error| error.to_string())? == 0 {
        return Ok(None);
    }
    drop(probe);
    let old = open::connect(path, Tuning::default()).map_err(failed)?;
    let finding: String = old.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(failed)?;
    if finding == "ok" { Ok(Some(old)) } else { Err(finding) }
}

/// Finds what `old` had ended and `copy` has not, and with `keep` ends it in `copy` too, inside its transaction.
/// Of sessions only where they are to live: everybody's end otherwise.
pub(super) fn compare(old: &Connection, copy: &Connection, keep: bool, with_sessions: bool) -> Sql<Replaced> {
    let keys = "SELECT kid FROM signing_keys";
    let known: Vec<String> = all(copy, keys, [], |columns| columns.next())?;
    let theirs: Vec<String> = all(old, keys, [], |columns| columns.next())?;
    if !theirs.iter().any(|kid| known.contains(kid)) {
        return Ok(Replaced::Unrelated);
    }
    let mut found = EndedSince::default();
    signing_keys(old, copy, keep, &mut found)?;
    if has_table(old, "removed_users")? {
        removed(old, copy, keep, &mut found)?;
    }
    changed_users(old, copy, keep, &mut found)?;
    if has_table(old, "api_keys")? {
        api_keys(old, copy, keep, &mut found)?;
    }
    if with_sessions {
        sessions(old, copy, keep, &mut found)?;
    }
    Ok(Replaced::Compared(found))
}

/// The replaced database may be of an earlier version.
fn has_table(old: &Connection, name: &str) -> Sql<bool> {
    let sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1";
    is_there(old, sql, [name])
}

fn is_there(connection: &Connection, sql: &str, params: impl Params) -> Sql<bool> {
    Ok(first(connection, sql, params, |_| Ok(()))?.is_some())
}

fn signing_keys(old: &Connection, copy: &Connection, keep: bool, found: &mut EndedSince) -> Sql<()> {
    let sql = "SELECT kid, revoked_at FROM signing_keys WHERE revoked_at IS NOT NULL";
    for (kid, at) in all(old, sql, [], |columns| Ok((columns.next::<String>()?, columns.instant()?)))? {
        let live = "SELECT 1 FROM signing_keys WHERE kid = ?1 AND revoked_at IS NULL";
        if !is_there(copy, live, [&kid])? {
            continue;
        }
        if keep {
            let sql = "UPDATE signing_keys SET revoked_at = ?2 WHERE kid = ?1";
            run(copy, sql, params![kid, at.as_millis()])?;
        }
        found.signing_keys.push(kid);
    }
    Ok(())
}

fn removed(old: &Connection, copy: &Connection, keep: bool, found: &mut EndedSince) -> Sql<()> {
    let sql = "SELECT id, epoch, removed_at FROM removed_users";
    let read = |columns: &mut Columns<'_>| {
        let id = columns.text("removed_users.id", UserId::parse)?;
        Ok((id, columns.next::<u32>()?, columns.instant()?))
    };
    for (id, epoch, at) in all(old, sql, [], read)? {
        let Some(user) = users::by_id(copy, &id)? else { continue };
        if keep {
            accounts::remove(copy, &id, at)?;
            let sql = "UPDATE removed_users SET epoch = max(epoch, ?2) WHERE id = ?1";
            run(copy, sql, params![id.as_str(), epoch])?;
        }
        found.removed_users.push(user.email.to_string());
    }
    Ok(())
}

/// A user of the replaced database whose epoch was ever raised.
struct Raised {
    id: UserId,
    epoch: u32,
    epoch_at: Timestamp,
    scope: ScopeSet,
    password: Option<String>,
    disabled_at: Option<Timestamp>,
}

/// Whatever takes something from a user raises the epoch: a lower one in the copy says that it happened since, not before.
fn changed_users(old: &Connection, copy: &Connection, keep: bool, found: &mut EndedSince) -> Sql<()> {
    // Row by row: after `revoke --all` these are all users there are.
    let sql =
        "SELECT id, epoch, epoch_at, scope, password, disabled_at FROM users WHERE epoch_at IS NOT NULL";
    each(old, sql, [], |columns| {
        let raised = Raised {
            id: columns.text("users.id", UserId::parse)?,
            epoch: columns.next()?,
            epoch_at: columns.instant()?,
            scope: columns.text("users.scope", |text| ScopeSet::parse(text).ok())?,
            password: columns.next()?,
            disabled_at: columns.optional_instant()?,
        };
        let Some(user) = users::by_id(copy, &raised.id)? else { return Ok(()) };
        if raised.epoch <= user.epoch.0 {
            return Ok(());
        }
        let email = user.email.to_string();
        let lost = user.scope.difference(&raised.scope);
        let other_password = raised.password.is_some()
            && raised.password.as_deref() != user.password.as_ref().map(|hash| hash.expose());
        if keep {
            let sql = "UPDATE users SET epoch = ?2, epoch_at = ?3, scope = ?4, disabled_at = coalesce(disabled_at, ?5),
                       password = coalesce(?6, password) WHERE id = ?1";
            let params = params![
                raised.id.as_str(),
                raised.epoch,
                raised.epoch_at.as_millis(),
                user.scope.difference(&lost).to_string(),
                raised.disabled_at.map(Timestamp::as_millis),
                raised.password.filter(|_| other_password),
            ];
            run(copy, sql, params)?;
        }
        found.epochs += 1;
        if raised.disabled_at.is_some() && user.disabled_at.is_none() {
            found.disabled_users.push(email.clone());
        }
        if other_password {
            found.passwords.push(email.clone());
        }
        if !lost.is_empty() {
            found.scopes.push((email, lost.to_string()));
        }
        Ok(())
    })
}

fn api_keys(old: &Connection, copy: &Connection, keep: bool, found: &mut EndedSince) -> Sql<()> {
    let sql = "SELECT id, revoked_at FROM api_keys WHERE revoked_at IS NOT NULL";
    for (id, at) in all(old, sql, [], |columns| Ok((columns.next::<[u8; 12]>()?, columns.instant()?)))? {
        let live = "SELECT k.name, u.email FROM api_keys AS k JOIN users AS u ON u.id = k.owner
                    WHERE k.id = ?1 AND k.revoked_at IS NULL";
        let read = |columns: &mut Columns<'_>| Ok((columns.next::<String>()?, columns.next::<String>()?));
        let Some((name, owner)) = first(copy, live, [id], read)? else { continue };
        if keep {
            run(copy, "UPDATE api_keys SET revoked_at = ?2 WHERE id = ?1", params![id, at.as_millis()])?;
        }
        let id = countersign_core::domain::api_key::ApiKeyId::from_bytes(id).to_string();
        found.api_keys.push((id, name, owner));
    }
    Ok(())
}

fn sessions(old: &Connection, copy: &Connection, keep: bool, found: &mut EndedSince) -> Sql<()> {
    let sql = "SELECT sid, ended_at, ended_reason FROM sessions WHERE ended_at IS NOT NULL";
    each(old, sql, [], |columns| {
        let (sid, at, reason): (Vec<u8>, i64, String) = (columns.next()?, columns.next()?, columns.next()?);
        let live = "SELECT 1 FROM sessions WHERE sid = ?1 AND ended_at IS NULL";
        if !is_there(copy, live, [&sid])? {
            return Ok(());
        }
        if keep {
            let sql = "UPDATE sessions SET ended_at = ?2, ended_reason = ?3 WHERE sid = ?1";
            run(copy, sql, params![sid, at, reason])?;
        }
        found.sessions += 1;
        Ok(())
    })
}

/// What a fault in the comparison says about the database that is being replaced.
pub(super) fn fault(error: &SqlError) -> String {
    match error {
        SqlError::Sqlite(error) => error.to_string(),
        SqlError::Unreadable(column) => format!("column {column} holds no value of ours"),
    }
}
