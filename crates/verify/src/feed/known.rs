//! What is known to be revoked.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use countersign_core::domain::id::{Epoch, Generation};
use countersign_core::domain::token::standing;
use tokio::time::Instant;

use super::wire::{Changes, Hashed};

/// Entries are kept for this long, whatever the feed says: no access token lives longer than an hour.
const KEEP_AT_LEAST: Duration = Duration::from_secs(3660);
/// And no longer than this: a wrong number must not fill the memory.
const KEEP_AT_MOST: Duration = Duration::from_secs(24 * 3600);

/// A token, as far as the feed can speak of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Subject {
    pub(crate) session: Hashed,
    pub(crate) user: Hashed,
    pub(crate) generation: Generation,
    pub(crate) epoch: Epoch,
}

impl Subject {
    /// Of a token.
    pub(crate) fn of(token: &standing::Subject<'_>) -> Self {
        Self {
            session: Hashed::sid(&token.sid),
            user: Hashed::user(token.user),
            generation: token.generation,
            epoch: token.epoch,
        }
    }
}

/// Merged from everything that was received. Nothing is ever taken back before it is too old to matter.
#[derive(Debug, Default)]
pub(crate) struct Known(RwLock<Inner>);

#[derive(Debug, Default)]
struct Inner {
    sessions: HashMap<Hashed, Instant>,
    users: HashMap<Hashed, (Epoch, Instant)>,
    abandoned: HashMap<Hashed, Vec<(Generation, Generation, Instant)>>,
}

impl Known {
    /// Adds what came at `now`.
    pub(crate) fn merge(&self, changes: &Changes, now: Instant) {
        let keep = Duration::from_secs(changes.keep_seconds).clamp(KEEP_AT_LEAST, KEEP_AT_MOST);
        let until = now + keep;
        let mut inner = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for session in &changes.sessions {
            inner.sessions.insert(*session, until);
        }
        for user in &changes.users {
            let (epoch, kept) = inner.users.entry(user.user).or_insert((user.epoch(), until));
            // An answer that overtook another must not lower the bar again.
            *epoch = (*epoch).max(user.epoch());
            *kept = until;
        }
        for abandoned in &changes.abandoned {
            let (first, last) = abandoned.range();
            let ranges = inner.abandoned.entry(abandoned.session).or_default();
            match ranges.iter_mut().find(|(f, l, _)| (*f, *l) == (first, last)) {
                Some((_, _, kept)) => *kept = until,
                None => ranges.push((first, last, until)),
            }
        }
    }

    /// Drops what is too old to matter.
    pub(crate) fn forget(&self, now: Instant) {
        let mut inner = self.0.write().unwrap_or_else(PoisonError::into_inner);
        inner.sessions.retain(|_, until| *until > now);
        inner.users.retain(|_, (_, until)| *until > now);
        inner.abandoned.retain(|_, ranges| {
            ranges.retain(|(_, _, until)| *until > now);
            !ranges.is_empty()
        });
    }

    /// Whether a token is dead.
    pub(crate) fn refuses(&self, subject: &Subject) -> bool {
        let inner = self.0.read().unwrap_or_else(PoisonError::into_inner);
        inner.sessions.contains_key(&subject.session)
            || inner.users.get(&subject.user).is_some_and(|(epoch, _)| *epoch > subject.epoch)
            || inner.abandoned.get(&subject.session).is_some_and(|ranges| {
                ranges.iter().any(|(first, last, _)| (*first..=*last).contains(&subject.generation))
            })
    }
}

#[cfg(test)]
mod tests {
    use countersign_core::domain::id::{Sid, UserId};
    use serde_json::json;

    use super::*;

    fn subject(sid: u8, user: &str, generation: u32, epoch: u32) -> Subject {
        Subject {
            session: Hashed::sid(&Sid::from_bytes([sid; 16])),
            user: Hashed::user(&UserId::parse(user).unwrap()),
            generation: Generation(generation),
            epoch: Epoch(epoch),
        }
    }

    fn hash(text: &str) -> String {
        data_encoding::BASE64URL_NOPAD
            .encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes()).as_ref())
    }

    fn changes(rest: &serde_json::Value) -> Changes {
        let mut all = json!({"iss": "i", "cursor": "1", "keep_seconds": 10, "sessions": [], "users": [], "abandoned": []});
        for (name, value) in rest.as_object().unwrap() {
            all[name] = value.clone();
        }
        serde_json::from_value(all).unwrap()
    }

    /// H03, H04: session, user and abandoned generations; nobody else.
    #[tokio::test]
    async fn h03_h04_refuses_what_was_named() {
        let (known, now) = (Known::default(), Instant::now());
        let sid = |n| hash(&Sid::from_bytes([n; 16]).to_claim());
        assert!(!known.refuses(&subject(1, "a", 1, 1)));
        known.merge(
            &changes(&json!({
                "sessions": [sid(1)],
                "users": [{"user": hash("b"), "epoch": 4}],
                "abandoned": [{"session": sid(2), "first": 7, "last": 8}],
            })),
            now,
        );
        assert!(known.refuses(&subject(1, "a", 1, 1)));
        assert!(!known.refuses(&subject(3, "a", 1, 1)));
        assert!(known.refuses(&subject(3, "b", 1, 3)));
        assert!(!known.refuses(&subject(3, "b", 1, 4)));
        for (generation, dead) in [(6, false), (7, true), (8, true), (9, false)] {
            assert_eq!(known.refuses(&subject(2, "c", generation, 1)), dead, "{generation}");
        }
    }

    /// Answers may overtake each other: nothing is taken back, and the greater epoch stays.
    #[tokio::test]
    async fn h03_nothing_is_taken_back() {
        let (known, now) = (Known::default(), Instant::now());
        for epoch in [4, 2] {
            known.merge(&changes(&json!({"users": [{"user": hash("b"), "epoch": epoch}]})), now);
        }
        let sid = hash(&Sid::from_bytes([2; 16]).to_claim());
        for (first, last) in [(3, 3), (7, 8)] {
            let entry = json!([{"session": sid, "first": first, "last": last}]);
            known.merge(&changes(&json!({"abandoned": entry})), now);
        }
        known.merge(&changes(&json!({})), now);
        assert!(known.refuses(&subject(3, "b", 1, 3)));
        assert!(known.refuses(&subject(2, "c", 3, 1)) && known.refuses(&subject(2, "c", 7, 1)));
    }

    /// A short `keep_seconds` does not make a token of an hour good again.
    #[tokio::test]
    async fn forgets_only_what_cannot_matter() {
        let (known, now) = (Known::default(), Instant::now());
        known.merge(&changes(&json!({"sessions": [hash(&Sid::from_bytes([1; 16]).to_claim())]})), now);
        known.forget(now + Duration::from_secs(3659));
        assert!(known.refuses(&subject(1, "a", 1, 1)));
        known.forget(now + Duration::from_secs(3661));
        assert!(!known.refuses(&subject(1, "a", 1, 1)));
    }
}
