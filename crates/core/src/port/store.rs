//! Durable state. Every verb is one atomic decision, durable (fsynced) when it returns; there is no
//! read-then-write across calls (style rule 4).

use crate::domain::api_key::{ApiKey, ApiKeyId, HeldKey};
use crate::domain::device::Device;
use crate::domain::event::{Event, EventFilter};
use crate::domain::id::{KeyId, PublicId, Sid, UserId};
use crate::domain::identity::Identity;
use crate::domain::retrofit::Holder;
use crate::domain::rotation::RotationRecord;
use crate::domain::session::{EndReason, Ended, Held, Session};
use crate::domain::signing_key::SigningKey;
use crate::domain::throttle::{Admission, ThrottleKey, ThrottleRule};
use crate::domain::time::Timestamp;
use crate::domain::user::{Email, PasswordHash, User};

mod values;

pub use values::{
    Accepted, AddKey, AskedBy, Code, CodeKind, Identified, KeptToken, KeyCreated, KeyUse, NewPassword,
    NewUser, OpenedWith, Opening, Page, RevocationsSince, Rotated, ScopeChange, ScopeChanged, SealedPlace,
    SealedValue, StoreError, Use, UserRemoved, UserRevoked,
};

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
    /// Sets a password, raises the epoch and ends all of the user's sessions (D11). `None` without such a user, or where what [`NewPassword::asked_by`] says
    /// is no longer so.
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

    /// Changes a user's scopes. If they lose one, raises the epoch and ends all sessions, with [`EndReason::ScopeReduced`]. `None`
    /// without such a user.
    fn change_scope(
        &self,
        user: &UserId,
        change: &ScopeChange,
        at: Timestamp,
    ) -> impl Future<Output = Result<Option<ScopeChanged>, StoreError>> + Send;
    /// Erases a user and all that is theirs but events. The raised epoch stays among [`Self::revocations_since`]. `None` without
    /// such a user.
    fn remove_user(
        &self,
        user: &UserId,
        at: Timestamp,
    ) -> impl Future<Output = Result<Option<UserRemoved>, StoreError>> + Send;

    /// Whose an identity is.
    fn user_by_identity(
        &self,
        identity: &Identity,
    ) -> impl Future<Output = Result<Option<User>, StoreError>> + Send;
    /// Whose an identity is; if it is nobody's, creates `new.user` and gives it to them.
    fn identify(
        &self,
        identity: &Identity,
        new: NewUser,
    ) -> impl Future<Output = Result<Identified, StoreError>> + Send;

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
    /// A user's sessions, newest first; ended ones only if asked for; at most 200. Of more, those that a theft ended come before the
    /// newest: a thief who signs in over and over must not push what they did off the owner's list.
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
    /// A code that has not expired. It stays.
    fn code(
        &self,
        hash: &[u8; 32],
        kind: CodeKind,
        at: Timestamp,
    ) -> impl Future<Output = Result<Option<Code>, StoreError>> + Send;
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

    // ── tokens of upstreams ──

    /// An upstream's token.
    fn upstream_token(
        &self,
        holder: Holder,
        upstream: &str,
    ) -> impl Future<Output = Result<Option<KeptToken>, StoreError>> + Send;
    /// Keeps a token in place of the one with the revision `was`, or of whatever there is. `false`, and nothing changes, if there is
    /// another by now, or the holder is a session that has ended or never was.
    fn keep_upstream_token(
        &self,
        token: &KeptToken,
        was: Option<i64>,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
    /// Deletes a token. Those of a session go with it, in the step that ends it.
    fn forget_upstream_token(
        &self,
        holder: Holder,
        upstream: &str,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// How many are sealed under each master secret, by id; those without any are left out.
    fn upstream_tokens_by_master_key(
        &self,
    ) -> impl Future<Output = Result<Vec<(KeyId, u64)>, StoreError>> + Send;
    /// Some that are sealed under a master secret, at most `limit`.
    fn upstream_tokens_under(
        &self,
        key: KeyId,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<KeptToken>, StoreError>> + Send;

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
    /// revoked or expired, before `sessions_before`, events before `events_before`, expired codes, stale attempts, expired tokens of
    /// upstreams, passing users without sessions and API keys who were created before `sessions_before`. Returns how many rows went.
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
