//! What configuration decides about rotation, and the windows that it does not decide.

use std::time::Duration;

/// The window that `reuse_grace = 0s` leaves for lost answers and parallel requests.
pub const FALLBACK_GRACE: Duration = Duration::from_secs(10);

/// The constants of design §5's table, in graces. They hold each other in place: the model check shows for each that the next
/// smaller one logs honest clients out, or lets two holders go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Windows {
    /// Keep lasts this many graces after the hand-over.
    pub keep: u32,
    /// A lost answer is replayed up to this many graces after the hand-over, reissued afterwards.
    pub lost: u32,
    /// The predecessor is replayed for this many graces after its successor was first seen in use.
    pub confirmed: u32,
    /// How often an answer may be lost in a row before the presenter counts as a thief.
    pub max_lost: u8,
}

impl Windows {
    /// Design §5.
    pub const DESIGN: Self = Self { keep: 5, lost: 3, confirmed: 1, max_lost: 10 };
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

/// What `judge` works with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RotationPolicy {
    /// `rotation.reuse_grace`: zero, or 2 s to 60 s.
    pub reuse_grace: Duration,
    /// How long the access tokens of an abandoned generation can live: `access_ttl` + leeway.
    pub access_lifetime: Duration,
    /// What a generation from the future means: the store went back in time.
    pub after_rollback: AfterRollback,
    windows: Windows,
}

impl RotationPolicy {
    /// A policy with the windows of the design.
    #[must_use]
    pub const fn new(
        reuse_grace: Duration,
        access_lifetime: Duration,
        after_rollback: AfterRollback,
    ) -> Self {
        Self { reuse_grace, access_lifetime, after_rollback, windows: Windows::DESIGN }
    }

    /// G for the windows that `0s` does not turn off.
    #[must_use]
    pub fn window(&self) -> Duration {
        if self.reuse_grace.is_zero() { FALLBACK_GRACE } else { self.reuse_grace }
    }

    /// The windows in force.
    #[must_use]
    pub const fn windows(&self) -> &Windows {
        &self.windows
    }

    /// The visible door to other windows, with which honest users are logged out and thieves are not found.
    #[must_use]
    pub const fn dangerous(self) -> Dangerous {
        Dangerous(self)
    }
}

/// See [`RotationPolicy::dangerous`].
#[derive(Clone, Copy, Debug)]
pub struct Dangerous(RotationPolicy);

impl Dangerous {
    /// The policy with other windows: for experiments that show what the design's are for.
    #[must_use]
    pub const fn windows(self, windows: Windows) -> RotationPolicy {
        RotationPolicy { windows, ..self.0 }
    }
}
