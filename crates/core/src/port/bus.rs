//! Notices: what other parts of a node, and other nodes, must hear of at once.

use crate::domain::api_key::ApiKeyId;
use crate::domain::id::{Epoch, Generation, Sid, UserId};
use crate::domain::rotation::Abandoned;
use crate::domain::time::Timestamp;

/// Something that must be known everywhere.
#[derive(Clone, Debug)]
pub enum Notice {
    /// A session ended.
    SessionEnded {
        /// Which.
        sid: Sid,
        /// When.
        at: Timestamp,
    },
    /// A user's epoch was raised: all older sessions and tokens are dead.
    EpochRaised {
        /// Whose.
        user: UserId,
        /// The new epoch.
        epoch: Epoch,
        /// When.
        at: Timestamp,
    },
    /// A generation was seen in use.
    Confirmed {
        /// Of which session.
        sid: Sid,
        /// Which one.
        generation: Generation,
        /// When.
        at: Timestamp,
    },
    /// Generations were abandoned: their use is theft.
    Abandoned {
        /// Of which session.
        sid: Sid,
        /// Which ones.
        range: Abandoned,
    },
    /// An API key was revoked.
    ApiKeyRevoked {
        /// Which.
        id: ApiKeyId,
        /// When.
        at: Timestamp,
    },
    /// The subscriber fell behind and must look everything up again.
    Gap,
}

/// Sends and receives notices.
pub trait Bus: Send + Sync {
    /// A receiver.
    type Subscription: Subscription;

    /// Sends a notice to every subscriber, here and elsewhere. Never waits.
    fn publish(&self, notice: Notice);

    /// Starts to receive what is published from now on.
    fn subscribe(&self) -> Self::Subscription;
}

/// Receives notices in order.
pub trait Subscription: Send {
    /// The next notice; `None` when the bus is gone.
    fn next(&mut self) -> impl Future<Output = Option<Notice>> + Send;
}
