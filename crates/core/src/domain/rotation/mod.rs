//! Rotation (design §5): honest users are never logged out, thieves are found.
//!
//! [`judge`] is the whole protocol: a record, what was presented, the present. Everything else (the store's
//! compare-and-set, the gateway's one-in-flight rule) only carries its verdict out.

mod judge;
mod record;
#[cfg(test)]
mod tests;

pub use judge::{Carrier, Presented, judge};
pub use record::{Abandoned, RotationRecord};

use std::time::Duration;

/// How often an answer may be lost in a row before the presenter counts as a thief.
pub const MAX_LOST: u8 = 10;
/// The window that `reuse_grace = 0s` leaves for lost answers and parallel requests.
pub const FALLBACK_GRACE: Duration = Duration::from_secs(10);
/// Keep lasts this many graces after the hand-over.
pub const KEEP_GRACES: u32 = 5;
/// A lost answer is replayed up to this many graces after the hand-over, reissued afterwards.
pub const LOST_GRACES: u32 = 3;

/// The constants that `judge` works with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RotationPolicy {
    /// `rotation.reuse_grace`: zero, or 2 s to 60 s.
    pub reuse_grace: Duration,
    /// How long the access tokens of an abandoned generation can live: `access_ttl` + leeway.
    pub access_lifetime: Duration,
    /// What a generation from the future means: the store went back in time.
    pub after_rollback: AfterRollback,
}

impl RotationPolicy {
    /// G for the windows that `0s` does not turn off.
    #[must_use]
    pub fn window(&self) -> Duration {
        if self.reuse_grace.is_zero() { FALLBACK_GRACE } else { self.reuse_grace }
    }
}

/// `rotation.after_rollback`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum AfterRollback {
    /// Continue from the presented generation: the store lost writes, the client did nothing wrong.
    #[default]
    Heal,
    /// Refuse it as theft.
    Revoke,
}

/// What to do with a presented refresh token. A verdict with a `next` record must be written by one
/// compare-and-set on the judged record; if that is lost, read and judge again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// A fresh access token only; the refresh cookie is not set again.
    Keep {
        /// The presentation itself confirms that the current generation arrived.
        confirms: bool,
    },
    /// The next generation.
    Rotate {
        /// The record to write.
        next: RotationRecord,
    },
    /// The current tokens once more. `next` is set where the answer counts as lost.
    Replay {
        /// The record to write, if anything changes.
        next: Option<RotationRecord>,
    },
    /// A new generation in place of one whose answer was lost long ago; that one is abandoned.
    Reissue {
        /// The record to write.
        next: RotationRecord,
    },
    /// The store went back in time: continue from the presented generation, and say so in an event.
    Heal {
        /// The record to write.
        next: RotationRecord,
    },
    /// A stale copy in a player or a copied command: refuse, change nothing.
    Deny,
    /// Theft: revoke the session.
    Reuse,
}

impl Verdict {
    /// The record that has to be written before the verdict may be answered.
    #[must_use]
    pub const fn next(&self) -> Option<&RotationRecord> {
        match self {
            Self::Rotate { next } | Self::Reissue { next } | Self::Heal { next } => Some(next),
            Self::Replay { next } => next.as_ref(),
            Self::Keep { .. } | Self::Deny | Self::Reuse => None,
        }
    }

    /// The word of design §5, for logs and events.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Keep { .. } => "keep",
            Self::Rotate { .. } => "rotate",
            Self::Replay { .. } => "replay",
            Self::Reissue { .. } => "reissue",
            Self::Heal { .. } => "heal",
            Self::Deny => "deny",
            Self::Reuse => "reuse",
        }
    }
}
