//! Rotation's compare-and-set, and uses noted behind the answer.

use countersign_core::domain::device::Device;
use countersign_core::domain::id::Sid;
use countersign_core::domain::rotation::RotationRecord;
use countersign_core::domain::time::Timestamp;
use countersign_core::port::{Rotated, Use};
use rusqlite::types::ToSql;
use rusqlite::{Connection, named_params, params};

use super::sessions::held;
use crate::sqlite::error::Sql;
use crate::sqlite::row::{abandoned_to_blob, run};

/// What to write.
#[derive(Debug)]
pub(in crate::sqlite) struct Step {
    pub(in crate::sqlite) sid: Sid,
    pub(in crate::sqlite) judged: RotationRecord,
    pub(in crate::sqlite) next: RotationRecord,
    pub(in crate::sqlite) seen_at: Timestamp,
    pub(in crate::sqlite) device: Device,
}

/// A confirmation written since the record was judged is kept while its generation stays current.
macro_rules! compare_and_set {
    ($more:literal) => {
        concat!(
            "UPDATE sessions SET
                 current = :current, previous = :previous, handed_over_at = :handed_over_at,
                 confirmed_at = CASE
                     WHEN :confirmed_at IS NULL AND :current = current THEN max(confirmed_at, :handed_over_at)
                     ELSE :confirmed_at END,
                 lost = :lost, seen_at = max(seen_at, :seen_at), ip = :ip, user_agent = :user_agent",
            $more,
            " WHERE sid = :sid AND current = :judged_current AND lost = :judged_lost AND ended_at IS NULL"
        )
    };
}

pub(in crate::sqlite) fn if_current(connection: &Connection, step: &Step) -> Sql<Rotated> {
    let Step { sid, judged, next, seen_at, device } = step;
    let ip = device.ip.map(|ip| ip.to_string());
    let common: &[(&str, &dyn ToSql)] = named_params! {
        ":current": next.current.0,
        ":previous": next.from.map(|from| from.0),
        ":handed_over_at": next.handed_over_at.as_millis(),
        ":confirmed_at": next.confirmed_at.map(Timestamp::as_millis),
        ":lost": next.lost,
        ":seen_at": seen_at.as_millis(),
        ":ip": ip,
        ":user_agent": device.user_agent,
        ":sid": sid.as_bytes(),
        ":judged_current": judged.current.0,
        ":judged_lost": judged.lost,
    };
    // (current, lost) never repeats, so equal pairs mean equal ranges: only a change has to be written, and the index
    // on abandoned_until stays out of the common case.
    let changed = if next.abandoned == judged.abandoned {
        run(connection, compare_and_set!(""), common)?
    } else {
        let blob = abandoned_to_blob(&next.abandoned);
        let until = next.abandoned.iter().map(|range| range.until.as_millis()).max();
        let mut all = common.to_vec();
        all.extend::<[(&str, &dyn ToSql); 2]>([(":abandoned", &blob), (":abandoned_until", &until)]);
        let sql = compare_and_set!(", abandoned = :abandoned, abandoned_until = :abandoned_until");
        run(connection, sql, &*all)?
    };
    Ok(match held(connection, *sid)? {
        None => Rotated::Gone,
        Some(held) if changed == 1 => Rotated::Rotated(held),
        Some(held) => Rotated::Moved(held),
    })
}

pub(in crate::sqlite) fn note_uses(connection: &Connection, uses: &[Use]) -> Sql<()> {
    for used in uses {
        let sid = used.sid.as_bytes();
        if let Some(at) = used.seen_at {
            let sql = "UPDATE sessions SET seen_at = ?2 WHERE sid = ?1 AND seen_at < ?2";
            run(connection, sql, params![sid, at.as_millis()])?;
        }
        if let Some((generation, at)) = used.confirmed {
            let sql = "UPDATE sessions SET confirmed_at = max(?3, handed_over_at)
                       WHERE sid = ?1 AND current = ?2 AND confirmed_at IS NULL";
            run(connection, sql, params![sid, generation.0, at.as_millis()])?;
        }
    }
    Ok(())
}
