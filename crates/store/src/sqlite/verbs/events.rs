//! Security events, appended and read in order.

use countersign_core::domain::event::{Event, EventFilter, EventName, Outcome};
use countersign_core::domain::id::{EventId, PublicId, RequestId, UserId};
use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};

use crate::sqlite::error::{Sql, SqlError};
use crate::sqlite::row::{Columns, all, ip, run};

pub(in crate::sqlite) fn append(connection: &Connection, events: &[Event]) -> Sql<()> {
    let sql = "INSERT INTO events (id, at, name, outcome, user_id, session, session_tag, ip, request, reason, detail)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    for event in events {
        let params = params![
            event.id.as_str(),
            event.at.as_millis(),
            event.name.as_str(),
            event.outcome.as_str(),
            event.user.as_ref().map(UserId::as_str),
            event.session.as_ref().map(PublicId::as_str),
            event.session_tag,
            event.ip.map(|ip| ip.to_string()),
            event.request.as_ref().map(RequestId::as_str),
            event.reason,
            event.detail,
        ];
        run(connection, sql, params)?;
    }
    Ok(())
}

pub(in crate::sqlite) fn matching(connection: &Connection, filter: &EventFilter) -> Sql<Vec<(u64, Event)>> {
    let mut sql = String::from(
        "SELECT row, id, at, name, outcome, user_id, session, session_tag, ip, request, reason, detail
         FROM events WHERE TRUE",
    );
    // Only these fixed fragments reach the statement; every value is bound.
    let conditions: [(&str, Option<Value>); 5] = [
        (" AND user_id = ?", filter.user.as_ref().map(|id| Value::from(id.as_str().to_owned()))),
        (" AND session = ?", filter.session.as_ref().map(|id| Value::from(id.as_str().to_owned()))),
        (" AND request = ?", filter.request.as_ref().map(|id| Value::from(id.as_str().to_owned()))),
        (" AND at >= ?", filter.since.map(|at| Value::from(at.as_millis()))),
        (" AND row > ?", filter.after.map(|row| Value::from(i64::try_from(row).unwrap_or(i64::MAX)))),
    ];
    let mut values = Vec::new();
    for (condition, value) in conditions {
        if let Some(value) = value {
            sql.push_str(condition);
            values.push(value);
        }
    }
    let following = filter.after.is_some();
    sql.push_str(if following { " ORDER BY row LIMIT ?" } else { " ORDER BY row DESC LIMIT ?" });
    values.push(Value::from(if filter.limit == 0 { 100 } else { i64::from(filter.limit) }));
    let mut found = all(connection, &sql, params_from_iter(values), read)?;
    if !following {
        found.reverse();
    }
    Ok(found)
}

fn read(columns: &mut Columns<'_>) -> Sql<(u64, Event)> {
    let row = u64::try_from(columns.next::<i64>()?).or(Err(SqlError::Unreadable("events.row")))?;
    let event = Event {
        id: columns.text("events.id", EventId::parse)?,
        at: columns.instant()?,
        name: columns.text("events.name", EventName::parse)?,
        outcome: columns.text("events.outcome", Outcome::parse)?,
        user: columns.optional_text("events.user_id", UserId::parse)?,
        session: columns.optional_text("events.session", PublicId::parse)?,
        session_tag: columns.next()?,
        ip: ip(columns, "events.ip")?,
        request: columns.optional_text("events.request", RequestId::parse)?,
        reason: columns.next()?,
        detail: columns.next()?,
    };
    Ok((row, event))
}
