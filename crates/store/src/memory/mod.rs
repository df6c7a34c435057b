//! A store in memory, for tests: the same answers as the durable ones, nothing survives.

mod accounts;
mod api_keys;
mod state;
mod upkeep;
mod upstream_tokens;

use std::sync::{Mutex, MutexGuard, PoisonError};

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

use state::State;

/// Keeps everything in memory behind one lock, so that every verb is atomic.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<State>);

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    async fn create_user(&self, new: NewUser) -> Result<bool, StoreError> {
        self.state().create_user(new.user)
    }

    async fn user(&self, id: &UserId) -> Result<Option<User>, StoreError> {
        Ok(self.state().user(id))
    }

    async fn user_by_email(&self, email: &Email) -> Result<Option<User>, StoreError> {
        Ok(self.state().user_by_email(email))
    }

    async fn users(&self, after: Option<&Email>, limit: u32) -> Result<Page<User>, StoreError> {
        Ok(self.state().users(after, limit))
    }

    async fn set_password(&self, new: NewPassword) -> Result<Option<UserRevoked>, StoreError> {
        let mut state = self.state();
        if new.asked_by.as_ref().is_some_and(|asked| !state.still_asks(&new.user, asked)) {
            return Ok(None);
        }
        let revoked = state.revoke_user(&new.user, EndReason::PasswordChanged, new.at);
        if revoked.is_some() {
            state.set_hash(&new.user, new.hash);
        }
        Ok(revoked)
    }

    async fn upgrade_password(
        &self,
        user: &UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<(), StoreError> {
        self.state().upgrade_password(user, old, new);
        Ok(())
    }

    async fn set_disabled(
        &self,
        user: &UserId,
        disabled: bool,
        at: Timestamp,
    ) -> Result<Option<UserRevoked>, StoreError> {
        Ok(self.state().set_disabled(user, disabled, at))
    }

    async fn change_scope(
        &self,
        user: &UserId,
        change: &ScopeChange,
        at: Timestamp,
    ) -> Result<Option<ScopeChanged>, StoreError> {
        Ok(self.state().change_scope(user, change, at))
    }

    async fn remove_user(&self, user: &UserId, at: Timestamp) -> Result<Option<UserRemoved>, StoreError> {
        Ok(self.state().remove_user(user, at))
    }

    async fn user_by_identity(&self, identity: &Identity) -> Result<Option<User>, StoreError> {
        Ok(self.state().user_by_identity(identity))
    }

    async fn identify(&self, identity: &Identity, new: NewUser) -> Result<Identified, StoreError> {
        self.state().identify(identity, new.user)
    }

    async fn admit_attempt(
        &self,
        keys: &[(ThrottleKey, ThrottleRule)],
        at: Timestamp,
    ) -> Result<Admission, StoreError> {
        Ok(self.state().admit_attempt(keys, at))
    }

    async fn forgive_attempt(&self, key: ThrottleKey) -> Result<(), StoreError> {
        self.state().forgive_attempt(key);
        Ok(())
    }

    async fn clear_attempts(&self, keys: &[ThrottleKey]) -> Result<(), StoreError> {
        self.state().clear_attempts(keys);
        Ok(())
    }

    async fn open_session(
        &self,
        session: &Session,
        replaces: Option<Sid>,
        limit: Option<(u32, bool)>,
    ) -> Result<Opening, StoreError> {
        self.state().open_session(session, replaces, limit)
    }

    async fn session(&self, sid: Sid) -> Result<Option<Held>, StoreError> {
        Ok(self.state().held(sid))
    }

    async fn session_by_public_id(&self, id: &PublicId) -> Result<Option<Held>, StoreError> {
        Ok(self.state().held_by_public_id(id))
    }

    async fn sessions_of(&self, user: &UserId, with_ended: bool) -> Result<Vec<Session>, StoreError> {
        Ok(self.state().sessions_of(user, with_ended))
    }

    async fn rotate_if_current(
        &self,
        sid: Sid,
        judged: &RotationRecord,
        next: &RotationRecord,
        seen_at: Timestamp,
        device: &Device,
    ) -> Result<Rotated, StoreError> {
        Ok(self.state().rotate(sid, judged, next, seen_at, device))
    }

    async fn note_uses(&self, uses: &[Use]) -> Result<(), StoreError> {
        self.state().note_uses(uses);
        Ok(())
    }

    async fn revoke_session(
        &self,
        sid: Sid,
        reason: EndReason,
        at: Timestamp,
    ) -> Result<Option<Ended>, StoreError> {
        Ok(self.state().revoke_session(sid, reason, at))
    }

    async fn revoke_other_sessions(
        &self,
        user: &UserId,
        keep: Sid,
        reason: EndReason,
        at: Timestamp,
    ) -> Result<Vec<Sid>, StoreError> {
        Ok(self.state().end_where(reason, at, |s| s.user == *user && s.sid != keep))
    }

    async fn revoke_user(
        &self,
        user: &UserId,
        reason: EndReason,
        at: Timestamp,
    ) -> Result<Option<UserRevoked>, StoreError> {
        Ok(self.state().revoke_user(user, reason, at))
    }

    async fn revoke_everyone(&self, reason: EndReason, at: Timestamp) -> Result<Vec<Sid>, StoreError> {
        Ok(self.state().revoke_everyone(reason, at))
    }

    async fn revocations_since(
        &self,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<RevocationsSince, StoreError> {
        Ok(self.state().revocations_since(since, now))
    }

    async fn remember_device(
        &self,
        user: &UserId,
        device: ThrottleKey,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.state().remember_device(user, device, at);
        Ok(())
    }

    async fn known_device(
        &self,
        user: &UserId,
        devices: &[ThrottleKey],
    ) -> Result<Option<ThrottleKey>, StoreError> {
        Ok(self.state().known_device(user, devices))
    }

    async fn put_code(&self, code: Code) -> Result<(), StoreError> {
        self.state().put_code(code)
    }

    async fn code(&self, hash: &[u8; 32], kind: CodeKind, at: Timestamp) -> Result<Option<Code>, StoreError> {
        Ok(self.state().code(hash, kind, at))
    }

    async fn consume_code(
        &self,
        hash: &[u8; 32],
        kind: CodeKind,
        at: Timestamp,
    ) -> Result<Option<Code>, StoreError> {
        Ok(self.state().consume_code(hash, kind, at))
    }

    async fn accept_invitation(
        &self,
        hash: &[u8; 32],
        new: NewUser,
        at: Timestamp,
    ) -> Result<Accepted, StoreError> {
        self.state().accept_invitation(hash, new.user, at)
    }

    async fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        Ok(self.state().signing_keys())
    }

    async fn add_signing_key(&self, key: &SigningKey, when: AddKey) -> Result<bool, StoreError> {
        Ok(self.state().add_signing_key(key, when))
    }

    async fn hasten_signing_key(&self, kid: &str, at: Timestamp) -> Result<bool, StoreError> {
        Ok(self.state().hasten_signing_key(kid, at))
    }

    async fn revoke_signing_key(&self, kid: &str, at: Timestamp) -> Result<bool, StoreError> {
        Ok(self.state().revoke_signing_key(kid, at))
    }

    async fn sealed(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.state().sealed(name))
    }

    async fn put_sealed_if_absent(&self, name: &str, value: &[u8]) -> Result<Vec<u8>, StoreError> {
        Ok(self.state().put_sealed_if_absent(name, value))
    }

    async fn sealed_values(&self) -> Result<Vec<SealedValue>, StoreError> {
        Ok(self.state().sealed_values())
    }

    async fn reseal(&self, old: &SealedValue, new: &[u8]) -> Result<bool, StoreError> {
        Ok(self.state().reseal(old, new))
    }

    async fn sessions_by_master_key(
        &self,
        now: Timestamp,
        used_since: Timestamp,
    ) -> Result<Vec<OpenedWith>, StoreError> {
        Ok(self.state().opened_with(now, used_since))
    }

    async fn upstream_token(&self, holder: Holder, upstream: &str) -> Result<Option<KeptToken>, StoreError> {
        Ok(self.state().upstream_token(holder, upstream))
    }

    async fn keep_upstream_token(&self, token: &KeptToken, was: Option<i64>) -> Result<bool, StoreError> {
        Ok(self.state().keep_upstream_token(token, was))
    }

    async fn forget_upstream_token(&self, holder: Holder, upstream: &str) -> Result<(), StoreError> {
        self.state().forget_upstream_token(holder, upstream);
        Ok(())
    }

    async fn upstream_tokens_by_master_key(&self) -> Result<Vec<(KeyId, u64)>, StoreError> {
        Ok(self.state().upstream_tokens_by_master_key())
    }

    async fn upstream_tokens_under(&self, key: KeyId, limit: u32) -> Result<Vec<KeptToken>, StoreError> {
        Ok(self.state().upstream_tokens_under(key, limit))
    }

    async fn create_api_key(&self, key: &ApiKey, limit: u32) -> Result<KeyCreated, StoreError> {
        self.state().create_api_key(key, limit)
    }

    async fn api_key(&self, id: ApiKeyId) -> Result<Option<HeldKey>, StoreError> {
        Ok(self.state().api_key(id))
    }

    async fn api_keys(&self, owner: Option<&UserId>) -> Result<Vec<HeldKey>, StoreError> {
        Ok(self.state().list_api_keys(owner))
    }

    async fn revoke_api_key(
        &self,
        id: ApiKeyId,
        owner: Option<&UserId>,
        at: Timestamp,
    ) -> Result<Option<ApiKey>, StoreError> {
        Ok(self.state().revoke_api_key(id, owner, at))
    }

    async fn revoke_api_keys_of(&self, owner: &UserId, at: Timestamp) -> Result<Vec<ApiKeyId>, StoreError> {
        Ok(self.state().revoke_api_keys_of(owner, at))
    }

    async fn note_key_uses(&self, uses: &[KeyUse]) -> Result<(), StoreError> {
        self.state().note_key_uses(uses);
        Ok(())
    }

    async fn append_events(&self, events: &[Event]) -> Result<(), StoreError> {
        self.state().append_events(events);
        Ok(())
    }

    async fn events(&self, filter: &EventFilter) -> Result<Vec<(u64, Event)>, StoreError> {
        Ok(self.state().events(filter))
    }

    async fn purge(
        &self,
        sessions_before: Timestamp,
        events_before: Timestamp,
        now: Timestamp,
        batch: u32,
    ) -> Result<u64, StoreError> {
        Ok(self.state().purge(sessions_before, events_before, now, batch))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
