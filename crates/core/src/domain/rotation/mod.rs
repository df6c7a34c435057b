//! Rotation (design §5): honest users are never logged out, thieves are found.
//!
//! [`judge`] is the whole protocol: a record, what was presented, the present. Everything else (the store's
//! compare-and-set, the gateway's one-in-flight rule) only carries its verdict out.

mod judge;
mod policy;
mod record;
#[cfg(test)]
mod tests;

pub use judge::{Carrier, Presented, judge};
pub use policy::{AfterRollback, Dangerous, FALLBACK_GRACE, RotationPolicy, Windows};
pub use record::{Abandoned, RotationRecord};

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
