//! Single-use codes. Only hashes are stored (D08, F09).

use countersign_core::domain::scope::ScopeSet;
use countersign_core::domain::time::Timestamp;
use countersign_core::domain::user::{Email, PasswordHash};
use countersign_core::port::{Code, CodeKind};
use rusqlite::{Connection, params};

use crate::sqlite::error::Sql;
use crate::sqlite::row::{first, run};

pub(in crate::sqlite) fn put(connection: &Connection, code: &Code) -> Sql<()> {
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
    first(connection, sql, params![hash, kind.as_str(), at.as_millis()], |columns| {
        Ok(Code {
            hash: *hash,
            kind,
            email: columns.text("codes.email", |text| Email::parse(text).ok())?,
            password: columns.next::<Option<String>>()?.map(PasswordHash::new),
            scope: columns.text("codes.scope", |text| ScopeSet::parse(text).ok())?,
            expires_at: columns.instant()?,
        })
    })
}
