//! Revocations (docs/revocation-feed.md): a live stream, a poll behind it, and a clock that says when neither was heard.

mod follow;
mod known;
mod sse;
mod wire;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use countersign_core::domain::secret::SecretString;
use tokio::time::Instant;

use crate::fetch::{Door, FetchError};
use known::Known;
pub(crate) use known::Subject;
use wire::{Changes, Cursor, Heartbeat};

pub(crate) use follow::follow;

/// How often what is too old is dropped.
const SWEEP: Duration = Duration::from_secs(60);

/// The feed as this verifier knows it.
#[derive(Debug)]
pub(crate) struct Feed {
    door: Door,
    key: SecretString,
    issuer: Box<str>,
    max_staleness: Duration,
    known: Known,
    progress: Mutex<Progress>,
}

#[derive(Debug, Default)]
struct Progress {
    cursor: Option<Cursor>,
    /// As of when everything is known.
    fresh_at: Option<Instant>,
    /// When what is too old was last dropped.
    swept_at: Option<Instant>,
}

/// What was heard of a token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Heard {
    /// Nothing against it, up to now.
    Nothing,
    /// That it is dead.
    Revoked,
    /// Nothing against it, but the feed has not been heard for too long.
    Stale,
}

impl Feed {
    pub(crate) fn new(door: Door, key: SecretString, issuer: Box<str>, max_staleness: Duration) -> Self {
        let (known, progress) = (Known::default(), Mutex::default());
        Self { door, key, issuer, max_staleness, known, progress }
    }

    /// What is known of a token. What was revoked stays revoked, however stale the rest is.
    pub(crate) fn heard_of(&self, subject: &Subject) -> Heard {
        if self.known.refuses(subject) {
            Heard::Revoked
        } else if self.is_fresh() {
            Heard::Nothing
        } else {
            Heard::Stale
        }
    }

    /// Whether everything is known as of less than `max_staleness` ago.
    pub(crate) fn is_fresh(&self) -> bool {
        let fresh_at = self.progress().fresh_at;
        fresh_at.is_some_and(|at| at.elapsed() < self.max_staleness)
    }

    fn progress(&self) -> std::sync::MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cursor(&self) -> Option<Cursor> {
        self.progress().cursor.clone()
    }

    /// Takes changes in. They say nothing about completeness.
    fn learn(&self, changes: &Changes) -> Result<(), FetchError> {
        self.expect_issuer(&changes.iss)?;
        self.known.merge(changes, Instant::now());
        Ok(())
    }

    /// Everything up to `cursor` is known, as of `at`.
    fn complete(&self, cursor: Cursor, at: Instant) {
        let mut progress = self.progress();
        progress.cursor = Some(cursor);
        progress.fresh_at = progress.fresh_at.max(Some(at));
        // Seldom: it walks through everything, and requests wait meanwhile.
        let sweep = progress.swept_at.is_none_or(|swept| at.saturating_duration_since(swept) >= SWEEP);
        if sweep {
            progress.swept_at = Some(at);
        }
        drop(progress);
        if sweep {
            self.known.forget(at);
        }
    }

    fn beat(&self, heartbeat: Heartbeat) -> Result<(), FetchError> {
        self.expect_issuer(&heartbeat.iss)?;
        self.complete(heartbeat.cursor, Instant::now());
        Ok(())
    }

    /// The feed of another environment says nothing about this one.
    fn expect_issuer(&self, iss: &str) -> Result<(), FetchError> {
        if iss == &*self.issuer {
            Ok(())
        } else {
            Err(FetchError::Unreadable("the feed is about another issuer"))
        }
    }
}
