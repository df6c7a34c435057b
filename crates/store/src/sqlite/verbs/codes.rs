//! Single-use codes. Only hashes are stored (D08, F09).

use countersign_core::domain::scope::ScopeSet;
use countersign_core::domain::time::Timestamp;
use countersign_core::domain::user::{Email, PasswordHash, User};
use countersign_core::port::{Accepted, Code, CodeKind};
use rusqlite::{Connection, params};

use super::users;
use crate::sqlite::error::Sql;
use crate::sqlite::row::{Columns, first, run};

pub(in crate::sqlite) fn put(connection: &Connection, code: &Code) -> Sql<()> {
    if code.kind == CodeKind::Invite {
        drop_invitations(connection, &code.email)?;
    }
    let sql =
        "INSERT INTO codes (hash, kind, email, password, scope, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let params = params![
        code.hash,
        code.kind.as_str(),
        code.email.as_str(),
        code.password.as_ref().map(PasswordHash::expose),
        code.scope.to_string(),
        code.expires_at.as_millis(),
    ];
    run(connection, sql, params)?;
    Ok(())
}

pub(in crate::sqlite) fn consume(
    connection: &Connection,
    hash: &[u8; 32],
    kind: CodeKind,
    at: Timestamp,
) -> Sql<Option<Code>> {
    let sql = "DELETE FROM codes WHERE hash = ?1 AND kind = ?2 AND expires_at > ?3
               RETURNING email, password, scope, expires_at";
    first(connection, sql, params![hash, kind.as_str(), at.as_millis()], |c| read(c, hash, kind))
}

pub(in crate::sqlite) fn find(
    connection: &Connection,
    hash: &[u8; 32],
    kind: CodeKind,
    at: Timestamp,
) -> Sql<Option<Code>> {
    let sql = "SELECT email, password, scope, expires_at FROM codes
               WHERE hash = ?1 AND kind = ?2 AND expires_at > ?3";
    first(connection, sql, params![hash, kind.as_str(), at.as_millis()], |c| read(c, hash, kind))
}

fn read(columns: &mut Columns<'_>, hash: &[u8; 32], kind: CodeKind) -> Sql<Code> {
    Ok(Code {
        hash: *hash,
        kind,
        email: columns.text("codes.email", |text| Email::parse(text).ok())?,
        password: columns.next::<Option<String>>()?.map(PasswordHash::new),
        scope: columns.text("codes.scope", |text| ScopeSet::parse(text).ok())?,
        expires_at: columns.instant()?,
    })
}

fn drop_invitations(connection: &Connection, email: &Email) -> Sql<()> {
    let sql = "DELETE FROM codes WHERE kind = ?1 AND email = ?2";
    run(connection, sql, params![CodeKind::Invite.as_str(), email.as_str()])?;
    Ok(())
}

pub(in crate::sqlite) fn accept_invitation(
    connection: &Connection,
    hash: &[u8; 32],
    user: User,
    at: Timestamp,
) -> Sql<Accepted> {
    let sql = "SELECT scope FROM codes WHERE hash = ?1 AND kind = ?2 AND email = ?3 AND expires_at > ?4";
    let key = params![hash, CodeKind::Invite.as_str(), user.email.as_str(), at.as_millis()];
    let scope = first(connection, sql, key, |columns| {
        columns.text("codes.scope", |text| ScopeSet::parse(text).ok())
    })?;
    let Some(scope) = scope else { return Ok(Accepted::NoInvitation) };
    let user = User { scope, ..user };
    if !users::create(connection, &user)? {
        return Ok(Accepted::Taken);
    }
    drop_invitations(connection, &user.email)?;
    Ok(Accepted::Created(user))
}
