//! Rows to domain values. Each value is parsed once, here; what does not parse names its column (style rule 1).

use std::net::IpAddr;

use countersign_core::domain::client::ClientId;
use countersign_core::domain::device::Device;
use countersign_core::domain::id::{Epoch, Generation, KeyId, PublicId, Sid, UserId};
use countersign_core::domain::rotation::{Abandoned, RotationRecord};
use countersign_core::domain::scope::ScopeSet;
use countersign_core::domain::session::{EndReason, Ended, Session};
use countersign_core::domain::time::Timestamp;
use countersign_core::domain::user::{Email, PasswordHash, User};
use rusqlite::types::FromSql;
use rusqlite::{Connection, Params, Row};

use super::error::{Sql, SqlError};

/// Columns that [`user`] reads, of `users AS u`.
macro_rules! user_columns {
    () => {
        "u.id, u.email, u.email_verified, u.scope, u.epoch, u.password, u.created_at, u.disabled_at"
    };
}
/// Columns that [`session`] reads, of `sessions AS s`.
macro_rules! session_columns {
    () => {
        "s.sid, s.public_id, s.user_id, s.epoch, s.master_key, s.salt, s.created_at, s.auth_time, s.seen_at, \
         s.expires_at, s.amr, s.scope, s.ip, s.user_agent, s.current, s.previous, s.handed_over_at, \
         s.confirmed_at, s.lost, s.abandoned, s.ended_at, s.ended_reason, s.client"
    };
}
pub(super) use {session_columns, user_columns};

/// Reads a row from left to right.
pub(super) struct Columns<'a> {
    row: &'a Row<'a>,
    at: usize,
}

impl Columns<'_> {
    /// The next column.
    pub(super) fn next<T: FromSql>(&mut self) -> Sql<T> {
        let value = self.row.get(self.at)?;
        self.at += 1;
        Ok(value)
    }

    /// The next column, an instant.
    pub(super) fn instant(&mut self) -> Sql<Timestamp> {
        self.next().map(Timestamp::from_millis)
    }

    /// The next column, an instant or NULL.
    pub(super) fn optional_instant(&mut self) -> Sql<Option<Timestamp>> {
        Ok(self.next::<Option<i64>>()?.map(Timestamp::from_millis))
    }

    /// The next column, text that must parse.
    pub(super) fn text<T>(&mut self, column: &'static str, parse: impl FnOnce(&str) -> Option<T>) -> Sql<T> {
        let text: Box<str> = self.next()?;
        parse(&text).ok_or(SqlError::Unreadable(column))
    }

    /// The next column, text that must parse, or NULL.
    pub(super) fn optional_text<T>(
        &mut self,
        column: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Sql<Option<T>> {
        let text: Option<Box<str>> = self.next()?;
        text.map(|text| parse(&text).ok_or(SqlError::Unreadable(column))).transpose()
    }
}

/// The first row.
pub(super) fn first<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&mut Columns<'_>) -> Sql<T>,
) -> Sql<Option<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    match rows.next()? {
        Some(row) => read(&mut Columns { row, at: 0 }).map(Some),
        None => Ok(None),
    }
}

/// Every row.
pub(super) fn all<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl Fn(&mut Columns<'_>) -> Sql<T>,
) -> Sql<Vec<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(&mut Columns { row, at: 0 })?);
    }
    Ok(found)
}

/// Each row in turn, where all of them would fill the memory.
pub(super) fn each(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    mut visit: impl FnMut(&mut Columns<'_>) -> Sql<()>,
) -> Sql<()> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    while let Some(row) = rows.next()? {
        visit(&mut Columns { row, at: 0 })?;
    }
    Ok(())
}

/// Runs a statement; returns how many rows changed.
pub(super) fn run(connection: &Connection, sql: &str, params: impl Params) -> Sql<usize> {
    Ok(connection.prepare_cached(sql)?.execute(params)?)
}

/// Reads `user_columns!()`.
pub(super) fn user(columns: &mut Columns<'_>) -> Sql<User> {
    Ok(User {
        id: columns.text("users.id", UserId::parse)?,
        email: columns.text("users.email", |text| Email::parse(text).ok())?,
        email_verified: columns.next()?,
        scope: columns.text("users.scope", |text| ScopeSet::parse(text).ok())?,
        epoch: Epoch(columns.next()?),
        password: columns.next::<Option<String>>()?.map(PasswordHash::new),
        created_at: columns.instant()?,
        disabled_at: columns.optional_instant()?,
    })
}

/// Reads `session_columns!()`.
pub(super) fn session(columns: &mut Columns<'_>) -> Sql<Session> {
    Ok(Session {
        sid: sid(columns)?,
        public_id: columns.text("sessions.public_id", PublicId::parse)?,
        user: columns.text("sessions.user_id", UserId::parse)?,
        epoch: Epoch(columns.next()?),
        master_key: KeyId(columns.next()?),
        salt: columns.next()?,
        created_at: columns.instant()?,
        auth_time: columns.instant()?,
        seen_at: columns.instant()?,
        expires_at: columns.instant()?,
        amr: columns.text("sessions.amr", |text| Some(words(text)))?,
        scope: columns.text("sessions.scope", |text| ScopeSet::parse(text).ok())?,
        device: Device { ip: ip(columns, "sessions.ip")?, user_agent: columns.next()? },
        rotation: RotationRecord {
            current: Generation(columns.next()?),
            from: columns.next::<Option<u32>>()?.map(Generation),
            handed_over_at: columns.instant()?,
            confirmed_at: columns.optional_instant()?,
            lost: columns.next()?,
            abandoned: abandoned_from_blob(&columns.next::<Option<Vec<u8>>>()?.unwrap_or_default())?,
        },
        ended: ended(columns)?,
        client: columns.optional_text("sessions.client", ClientId::parse)?,
    })
}

/// Reads a session id.
pub(super) fn sid(columns: &mut Columns<'_>) -> Sql<Sid> {
    columns.next().map(Sid::from_bytes)
}

/// Reads an address or NULL.
pub(super) fn ip(columns: &mut Columns<'_>, column: &'static str) -> Sql<Option<IpAddr>> {
    columns.optional_text(column, |text| text.parse().ok())
}

fn ended(columns: &mut Columns<'_>) -> Sql<Option<Ended>> {
    let at = columns.optional_instant()?;
    let reason = columns.optional_text("sessions.ended_reason", EndReason::parse)?;
    match (at, reason) {
        (Some(at), Some(reason)) => Ok(Some(Ended { at, reason })),
        (None, None) => Ok(None),
        _ => Err(SqlError::Unreadable("sessions.ended_reason")),
    }
}

fn words(text: &str) -> Vec<Box<str>> {
    text.split(' ').filter(|word| !word.is_empty()).map(Box::from).collect()
}

/// Abandoned ranges as stored: 16 bytes each, nothing for none.
pub(super) fn abandoned_to_blob(ranges: &[Abandoned]) -> Option<Vec<u8>> {
    let bytes: Vec<u8> = ranges
        .iter()
        .flat_map(|range| {
            let (first, last) = (range.first.0.to_be_bytes(), range.last.0.to_be_bytes());
            first.into_iter().chain(last).chain(range.until.as_millis().to_be_bytes())
        })
        .collect();
    (!bytes.is_empty()).then_some(bytes)
}

/// Abandoned ranges from their stored form.
pub(super) fn abandoned_from_blob(bytes: &[u8]) -> Sql<Vec<Abandoned>> {
    let (ranges, rest) = bytes.as_chunks::<16>();
    if !rest.is_empty() {
        return Err(SqlError::Unreadable("sessions.abandoned"));
    }
    Ok(ranges
        .iter()
        .map(|&[a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]| Abandoned {
            first: Generation(u32::from_be_bytes([a, b, c, d])),
            last: Generation(u32::from_be_bytes([e, f, g, h])),
            until: Timestamp::from_millis(i64::from_be_bytes([i, j, k, l, m, n, o, p])),
        })
        .collect())
}
