//! Opening and reading sessions.

use countersign_core::domain::id::{PublicId, Sid, UserId};
use countersign_core::domain::session::{EndReason, Held, Session};
use countersign_core::domain::time::Timestamp;
use countersign_core::port::Opening;
use rusqlite::{Connection, params};

use super::{revocation, users};
use crate::sqlite::error::Sql;
use crate::sqlite::row::{
    Columns, abandoned_to_blob, all, first, run, session, session_columns, sid as read_sid, user,
    user_columns,
};

pub(in crate::sqlite) fn open(
    connection: &Connection,
    new: &Session,
    replaces: Option<Sid>,
    limit: Option<(u32, bool)>,
) -> Sql<Opening> {
    let Some(user) = users::by_id(connection, &new.user)? else { return Ok(Opening::NoUser) };
    let Some(surplus) = surplus(connection, new, replaces, limit)? else { return Ok(Opening::LimitReached) };
    for sid in &surplus {
        revocation::end_session(connection, *sid, EndReason::SessionLimit, new.created_at)?;
    }
    if let Some(old) = replaces {
        revocation::end_session(connection, old, EndReason::Replaced, new.created_at)?;
    }
    insert(connection, new)?;
    Ok(Opening::Opened { user, ended: surplus })
}

/// The oldest live sessions that have to end to make room; `None` when the policy is to refuse instead.
fn surplus(
    connection: &Connection,
    new: &Session,
    replaces: Option<Sid>,
    limit: Option<(u32, bool)>,
) -> Sql<Option<Vec<Sid>>> {
    let Some((limit, end_oldest)) = limit else { return Ok(Some(Vec::new())) };
    let sql = "SELECT sid FROM sessions WHERE user_id = ?1 AND ended_at IS NULL AND expires_at > ?2
               ORDER BY created_at, sid";
    let mut live = all(connection, sql, params![new.user.as_str(), new.created_at.as_millis()], read_sid)?;
    live.retain(|sid| Some(*sid) != replaces);
    let room = usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(1);
    if live.len() <= room && limit > 0 {
        return Ok(Some(Vec::new()));
    }
    if !end_oldest {
        return Ok(None);
    }
    live.truncate(live.len().saturating_sub(room));
    Ok(Some(live))
}

fn insert(connection: &Connection, new: &Session) -> Sql<()> {
    let sql = "INSERT INTO sessions (sid, public_id, user_id, epoch, master_key, salt, created_at, auth_time, seen_at,
                   expires_at, amr, scope, ip, user_agent, current, previous, handed_over_at, confirmed_at, lost,
                   abandoned, abandoned_until, ended_at, ended_reason, client)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21,
                   ?22, ?23, ?24)";
    let rotation = &new.rotation;
    let params = params![
        new.sid.as_bytes(),
        new.public_id.as_str(),
        new.user.as_str(),
        new.epoch.0,
        new.master_key.0,
        new.salt,
        new.created_at.as_millis(),
        new.auth_time.as_millis(),
        new.seen_at.as_millis(),
        new.expires_at.as_millis(),
        new.amr.join(" "),
        new.scope.to_string(),
        new.device.ip.map(|ip| ip.to_string()),
        new.device.user_agent,
        rotation.current.0,
        rotation.from.map(|from| from.0),
        rotation.handed_over_at.as_millis(),
        rotation.confirmed_at.map(Timestamp::as_millis),
        rotation.lost,
        abandoned_to_blob(&rotation.abandoned),
        rotation.abandoned.iter().map(|range| range.until.as_millis()).max(),
        new.ended.map(|ended| ended.at.as_millis()),
        new.ended.map(|ended| ended.reason.as_str()),
        new.client.as_ref().map(|client| client.as_str()),
    ];
    run(connection, sql, params)?;
    Ok(())
}

pub(in crate::sqlite) fn held(connection: &Connection, sid: Sid) -> Sql<Option<Held>> {
    const SQL: &str = concat!(
        "SELECT ",
        session_columns!(),
        ", ",
        user_columns!(),
        " FROM sessions AS s JOIN users AS u ON u.id = s.user_id WHERE s.sid = ?1"
    );
    first(connection, SQL, [sid.as_bytes()], read_held)
}

pub(in crate::sqlite) fn held_by_public_id(connection: &Connection, id: &PublicId) -> Sql<Option<Held>> {
    const SQL: &str = concat!(
        "SELECT ",
        session_columns!(),
        ", ",
        user_columns!(),
        " FROM sessions AS s JOIN users AS u ON u.id = s.user_id WHERE s.public_id = ?1"
    );
    first(connection, SQL, [id.as_str()], read_held)
}

fn read_held(columns: &mut Columns<'_>) -> Sql<Held> {
    Ok(Held { session: session(columns)?, user: user(columns)? })
}

pub(in crate::sqlite) fn of_user(
    connection: &Connection,
    user: &UserId,
    with_ended: bool,
) -> Sql<Vec<Session>> {
    const SQL: &str = concat!(
        "SELECT ",
        session_columns!(),
        " FROM sessions AS s WHERE s.user_id = ?1 AND (?2 OR s.ended_at IS NULL)
          ORDER BY s.ended_reason IS ?3 DESC, s.created_at DESC, s.sid DESC LIMIT 200"
    );
    let parameters = params![user.as_str(), with_ended, EndReason::Reuse.as_str()];
    let mut found = all(connection, SQL, parameters, session)?;
    found.sort_by_key(|s| std::cmp::Reverse((s.created_at, s.sid)));
    Ok(found)
}
