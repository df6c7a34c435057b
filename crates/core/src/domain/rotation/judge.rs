//! The table of design §5, row by row.

use super::{Abandoned, AfterRollback, RotationPolicy, RotationRecord, Verdict};
use crate::domain::id::Generation;
use crate::domain::time::Timestamp;

/// How the token came to us.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Carrier {
    /// A browser's cookie jar or a client's token store.
    #[default]
    Jar,
    /// A request that typically carries a stale copy: on the inline path a GET with `Range`, or with neither
    /// Sec-Fetch headers nor `Accept: text/html` (players, download managers, copied commands).
    StaleCopy,
}

/// A genuine refresh token of a live session: its tag was checked and no deadline has passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Presented {
    /// The generation in the token.
    pub generation: Generation,
    /// Who carried it.
    pub carrier: Carrier,
    /// Whether a fresh proof of the session's device key came with it.
    pub device_proof: bool,
}

impl Presented {
    /// A plain presentation from a cookie jar.
    #[must_use]
    pub const fn from_jar(generation: Generation) -> Self {
        Self { generation, carrier: Carrier::Jar, device_proof: false }
    }
}

/// Judges a presented generation against the record. Pure: the caller has checked tag and deadlines, and writes
/// [`Verdict::next`] by compare-and-set.
#[must_use]
pub fn judge(
    policy: &RotationPolicy,
    record: &RotationRecord,
    presented: Presented,
    now: Timestamp,
) -> Verdict {
    let generation = presented.generation;
    // Within a record time never runs backwards, whichever node's clock wrote it.
    let now = now.max(record.handed_over_at).max(record.confirmed_at.unwrap_or(record.handed_over_at));

    if generation > record.current {
        return match policy.after_rollback {
            AfterRollback::Heal => Verdict::Heal { next: successor(record, generation, now) },
            AfterRollback::Revoke => Verdict::Reuse,
        };
    }
    // Before everything else: no honest jar ever holds an abandoned generation.
    if record.is_abandoned(generation) {
        return Verdict::Reuse;
    }
    if generation == record.current {
        return present_current(policy, record, now);
    }
    match (Some(generation) == record.from, record.confirmed_at) {
        (true, None) => lost_answer(policy, record, presented, now),
        (true, Some(confirmed_at))
            if !policy.reuse_grace.is_zero()
                && now.since(confirmed_at) <= policy.reuse_grace * policy.windows().confirmed =>
        {
            // Slower parallel requests of the same client, sent before it had the new cookies.
            Verdict::Replay { next: None }
        }
        _ => spent(record, presented, now),
    }
}

fn present_current(policy: &RotationPolicy, record: &RotationRecord, now: Timestamp) -> Verdict {
    let keep_for = policy.reuse_grace * policy.windows().keep;
    // An eager client must not push its own slower requests out of the window in which they are replayed.
    if record.from.is_some() && now.since(record.handed_over_at) < keep_for {
        return Verdict::Keep { confirms: record.confirmed_at.is_none() };
    }
    Verdict::Rotate { next: successor(record, record.current, now) }
}

/// The presenter never saw the answer that `current` went out with.
fn lost_answer(
    policy: &RotationPolicy,
    record: &RotationRecord,
    presented: Presented,
    now: Timestamp,
) -> Verdict {
    let grace = policy.window();
    let age = now.since(record.handed_over_at);
    if age <= grace {
        return Verdict::Replay { next: None };
    }
    // A thief who polls with a spent token would otherwise keep the window open for ever.
    if record.lost >= policy.windows().max_lost {
        return spent(record, presented, now);
    }
    let lost = record.lost.saturating_add(1);
    if age <= grace * policy.windows().lost {
        return Verdict::Replay {
            next: Some(RotationRecord { handed_over_at: now, lost, ..record.clone() }),
        };
    }
    // After this long somebody else may have taken the lost answer: hand out a new generation and lay a trap in
    // the old ones.
    let first = record.from.unwrap_or(record.current).next();
    let until = now.plus(policy.access_lifetime);
    let mut abandoned = live_ranges(record, now);
    abandoned.retain(|a| a.first < first);
    abandoned.push(Abandoned { first, last: record.current, until });
    Verdict::Reissue {
        next: RotationRecord {
            current: record.current.next(),
            from: record.from,
            handed_over_at: now,
            confirmed_at: None,
            lost,
            abandoned,
        },
    }
}

fn spent(record: &RotationRecord, presented: Presented, now: Timestamp) -> Verdict {
    if presented.device_proof {
        // Only the device itself can prove its key: a client restored from a backup, no thief.
        return Verdict::Heal { next: successor(record, record.current, now) };
    }
    match presented.carrier {
        Carrier::StaleCopy => Verdict::Deny,
        Carrier::Jar => Verdict::Reuse,
    }
}

fn successor(record: &RotationRecord, from: Generation, now: Timestamp) -> RotationRecord {
    RotationRecord {
        current: from.next(),
        from: Some(from),
        handed_over_at: now,
        confirmed_at: None,
        lost: 0,
        abandoned: live_ranges(record, now),
    }
}

/// Ranges whose access tokens could still be good. Refresh tokens below `from` are refused as spent anyway, so
/// forgetting a range then loses nothing.
fn live_ranges(record: &RotationRecord, now: Timestamp) -> Vec<Abandoned> {
    record.abandoned.iter().copied().filter(|a| a.until > now).collect()
}
