//! The choice of store, made once at start.

use countersign_core::domain::api_key::{ApiKey, ApiKeyId, HeldKey};
use countersign_core::domain::device::Device;
use countersign_core::domain::event::{Event, EventFilter};
use countersign_core::domain::id::{KeyId, PublicId, Sid, UserId};
use countersign_core::domain::identity::Identity;
use countersign_core::domain::retrofit::Holder;
use countersign_core::domain::rotation::RotationRecord;
use countersign_core::domain::session::{EndReason, Ended, Held, Session};
use countersign_core::domain::signing_key::SigningKey;
use countersign_core::domain::throttle::{Admission, ThrottleKey, ThrottleRule};
use countersign_core::domain::time::Timestamp;
use countersign_core::domain::user::{Email, PasswordHash, User};
use countersign_core::port::{
    Accepted, AddKey, Code, CodeKind, Identified, KeptToken, KeyCreated, KeyUse, NewPassword, NewUser,
    OpenedWith, Opening, Page, RevocationsSince, Rotated, ScopeChange, ScopeChanged, SealedValue, Store,
    StoreError, Use, UserRemoved, UserRevoked,
};

use crate::{MemoryStore, SqliteStore};

/// A store of any kind; every verb goes straight to it.
#[derive(Debug)]
pub enum AnyStore {
    /// For tests: gone when it is dropped.
    Memory(MemoryStore),
    /// One node.
    Sqlite(SqliteStore),
}

// A further kind of store is one more variant above and one more arm here.
macro_rules! delegate {
    ($self:ident, $store:ident => $call:expr) => {
        match $self {
            Self::Memory($store) => $call.await,
            Self::Sqlite($store) => $call.await,
        }
    };
}

impl Store for AnyStore {
    async fn create_user(&self, new: NewUser) -> Result<bool, StoreError> {
        delegate!(self, store => store.create_user(new))
    }

    async fn user(&self, id: &UserId) -> Result<Option<User>, StoreError> {
        delegate!(self, store => store.user(id))
    }

    async fn user_by_email(&self, email: &Email) -> Result<Option<User>, StoreError> {
        delegate!(self, store => store.user_by_email(email))
    }

    async fn users(&self, after: Option<&Email>, limit: u32) -> Result<Page<User>, StoreError> {
        delegate!(self, store => store.users(after, limit))
    }

    async fn set_password(&self, new: NewPassword) -> Result<Option<UserRevoked>, StoreError> {
        delegate!(self, store => store.set_password(new))
    }

    async fn upgrade_password(
        &self,
        user: &UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<(), StoreError> {
        delegate!(self, store => store.upgrade_password(user, old, new))
    }

    async fn set_disabled(
        &self,
        user: &UserId,
        disabled: bool,
        at: Timestamp,
    ) -> Result<Option<UserRevoked>, StoreError> {
        delegate!(self, store => store.set_disabled(user, disabled, at))
    }

    async fn change_scope(
        &self,
        user: &UserId,
        change: &ScopeChange,
        at: Timestamp,
    ) -> Result<Option<ScopeChanged>, StoreError> {
        delegate!(self, store => store.change_scope(user, change, at))
    }

    async fn remove_user(&self, user: &UserId, at: Timestamp) -> Result<Option<UserRemoved>, StoreError> {
        delegate!(self, store => store.remove_user(user, at))
    }

    async fn user_by_identity(&self, identity: &Identity) -> Result<Option<User>, StoreError> {
        delegate!(self, store => store.user_by_identity(identity))
    }

    async fn identify(&self, identity: &Identity, new: NewUser) -> Result<Identified, StoreError> {
        delegate!(self, store => store.identify(identity, new))
    }

    async fn admit_attempt(
        &self,
        keys: &[(ThrottleKey, ThrottleRule)],
        at: Timestamp,
    ) -> Result<Admission, StoreError> {
        delegate!(self, store => store.admit_attempt(keys, at))
    }

    async fn forgive_attempt(&self, key: ThrottleKey) -> Result<(), StoreError> {
        delegate!(self, store => store.forgive_attempt(key))
    }

    async fn clear_attempts(&self, keys: &[ThrottleKey]) -> Result<(), StoreError> {
        delegate!(self, store => store.clear_attempts(keys))
    }

    async fn open_session(
        &self,
        session: &Session,
        replaces: Option<Sid>,
        limit: Option<(u32, bool)>,
    ) -> Result<Opening, StoreError> {
        delegate!(self, store => store.open_session(session, replaces, limit))
    }

    async fn session(&self, sid: Sid) -> Result<Option<Held>, StoreError> {
        delegate!(self, store => store.session(sid))
    }

    async fn session_by_public_id(&self, id: &PublicId) -> Result<Option<Held>, StoreError> {
        delegate!(self, store => store.session_by_public_id(id))
    }

    async fn sessions_of(&self, user: &UserId, with_ended: bool) -> Result<Vec<Session>, StoreError> {
        delegate!(self, store => store.sessions_of(user, with_ended))
    }

    async fn rotate_if_current(
        &self,
        sid: Sid,
        judged: &RotationRecord,
        next: &RotationRecord,
        seen_at: Timestamp,
        device: &Device,
    ) -> Result<Rotated, StoreError> {
        delegate!(self, store => store.rotate_if_current(sid, judged, next, seen_at, device))
    }

    async fn note_uses(&self, uses: &[Use]) -> Result<(), StoreError> {
        delegate!(self, store => store.note_uses(uses))
    }

    async fn revoke_session(
        &self,
        sid: Sid,
        reason: EndReason,
        at: Timestamp,
    ) -> Result<Option<Ended>, StoreError> {
        delegate!(self, store => store.revoke_session(sid, reason, at))
    }

    async fn revoke_other_sessions(
        &self,
        user: &UserId,
        keep: Sid,
        reason: EndReason,
        at: Timestamp,
    ) -> Result<Vec<Sid>, StoreError> {
        delegate!(self, store => store.revoke_other_sessions(user, keep, reason, at))
    }

    async fn revoke_user(
        &self,
        user: &UserId,
        reason: EndReason,
        at: Timestamp,
    ) -> Result<Option<UserRevoked>, StoreError> {
        delegate!(self, store => store.revoke_user(user, reason, at))
    }

    async fn revoke_everyone(&self, reason: EndReason, at: Timestamp) -> Result<Vec<Sid>, StoreError> {
        delegate!(self, store => store.revoke_everyone(reason, at))
    }

    async fn revocations_since(
        &self,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<RevocationsSince, StoreError> {
        delegate!(self, store => store.revocations_since(since, now))
    }

    async fn remember_device(
        &self,
        user: &UserId,
        device: ThrottleKey,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        delegate!(self, store => store.remember_device(user, device, at))
    }

    async fn known_device(
        &self,
        user: &UserId,
        devices: &[ThrottleKey],
    ) -> Result<Option<ThrottleKey>, StoreError> {
        delegate!(self, store => store.known_device(user, devices))
    }

    async fn put_code(&self, code: Code) -> Result<(), StoreError> {
        delegate!(self, store => store.put_code(code))
    }

    async fn code(&self, hash: &[u8; 32], kind: CodeKind, at: Timestamp) -> Result<Option<Code>, StoreError> {
        delegate!(self, store => store.code(hash, kind, at))
    }

    async fn consume_code(
        &self,
        hash: &[u8; 32],
        kind: CodeKind,
        at: Timestamp,
    ) -> Result<Option<Code>, StoreError> {
        delegate!(self, store => store.consume_code(hash, kind, at))
    }

    async fn accept_invitation(
        &self,
        hash: &[u8; 32],
        new: NewUser,
        at: Timestamp,
    ) -> Result<Accepted, StoreError> {
        delegate!(self, store => store.accept_invitation(hash, new, at))
    }

    async fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        delegate!(self, store => store.signing_keys())
    }

    async fn add_signing_key(&self, key: &SigningKey, when: AddKey) -> Result<bool, StoreError> {
        delegate!(self, store => store.add_signing_key(key, when))
    }

    async fn hasten_signing_key(&self, kid: &str, at: Timestamp) -> Result<bool, StoreError> {
        delegate!(self, store => store.hasten_signing_key(kid, at))
    }

    async fn revoke_signing_key(&self, kid: &str, at: Timestamp) -> Result<bool, StoreError> {
        delegate!(self, store => store.revoke_signing_key(kid, at))
    }

    async fn sealed(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        delegate!(self, store => store.sealed(name))
    }

    async fn put_sealed_if_absent(&self, name: &str, value: &[u8]) -> Result<Vec<u8>, StoreError> {
        delegate!(self, store => store.put_sealed_if_absent(name, value))
    }

    async fn sealed_values(&self) -> Result<Vec<SealedValue>, StoreError> {
        delegate!(self, store => store.sealed_values())
    }

    async fn reseal(&self, old: &SealedValue, new: &[u8]) -> Result<bool, StoreError> {
        delegate!(self, store => store.reseal(old, new))
    }

    async fn sessions_by_master_key(
        &self,
        now: Timestamp,
        used_since: Timestamp,
    ) -> Result<Vec<OpenedWith>, StoreError> {
        delegate!(self, store => store.sessions_by_master_key(now, used_since))
    }

    async fn upstream_token(&self, holder: Holder, upstream: &str) -> Result<Option<KeptToken>, StoreError> {
        delegate!(self, store => store.upstream_token(holder, upstream))
    }

    async fn keep_upstream_token(&self, token: &KeptToken, was: Option<i64>) -> Result<bool, StoreError> {
        delegate!(self, store => store.keep_upstream_token(token, was))
    }

    async fn forget_upstream_token(&self, holder: Holder, upstream: &str) -> Result<(), StoreError> {
        delegate!(self, store => store.forget_upstream_token(holder, upstream))
    }

    async fn upstream_tokens_by_master_key(&self) -> Result<Vec<(KeyId, u64)>, StoreError> {
        delegate!(self, store => store.upstream_tokens_by_master_key())
    }

    async fn upstream_tokens_under(&self, key: KeyId, limit: u32) -> Result<Vec<KeptToken>, StoreError> {
        delegate!(self, store => store.upstream_tokens_under(key, limit))
    }

    async fn create_api_key(&self, key: &ApiKey, limit: u32) -> Result<KeyCreated, StoreError> {
        delegate!(self, store => store.create_api_key(key, limit))
    }

    async fn api_key(&self, id: ApiKeyId) -> Result<Option<HeldKey>, StoreError> {
        delegate!(self, store => store.api_key(id))
    }

    async fn api_keys(&self, owner: Option<&UserId>) -> Result<Vec<HeldKey>, StoreError> {
        delegate!(self, store => store.api_keys(owner))
    }

    async fn revoke_api_key(
        &self,
        id: ApiKeyId,
        owner: Option<&UserId>,
        at: Timestamp,
    ) -> Result<Option<ApiKey>, StoreError> {
        delegate!(self, store => store.revoke_api_key(id, owner, at))
    }

    async fn revoke_api_keys_of(&self, owner: &UserId, at: Timestamp) -> Result<Vec<ApiKeyId>, StoreError> {
        delegate!(self, store => store.revoke_api_keys_of(owner, at))
    }

    async fn note_key_uses(&self, uses: &[KeyUse]) -> Result<(), StoreError> {
        delegate!(self, store => store.note_key_uses(uses))
    }

    async fn append_events(&self, events: &[Event]) -> Result<(), StoreError> {
        delegate!(self, store => store.append_events(events))
    }

    async fn events(&self, filter: &EventFilter) -> Result<Vec<(u64, Event)>, StoreError> {
        delegate!(self, store => store.events(filter))
    }

    async fn purge(
        &self,
        sessions_before: Timestamp,
        events_before: Timestamp,
        now: Timestamp,
        batch: u32,
    ) -> Result<u64, StoreError> {
        delegate!(self, store => store.purge(sessions_before, events_before, now, batch))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        delegate!(self, store => store.ping())
    }
}
