//! Sessions: one login on one device.

use std::time::Duration;

use super::client::ClientId;
use super::device::Device;
use super::id::{Epoch, KeyId, PublicId, Sid, UserId};
use super::rotation::RotationRecord;
use super::scope::ScopeSet;
use super::time::Timestamp;
use super::user::User;

/// Why a session ended. Answers "why was I logged out?".
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum EndReason {
    /// The user signed out on this device.
    Logout,
    /// The user signed out everywhere.
    LogoutAll,
    /// The user ended it from another device's session list.
    EndedByUser,
    /// An operator revoked it.
    EndedByOperator,
    /// A spent refresh token was presented: theft.
    Reuse,
    /// The password changed.
    PasswordChanged,
    /// The user was disabled.
    UserDisabled,
    /// A newer session took its place under the limit of concurrent sessions.
    SessionLimit,
    /// The same browser signed in again.
    Replaced,
    /// A service revoked it by one of its tokens (RFC 7009).
    TokenRevoked,
    /// The user lost a scope, which tokens still carry.
    ScopeReduced,
    /// The store was restored from a backup.
    Restored,
    /// The upstream that keeps its own login ended its session.
    Upstream,
}

impl EndReason {
    /// All reasons, for parsing and documentation.
    pub const ALL: [Self; 13] = [
        Self::Logout,
        Self::LogoutAll,
        Self::EndedByUser,
        Self::EndedByOperator,
        Self::Reuse,
        Self::PasswordChanged,
        Self::UserDisabled,
        Self::SessionLimit,
        Self::Replaced,
        Self::TokenRevoked,
        Self::ScopeReduced,
        Self::Restored,
        Self::Upstream,
    ];

    /// Stable word for store, events and `session show`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::LogoutAll => "logout_all",
            Self::EndedByUser => "ended_by_user",
            Self::EndedByOperator => "ended_by_operator",
            Self::Reuse => "token_reuse",
            Self::PasswordChanged => "password_changed",
            Self::UserDisabled => "user_disabled",
            Self::SessionLimit => "session_limit",
            Self::Replaced => "replaced_by_login",
            Self::TokenRevoked => "token_revoked",
            Self::ScopeReduced => "scope_reduced",
            Self::Restored => "store_restored",
            Self::Upstream => "ended_by_upstream",
        }
    }

    /// Reads the stable word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.as_str() == word)
    }
}

/// When and why a session was ended before its deadlines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: EndReason,
}

/// A session as stored. Holds nothing that can be presented (D08): tokens are derived from it and a master secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    /// Random id inside the tokens.
    pub sid: Sid,
    /// What people see.
    pub public_id: PublicId,
    /// Whose.
    pub user: UserId,
    /// The user's epoch when it was opened.
    pub epoch: Epoch,
    /// The master secret that its refresh tokens are derived from.
    pub master_key: KeyId,
    /// Random input to its refresh tokens.
    pub salt: [u8; 16],
    /// Opening.
    pub created_at: Timestamp,
    /// When the user last proved who they are.
    pub auth_time: Timestamp,
    /// Last verified request, at most a minute behind.
    pub seen_at: Timestamp,
    /// Absolute deadline.
    pub expires_at: Timestamp,
    /// How the user proved it (RFC 8176 values).
    pub amr: Vec<Box<str>>,
    /// What the session may do; never widened by a refresh (D07).
    pub scope: ScopeSet,
    /// The client it was opened for; none for one that lives in cookies alone. Nobody else may renew it.
    pub client: Option<ClientId>,
    /// The device that opened it or was last seen at a rotation.
    pub device: Device,
    /// Rotation state.
    pub rotation: RotationRecord,
    /// Set once it is revoked.
    pub ended: Option<Ended>,
}

/// Whether a session may still be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Liveness {
    /// It may.
    Live,
    /// Revoked: itself, by epoch, or with its user.
    Revoked(Ended),
    /// Past the idle or the absolute deadline.
    Expired {
        /// The deadline that passed first.
        at: Timestamp,
    },
}

/// Deadlines of sessions (design §9 `[tokens]`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SessionPolicy {
    /// Access-token lifetime.
    pub access_ttl: Duration,
    /// Idle deadline, counted from the last verified request.
    pub idle_ttl: Duration,
    /// Absolute deadline, counted from the opening.
    pub absolute_ttl: Duration,
    /// Tolerated clock difference when a token is verified (≤ 60 s).
    pub leeway: Duration,
}

/// A session together with its user, as one read.
#[derive(Clone, Debug)]
pub struct Held {
    /// The session.
    pub session: Session,
    /// Its user as of now.
    pub user: User,
}

impl Held {
    /// Judges revocation, epoch and deadlines.
    #[must_use]
    pub fn liveness(&self, policy: &SessionPolicy, now: Timestamp) -> Liveness {
        let session = &self.session;
        if let Some(ended) = session.ended {
            return Liveness::Revoked(ended);
        }
        if let Some(at) = self.user.disabled_at {
            return Liveness::Revoked(Ended { at, reason: EndReason::UserDisabled });
        }
        if session.epoch < self.user.epoch {
            // Every verb that raises an epoch also ends the sessions it finds; this one was opened beside it (P4).
            return Liveness::Revoked(Ended { at: session.created_at, reason: EndReason::LogoutAll });
        }
        let deadline = session.deadline(policy);
        if now >= deadline { Liveness::Expired { at: deadline } } else { Liveness::Live }
    }
}

impl Session {
    /// When the session ends if nobody uses it.
    #[must_use]
    pub fn idle_expires_at(&self, policy: &SessionPolicy) -> Timestamp {
        self.seen_at.plus(policy.idle_ttl).min(self.expires_at)
    }

    /// The deadline that comes first.
    #[must_use]
    pub fn deadline(&self, policy: &SessionPolicy) -> Timestamp {
        self.idle_expires_at(policy)
    }

    /// When an access token made now expires: never past the session's absolute end.
    #[must_use]
    pub fn access_expiry(&self, policy: &SessionPolicy, now: Timestamp) -> Timestamp {
        now.plus(policy.access_ttl).min(self.expires_at)
    }
}
