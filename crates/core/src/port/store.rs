//! Durable state. Every verb is one atomic decision, durable (fsynced) when it returns; there is no
//! read-then-write across calls (style rule 4).

use crate::domain::api_key::{ApiKey, ApiKeyId, HeldKey, NetworkTag};
use crate::domain::device::Device;
use crate::domain::event::{Event, EventFilter};
use crate::domain::id::{Epoch, Generation, KeyId, PublicId, Sid, UserId};
use crate::domain::rotation::{Abandoned, RotationRecord};
use crate::domain::scope::ScopeSet;
use crate::domain::session::{EndReason, Ended, Held, Session};
use crate::domain::signing_key::SigningKey;
use crate::domain::throttle::{Admission, ThrottleKey, ThrottleRule};
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

/// What became of [`Store::open_session`].
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

/// What became of [`Store::rotate_if_current`].
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
}

/// What a verb that ends all of a user's sessions did.
#[derive(Clone, Debug)]
pub struct UserRevoked {
    /// The raised epoch.
    pub epoch: Epoch,
    /// The sessions that were live.
    pub ended: Vec<Sid>,
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

/// What became of [`Store::create_api_key`].
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

/// What became of [`Store::accept_invitation`].
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
    /// Under its name, see [`Store::sealed`].
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

/// Part of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Whether there are more.
    pub more: bool,
}

/// Durable state.
///
/// Every method fails with [`StoreError`] only; each is atomic, and durable when it returns `Ok`.
pub trait Store: Send + Sync {
    // ── users ──

    /// Creates a user. `false` when the address is taken; nothing changes then.
    fn create_user(&self, new: NewUser) -> impl Future<Output = Result<bool, StoreError>> + Send;
    /// A user by id.
    fn user(&self, id: &UserId) -> impl Future<Output = Result<Option<User>, StoreError>> + Send;
    /// A user by address.
    fn user_by_email(&self, email: &Email) -> impl Future<Output = Result<Option<User>, StoreError>> + Send;
    /// Users by address, after `after`, at most `limit`.
    fn users(
        &self,
        after: Option<&Email>,
        limit: u32,
    ) -> impl Future<Output = Result<Page<User>, StoreError>> + Send;
    /// Sets a password, raises the epoch and ends all of the user's sessions (D11). `None` without such a user.
    fn set_password(
        &self,
        new: NewPassword,
    ) -> impl Future<Output = Result<Option<UserRevoked>, StoreError>> + Send;
    /// Replaces a hash by one with stronger parameters if it still is `old`. Sessions stay (F04).
    fn upgrade_password(
        &self,
        user: &UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Disables a user, raises the epoch and ends all sessions; or enables again. `None` without such a user.
    fn set_disabled(
        &self,
        user: &UserId,
        disabled: bool,
        at: Timestamp,
    ) -> impl Future<Output = Result<Option<UserRevoked>, StoreError>> + Send;

    // ── guesses ──

    /// Counts an attempt for each key by `rule.admit`: all are admitted and counted, or none is (F08). Answers the state
    /// of the first key, or the latest `retry_at` of those that refuse.
    fn admit_attempt(
        &self,
        keys: &[(ThrottleKey, ThrottleRule)],
        at: Timestamp,
    ) -> impl Future<Output = Result<Admission, StoreError>> + Send;
    /// Takes one attempt of a key back: it was a success, and neither counts as a failure nor forgives any.
    fn forgive_attempt(&self, key: ThrottleKey) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Forgets the attempts of the keys, after a success.
    fn clear_attempts(&self, keys: &[ThrottleKey]) -> impl Future<Output = Result<(), StoreError>> + Send;

    // ── sessions ──

    /// Opens a session. `limit` is the number of live sessions that the user may have, this one included, and whether the oldest are
    /// ended (`true`) or the new one is refused (D14). "Live" is judged at `session.created_at` by `ended` and `expires_at`.
    /// `replaces` is ended in the same step, with [`EndReason::Replaced`].
    fn open_session(
        &self,
        session: &Session,
        replaces: Option<Sid>,
        limit: Option<(u32, bool)>,
    ) -> impl Future<Output = Result<Opening, StoreError>> + Send;
    /// A session with its user.
    fn session(&self, sid: Sid) -> impl Future<Output = Result<Option<Held>, StoreError>> + Send;
    /// A session by public id.
    fn session_by_public_id(
        &self,
        id: &PublicId,
    ) -> impl Future<Output = Result<Option<Held>, StoreError>> + Send;
    /// A user's sessions, newest first; ended ones only if asked for; at most 200.
    fn sessions_of(
        &self,
        user: &UserId,
        with_ended: bool,
    ) -> impl Future<Output = Result<Vec<Session>, StoreError>> + Send;
    /// Writes `next` if the session is not ended and its (`current`, `lost`) still are those of `judged`; `seen_at` and
    /// `device` replace what was seen last. A confirmation that was written meanwhile is no conflict,
    /// and is kept if `next` keeps the generation. `seen_at` never moves back.
    fn rotate_if_current(
        &self,
        sid: Sid,
        judged: &RotationRecord,
        next: &RotationRecord,
        seen_at: Timestamp,
        device: &Device,
    ) -> impl Future<Output = Result<Rotated, StoreError>> + Send;
    /// Notes uses: `seen_at` and confirmations only ever move forward; a confirmation counts only while its generation is
    /// current and unconfirmed.
    fn note_uses(&self, uses: &[Use]) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Ends a session. `None` if there is none or it had ended before; nothing changes then.
    fn revoke_session(
        &self,
        sid: Sid,
        reason: EndReason,
        at: Timestamp,
    ) -> impl Future<Output = Result<Option<Ended>, StoreError>> + Send;
    /// Ends all of a user's sessions but one. In this and the next two verbs only sessions that ended before are left
    /// out: one past its deadline is ended too, since leeway could let its last token pass.
    fn revoke_other_sessions(
        &self,
        user: &UserId,
        keep: Sid,
        reason: EndReason,
        at: Timestamp,
    ) -> impl Future<Output = Result<Vec<Sid>, StoreError>> + Send;
    /// Raises a user's epoch and ends all sessions. `None` without such a user.
    fn revoke_user(
        &self,
        user: &UserId,
        reason: EndReason,
        at: Timestamp,
    ) -> impl Future<Output = Result<Option<UserRevoked>, StoreError>> + Send;
    /// Raises every user's epoch and ends every session; returns the ones that were live.
    fn revoke_everyone(
        &self,
        reason: EndReason,
        at: Timestamp,
    ) -> impl Future<Output = Result<Vec<Sid>, StoreError>> + Send;
    /// What ended or was raised at or after `since`, and all abandoned ranges with `until` after `now`.
    fn revocations_since(
        &self,
        since: Timestamp,
        now: Timestamp,
    ) -> impl Future<Output = Result<RevocationsSince, StoreError>> + Send;

    // ── devices, codes, keys, sealed values ──

    /// Remembers a device of a user (a keyed hash).
    fn remember_device(
        &self,
        user: &UserId,
        device: ThrottleKey,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Whether one of these devices signed in as the user before, and which.
    fn known_device(
        &self,
        user: &UserId,
        devices: &[ThrottleKey],
    ) -> impl Future<Output = Result<Option<ThrottleKey>, StoreError>> + Send;
    /// Stores a single-use code. An invitation replaces earlier ones to the same address.
    fn put_code(&self, code: Code) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Takes a code that has not expired; a second call finds nothing.
    fn consume_code(
        &self,
        hash: &[u8; 32],
        kind: CodeKind,
        at: Timestamp,
    ) -> impl Future<Output = Result<Option<Code>, StoreError>> + Send;
    /// Creates `new.user` with the scope of an invitation that has not expired and is for the user's address, and takes all
    /// invitations to that address: all of it, or nothing. A step that fails must cost nobody their invitation.
    fn accept_invitation(
        &self,
        hash: &[u8; 32],
        new: NewUser,
        at: Timestamp,
    ) -> impl Future<Output = Result<Accepted, StoreError>> + Send;
    /// All signing keys.
    fn signing_keys(&self) -> impl Future<Output = Result<Vec<SigningKey>, StoreError>> + Send;
    /// Adds a signing key if the condition holds. Returns whether it was added.
    fn add_signing_key(
        &self,
        key: &SigningKey,
        when: AddKey,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
    /// Lets a key that is not revoked sign from `at` on, if it would only later. Returns whether that changed anything.
    fn hasten_signing_key(
        &self,
        kid: &str,
        at: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
    /// Revokes a signing key. `false` without such a key.
    fn revoke_signing_key(
        &self,
        kid: &str,
        at: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
    /// A sealed value.
    fn sealed(&self, name: &str) -> impl Future<Output = Result<Option<Vec<u8>>, StoreError>> + Send;
    /// Stores a sealed value unless there is one, and returns the one that is stored.
    fn put_sealed_if_absent(
        &self,
        name: &str,
        value: &[u8],
    ) -> impl Future<Output = Result<Vec<u8>, StoreError>> + Send;
    /// Everything that is sealed, wherever it is kept.
    fn sealed_values(&self) -> impl Future<Output = Result<Vec<SealedValue>, StoreError>> + Send;
    /// Replaces a sealed value by the same one sealed anew, if it still is `old`. Returns whether it was.
    fn reseal(&self, old: &SealedValue, new: &[u8]) -> impl Future<Output = Result<bool, StoreError>> + Send;
    /// For each master secret the sessions that have not ended, expire after `now`, and were used at `used_since` or later.
    /// By id; those without any are left out. Reads all sessions: for operators.
    fn sessions_by_master_key(
        &self,
        now: Timestamp,
        used_since: Timestamp,
    ) -> impl Future<Output = Result<Vec<OpenedWith>, StoreError>> + Send;

    // ── API keys ──

    /// Stores a key, unless its owner has `limit` keys that are neither revoked nor expired at `key.created_at`.
    fn create_api_key(
        &self,
        key: &ApiKey,
        limit: u32,
    ) -> impl Future<Output = Result<KeyCreated, StoreError>> + Send;
    /// A key with its owner.
    fn api_key(&self, id: ApiKeyId) -> impl Future<Output = Result<Option<HeldKey>, StoreError>> + Send;
    /// The keys of one user, or of all, dead ones too, newest first; at most 1000.
    fn api_keys(
        &self,
        owner: Option<&UserId>,
    ) -> impl Future<Output = Result<Vec<HeldKey>, StoreError>> + Send;
    /// Revokes a key, if it is this owner's where one is given. The key as it is now: revoked since the first time. `None` without such a key.
    fn revoke_api_key(
        &self,
        id: ApiKeyId,
        owner: Option<&UserId>,
        at: Timestamp,
    ) -> impl Future<Output = Result<Option<ApiKey>, StoreError>> + Send;
    /// Revokes all of a user's keys; returns the ones that were not revoked before.
    fn revoke_api_keys_of(
        &self,
        owner: &UserId,
        at: Timestamp,
    ) -> impl Future<Output = Result<Vec<ApiKeyId>, StoreError>> + Send;
    /// Notes uses: `last_used_at` only moves forward, and the newest [`crate::domain::api_key::MAX_NETWORKS`] networks are kept.
    fn note_key_uses(&self, uses: &[KeyUse]) -> impl Future<Output = Result<(), StoreError>> + Send;

    // ── events and upkeep ──

    /// Appends events.
    fn append_events(&self, events: &[Event]) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Reads events in the order in which they were appended, each with its row number.
    fn events(
        &self,
        filter: &EventFilter,
    ) -> impl Future<Output = Result<Vec<(u64, Event)>, StoreError>> + Send;
    /// Deletes what is no longer of use, at most `batch` rows of each kind: sessions that ended or expired, and API keys that were
    /// revoked or expired, before `sessions_before`, events before `events_before`, expired codes, stale attempts. Returns how many
    /// rows went.
    fn purge(
        &self,
        sessions_before: Timestamp,
        events_before: Timestamp,
        now: Timestamp,
        batch: u32,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;
    /// A round trip, for readiness.
    fn ping(&self) -> impl Future<Output = Result<(), StoreError>> + Send;
}
