//! Revocation beside rotations and openings in flight: every place where a request waits is a step, so that everything else can happen
//! there (P4). No time passes in this world; what a request is judged as is chosen by the age of the record at the start.

use std::fmt;
use std::time::Duration;

use countersign_core::domain::device::Device;
use countersign_core::domain::id::{Epoch, Generation, KeyId, PublicId, Sid, UserId};
use countersign_core::domain::rotation::RotationRecord;
use countersign_core::domain::scope::ScopeSet;
use countersign_core::domain::session::{EndReason, Ended, Held, Liveness, Session, SessionPolicy};
use countersign_core::domain::time::Timestamp;
use countersign_core::domain::user::{Email, User};

use crate::ticks::NOW;

/// What is revoked, on node 0.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Kind {
    /// One session, in one statement.
    Session,
    /// All sessions of a user: first the epoch is raised, then the sessions that are there are ended.
    User,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Session => "one session",
            Self::User => "all of a user's",
        })
    }
}

/// A check left out, to show what it is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    None,
    /// The compare-and-set does not look whether the session has ended.
    WriteIgnoresEnd,
    /// The session and its user are not judged again after the write.
    NoLookAfterWrite,
    /// The node's memory is not asked before the answer.
    NoLookBeforeAnswer,
    /// The node's memory is not asked after the read.
    NoLookAfterRead,
}

/// How much of the world is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) kind: Kind,
    /// Ticks since the current generation was handed over, two to a grace; it came from the one before and is not in use yet.
    pub(crate) handed_over: i64,
    /// Rotations and openings in flight.
    pub(crate) requests: usize,
    /// The store may fall back to a replica that has not heard of the revocation.
    pub(crate) fails_over: bool,
    pub(crate) fault: Fault,
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, requests, .. } = self;
        let failover = if self.fails_over { ", failover" } else { "" };
        write!(f, "{kind}, requests {requests}{failover}")
    }
}

/// A session and its user's epoch, as one read returns them.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Read {
    pub(crate) record: RotationRecord,
    /// The session's epoch; that of its user rises from 0 to 1.
    pub(crate) epoch: u32,
    pub(crate) users_epoch: u32,
    pub(crate) ended: bool,
}

impl Read {
    /// Whether the session may be used, by the rule of the service.
    pub(crate) fn is_live(&self) -> bool {
        let policy = SessionPolicy {
            access_ttl: Duration::from_secs(900),
            idle_ttl: Duration::from_secs(86_400),
            absolute_ttl: Duration::from_secs(86_400),
            leeway: Duration::ZERO,
        };
        self.held().liveness(&policy, NOW) == Liveness::Live
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.ended || self.epoch < self.users_epoch
    }

    fn held(&self) -> Held {
        let user = UserId::parse("user").unwrap();
        Held {
            session: Session {
                sid: Sid::from_bytes([1; 16]),
                public_id: PublicId::parse("session").unwrap(),
                user: user.clone(),
                epoch: Epoch(self.epoch),
                master_key: KeyId(0),
                salt: [0; 16],
                created_at: NOW,
                auth_time: NOW,
                seen_at: NOW,
                expires_at: NOW.plus(Duration::from_secs(86_400)),
                amr: Vec::new(),
                scope: ScopeSet::default(),
                client: None,
                device: Device::default(),
                rotation: self.record.clone(),
                ended: self.ended.then_some(Ended { at: NOW, reason: EndReason::Logout }),
            },
            user: User {
                id: user,
                email: Email::parse("user@example.com").unwrap(),
                email_verified: false,
                scope: ScopeSet::default(),
                epoch: Epoch(self.users_epoch),
                password: None,
                created_at: Timestamp::default(),
                disabled_at: None,
            },
        }
    }
}

/// A rotation, or an opening, and where it waits.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Request {
    /// Not there yet.
    Coming,
    /// The session was read.
    Rotating { node: usize, presented: Generation, read: Read },
    /// A verdict waits for its compare-and-set.
    Writing { node: usize, presented: Generation, judged: RotationRecord, next: RotationRecord },
    /// It was written.
    Written { node: usize, read: Read },
    /// The user proved who they are; their epoch was read.
    Opening { node: usize, epoch: u32 },
    /// The session was inserted.
    Opened { node: usize, read: Read },
    /// Answered, refused, or lost with its node.
    Done,
}

/// How far the revocation is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) enum Revoke {
    Coming,
    /// The epoch is raised.
    Raised,
    /// The store has ended what it is to end.
    Ended,
    /// The caller was told.
    Returned,
}

/// What a node remembers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub(crate) struct Memory {
    /// The old session, and the one being opened, have ended.
    pub(crate) ended: [bool; 2],
    pub(crate) users_epoch: u32,
}

/// The session that a thief or its user still holds.
pub(crate) const OLD: usize = 0;
/// The one that an opening inserts.
pub(crate) const NEW: usize = 1;

/// Everything.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct World {
    pub(crate) record: RotationRecord,
    pub(crate) ended: bool,
    pub(crate) users_epoch: u32,
    /// The inserted session's epoch, and whether it has ended.
    pub(crate) new: Option<(u32, bool)>,
    pub(crate) memory: [Memory; 2],
    pub(crate) revoke: Revoke,
    pub(crate) requests: Vec<Request>,
    pub(crate) failed_over: bool,
}
