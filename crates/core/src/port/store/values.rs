//! What goes into and comes out of the verbs of the store.

use crate::domain::api_key::{ApiKeyId, NetworkTag};
use crate::domain::id::{Epoch, Generation, KeyId, Sid, UserId};
use crate::domain::retrofit::Holder;
use crate::domain::rotation::Abandoned;
use crate::domain::scope::ScopeSet;
use crate::domain::session::Held;
use crate::domain::time::Timestamp;
use crate::domain::user::{Email, PasswordHash, User};

/// The store could not do it, grouped by what the caller should do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Overloaded or unreachable: answer 503 with Retry-After; nothing was acknowledged.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// A row that this version cannot read: an operator must look.
    #[error("the store holds something unreadable: {0}")]
    Corrupt(String),
}

/// A user to create.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The user, with epoch 1.
    pub user: User,
}

/// What became of [`super::Store::open_session`].
#[derive(Clone, Debug)]
pub enum Opening {
    /// Opened. The user as it is after the write, so that the caller can compare epochs (P4), and the sessions that were
    /// ended to make room.
    Opened {
        /// The user now.
        user: User,
        /// Sessions ended by the limit.
        ended: Vec<Sid>,
    },
    /// The limit of concurrent sessions is reached and the policy is to refuse.
    LimitReached,
    /// There is no such user.
    NoUser,
}

/// What became of [`super::Store::rotate_if_current`].
#[derive(Clone, Debug)]
pub enum Rotated {
    /// Written. The session and its user as they are after the write.
    Rotated(Held),
    /// Somebody else was first, or the session ended: judge again.
    Moved(Held),
    /// There is no such session.
    Gone,
}

/// A user's password to set.
#[derive(Clone, Debug)]
pub struct NewPassword {
    /// Whose.
    pub user: UserId,
    /// The new hash.
    pub hash: PasswordHash,
    /// When.
    pub at: Timestamp,
    /// Who asks, unless an operator does: nothing is set if any of it is no longer so.
    pub asked_by: Option<AskedBy>,
}

/// Whom a wish for another password comes from, as it was found before the passwords were hashed. That takes long enough for the session,
/// or all of them, to be ended meanwhile: whoever was shut out must not have the last word.
#[derive(Clone, Debug)]
pub struct AskedBy {
    /// The session, which must live.
    pub sid: Sid,
    /// The user's epoch; the user must not be disabled either.
    pub epoch: Epoch,
    /// The password that was checked.
    pub old: PasswordHash,
}

/// What a verb that ends all of a user's sessions did.
#[derive(Clone, Debug)]
pub struct UserRevoked {
    /// The raised epoch.
    pub epoch: Epoch,
    /// The sessions that were live.
    pub ended: Vec<Sid>,
}

/// Scopes to give to a user and to take from them.
#[derive(Clone, Debug, Default)]
pub struct ScopeChange {
    /// To give.
    pub add: ScopeSet,
    /// To take; wins over `add`.
    pub remove: ScopeSet,
}

impl ScopeChange {
    /// The scopes after the change.
    #[must_use]
    pub fn applied_to(&self, before: &ScopeSet) -> ScopeSet {
        before.union(&self.add).difference(&self.remove)
    }
}

/// What became of [`super::Store::change_scope`].
#[derive(Clone, Debug)]
pub struct ScopeChanged {
    /// The user now.
    pub user: User,
    /// Whether anything is other than before.
    pub changed: bool,
    /// What ended, if the user lost a scope.
    pub revoked: Option<UserRevoked>,
}

/// What became of [`super::Store::remove_user`].
#[derive(Clone, Debug)]
pub struct UserRemoved {
    /// The last epoch, which no token reaches, and the sessions that were live.
    pub revoked: UserRevoked,
    /// The API keys that were not revoked before.
    pub api_keys: Vec<ApiKeyId>,
}

/// A use of a session, noted behind the answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Use {
    /// Which session.
    pub sid: Sid,
    /// Last verified request.
    pub seen_at: Option<Timestamp>,
    /// A generation seen in use, and when.
    pub confirmed: Option<(Generation, Timestamp)>,
}

/// A use of an API key, noted behind the answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyUse {
    /// Which key.
    pub id: ApiKeyId,
    /// Last verified request.
    pub at: Option<Timestamp>,
    /// Networks that are new to it.
    pub networks: Vec<NetworkTag>,
}

/// What became of [`super::Store::create_api_key`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyCreated {
    /// It is stored.
    Created,
    /// Its owner has as many as allowed.
    LimitReached,
    /// There is no such user, or it is disabled.
    NoOwner,
}

/// What a node must hold in memory to refuse dead tokens.
#[derive(Clone, Debug, Default)]
pub struct RevocationsSince {
    /// Sessions ended since, and when.
    pub ended: Vec<(Sid, Timestamp)>,
    /// Epochs raised since, and when.
    pub epochs: Vec<(UserId, Epoch, Timestamp)>,
    /// All abandoned generations whose access tokens could still be good.
    pub abandoned: Vec<(Sid, Abandoned)>,
}

/// What a single-use code is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum CodeKind {
    /// Confirms an address and creates the account.
    SignUp,
    /// An operator's invitation.
    Invite,
}

impl CodeKind {
    /// Stable word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignUp => "sign_up",
            Self::Invite => "invite",
        }
    }
}

/// A single-use code. Only its hash is stored (D08, F09).
#[derive(Clone, Debug)]
pub struct Code {
    /// SHA-256 of the code.
    pub hash: [u8; 32],
    /// What for.
    pub kind: CodeKind,
    /// The address it was mailed to.
    pub email: Email,
    /// The password chosen at sign-up, hashed.
    pub password: Option<PasswordHash>,
    /// Scopes of an invitation.
    pub scope: ScopeSet,
    /// Until when it works.
    pub expires_at: Timestamp,
}

/// What became of [`super::Store::accept_invitation`].
#[derive(Clone, Debug)]
pub enum Accepted {
    /// The user exists now, as returned, and the invitation is gone.
    Created(User),
    /// No such invitation for this address, or no longer. Said before anything about the address (F06).
    NoInvitation,
    /// The address is taken; the invitation stays.
    Taken,
}

/// When a new signing key is added.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AddKey {
    /// In any case.
    Always,
    /// Only where there is none yet: two nodes may start at once.
    IfFirst,
    /// Only if no key that is not revoked signs from later than this on: two nodes may find the key due at once.
    IfNoneAfter(Timestamp),
}

/// Where a sealed value is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SealedPlace {
    /// The private part of the signing key whose `kid` is the name.
    SigningKey,
    /// Under its name, see [`super::Store::sealed`].
    Value,
}

/// A value sealed under a master secret, wherever it is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SealedValue {
    /// Where.
    pub place: SealedPlace,
    /// What it is called there.
    pub name: Box<str>,
    /// Sealed.
    pub value: Vec<u8>,
}

/// An upstream's token as it is kept: sealed, nothing that can be presented (D08).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeptToken {
    /// Whose.
    pub holder: Holder,
    /// Which upstream's, by name.
    pub upstream: Box<str>,
    /// Another with each write; never negative.
    pub revision: i64,
    /// What it is sealed under.
    pub master_key: KeyId,
    /// Sealed.
    pub sealed: Vec<u8>,
    /// When nobody needs it any more.
    pub expires_at: Timestamp,
}

/// Sessions that were opened with one master secret and could still be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpenedWith {
    /// The master secret.
    pub master_key: KeyId,
    /// How many sessions.
    pub sessions: u64,
    /// When the last of them expires.
    pub until: Timestamp,
}

/// What became of [`super::Store::identify`].
#[derive(Clone, Debug)]
pub enum Identified {
    /// The identity is this user's.
    Known(User),
    /// It was nobody's, and is the new user's now.
    Created(User),
    /// It is nobody's, and somebody else has the new user's address; nothing changed.
    EmailTaken,
}

/// Part of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Whether there are more.
    pub more: bool,
}
