//! The port over writer and readers: each verb hands its statement to the right thread.

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

use super::SqliteStore;
use super::row::first;
use super::verbs::rotation::Step;
use super::verbs::{
    accounts, api_keys, attempts, codes, events, keys, purge, revocation, rotation, sessions,
    upstream_tokens, users,
};

impl Store for SqliteStore {
    async fn create_user(&self, new: NewUser) -> Result<bool, StoreError> {
        self.writer.write(move |c| users::create(c, &new.user)).await
    }

    async fn user(&self, id: &UserId) -> Result<Option<User>, StoreError> {
        let id = id.clone();
        self.readers.read(move |c| users::by_id(c, &id)).await
    }

    async fn user_by_email(&self, email: &Email) -> Result<Option<User>, StoreError> {
        let email = email.clone();
        self.readers.read(move |c| users::by_email(c, &email)).await
    }

    async fn users(&self, after: Option<&Email>, limit: u32) -> Result<Page<User>, StoreError> {
        let after = after.cloned();
        self.readers.read(move |c| users::page(c, after.as_ref(), limit)).await
    }

    async fn set_password(&self, new: NewPassword) -> Result<Option<UserRevoked>, StoreError> {
        self.writer.write(move |c| users::set_password(c, &new)).await
    }

    async fn upgrade_password(
        &self,
        user: &UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<(), StoreError> {
        let (user, old, new) = (user.clone(), old.clone(), new.clone());
        self.writer.write(move |c| users::upgrade_password(c, &user, &old, &new)).await
    }

    async fn set_disabled(
        &self,
        user: &UserId,
        disabled: bool,
        at: Timestamp,
    ) -> Result<Option<UserRevoked>, StoreError> {
        let user = user.clone();
        self.writer.write(move |c| users::set_disabled(c, &user, disabled, at)).await
    }

    async fn change_scope(
        &self,
        user: &UserId,
        change: &ScopeChange,
        at: Timestamp,
    ) -> Result<Option<ScopeChanged>, StoreError> {
        let (user, change) = (user.clone(), change.clone());
        self.writer.write(move |c| accounts::change_scope(c, &user, &change, at)).await
    }

    async fn remove_user(&self, user: &UserId, at: Timestamp) -> Result<Option<UserRemoved>, StoreError> {
        let user = user.clone();
        self.writer.write(move |c| accounts::remove(c, &user, at)).await
    }

    async fn user_by_identity(&self, identity: &Identity) -> Result<Option<User>, StoreError> {
        let identity = identity.clone();
        self.readers.read(move |c| users::by_identity(c, &identity)).await
    }

    async fn identify(&self, identity: &Identity, new: NewUser) -> Result<Identified, StoreError> {
        let identity = identity.clone();
        self.writer.write(move |c| users::identify(c, &identity, new.user)).await
    }

    async fn admit_attempt(
        &self,
        keys: &[(ThrottleKey, ThrottleRule)],
        at: Timestamp,
    ) -> Result<Admission, StoreError> {
        let keys = keys.to_vec();
        self.writer.write(move |c| attempts::admit(c, &keys, at)).await
    }

    async fn forgive_attempt(&self, key: ThrottleKey) -> Result<(), StoreError> {
        self.writer.write(move |c| attempts::forgive(c, key)).await
    }

    async fn clear_attempts(&self, keys: &[ThrottleKey]) -> Result<(), StoreError> {
        let keys = keys.to_vec();
        self.writer.write(move |c| attempts::clear(c, &keys)).await
    }

    async fn open_session(
        &self,
        session: &Session,
        replaces: Option<Sid>,
        limit: Option<(u32, bool)>,
    ) -> Result<Opening, StoreError> {
        let session = session.clone();
        self.writer.write(move |c| sessions::open(c, &session, replaces, limit)).await
    }

    async fn session(&self, sid: Sid) -> Result<Option<Held>, StoreError> {
        self.readers.point(move |c| sessions::held(c, sid)).await
    }

    async fn session_by_public_id(&self, id: &PublicId) -> Result<Option<Held>, StoreError> {
        let id = id.clone();
        self.readers.read(move |c| sessions::held_by_public_id(c, &id)).await
    }

    async fn sessions_of(&self, user: &UserId, with_ended: bool) -> Result<Vec<Session>, StoreError> {
        let user = user.clone();
        self.readers.read(move |c| sessions::of_user(c, &user, with_ended)).await
    }

    async fn rotate_if_current(
        &self,
        sid: Sid,
        judged: &RotationRecord,
        next: &RotationRecord,
        seen_at: Timestamp,
        device: &Device,
    ) -> Result<Rotated, StoreError> {
        let step = Step { sid, judged: judged.clone(), next: next.clone(), seen_at, device: device.clone() };
        self.writer.write(move |c| rotation::if_current(c, &step)).await
    }

    async fn note_uses(&self, uses: &[Use]) -> Result<(), StoreError> {
        let uses = uses.to_vec();
        self.writer.write(move |c| rotation::note_uses(c, &uses)).await
    }

    async fn revoke_session(
        &self,
        sid: Sid,
        reason: EndReason,
        at: Timestamp,
    ) -> Result<Option<Ended>, StoreError> {
        self.writer.write(move |c| revocation::end_session(c, sid, reason, at)).await
    }

    async fn revoke_other_sessions(
        &self,
        user: &UserId,
        keep: Sid,
        reason: EndReason,
        at: Timestamp,
    ) -> Result<Vec<Sid>, StoreError> {
        let user = user.clone();
        self.writer.write(move |c| revocation::end_others(c, &user, keep, reason, at)).await
    }

    async fn revoke_user(
        &self,
        user: &UserId,
        reason: EndReason,
        at: Timestamp,
    ) -> Result<Option<UserRevoked>, StoreError> {
        let user = user.clone();
        self.writer.write(move |c| revocation::end_user(c, &user, reason, at)).await
    }

    async fn revoke_everyone(&self, reason: EndReason, at: Timestamp) -> Result<Vec<Sid>, StoreError> {
        self.writer.write(move |c| revocation::end_everyone(c, reason, at)).await
    }

    async fn revocations_since(
        &self,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<RevocationsSince, StoreError> {
        self.readers.read(move |c| revocation::since(c, since, now)).await
    }

    async fn remember_device(
        &self,
        user: &UserId,
        device: ThrottleKey,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let user = user.clone();
        self.writer.write(move |c| attempts::remember_device(c, &user, device, at)).await
    }

    async fn known_device(
        &self,
        user: &UserId,
        devices: &[ThrottleKey],
    ) -> Result<Option<ThrottleKey>, StoreError> {
        let (user, devices) = (user.clone(), devices.to_vec());
        self.readers.read(move |c| attempts::known_device(c, &user, &devices)).await
    }

    async fn put_code(&self, code: Code) -> Result<(), StoreError> {
        self.writer.write(move |c| codes::put(c, &code)).await
    }

    async fn code(&self, hash: &[u8; 32], kind: CodeKind, at: Timestamp) -> Result<Option<Code>, StoreError> {
        let hash = *hash;
        self.readers.read(move |c| codes::find(c, &hash, kind, at)).await
    }

    async fn consume_code(
        &self,
        hash: &[u8; 32],
        kind: CodeKind,
        at: Timestamp,
    ) -> Result<Option<Code>, StoreError> {
        let hash = *hash;
        self.writer.write(move |c| codes::consume(c, &hash, kind, at)).await
    }

    async fn accept_invitation(
        &self,
        hash: &[u8; 32],
        new: NewUser,
        at: Timestamp,
    ) -> Result<Accepted, StoreError> {
        let hash = *hash;
        self.writer.write(move |c| codes::accept_invitation(c, &hash, new.user, at)).await
    }

    async fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        self.readers.read(keys::every).await
    }

    async fn add_signing_key(&self, key: &SigningKey, when: AddKey) -> Result<bool, StoreError> {
        let key = key.clone();
        self.writer.write(move |c| keys::add(c, &key, when)).await
    }

    async fn hasten_signing_key(&self, kid: &str, at: Timestamp) -> Result<bool, StoreError> {
        let kid = kid.to_owned();
        self.writer.write(move |c| keys::hasten(c, &kid, at)).await
    }

    async fn revoke_signing_key(&self, kid: &str, at: Timestamp) -> Result<bool, StoreError> {
        let kid = kid.to_owned();
        self.writer.write(move |c| keys::revoke(c, &kid, at)).await
    }

    async fn sealed(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let name = name.to_owned();
        self.readers.read(move |c| keys::sealed(c, &name)).await
    }

    async fn put_sealed_if_absent(&self, name: &str, value: &[u8]) -> Result<Vec<u8>, StoreError> {
        let (name, value) = (name.to_owned(), value.to_vec());
        self.writer.write(move |c| keys::put_sealed(c, &name, &value)).await
    }

    async fn sealed_values(&self) -> Result<Vec<SealedValue>, StoreError> {
        self.readers.read(keys::every_sealed).await
    }

    async fn reseal(&self, old: &SealedValue, new: &[u8]) -> Result<bool, StoreError> {
        let (old, new) = (old.clone(), new.to_vec());
        self.writer.write(move |c| keys::reseal(c, &old, &new)).await
    }

    async fn sessions_by_master_key(
        &self,
        now: Timestamp,
        used_since: Timestamp,
    ) -> Result<Vec<OpenedWith>, StoreError> {
        self.readers.read(move |c| keys::opened_with(c, now, used_since)).await
    }

    async fn upstream_token(&self, holder: Holder, upstream: &str) -> Result<Option<KeptToken>, StoreError> {
        let upstream = upstream.to_owned();
        self.readers.point(move |c| upstream_tokens::by_holder(c, holder, &upstream)).await
    }

    async fn keep_upstream_token(&self, token: &KeptToken, was: Option<i64>) -> Result<bool, StoreError> {
        let token = token.clone();
        self.writer.write(move |c| upstream_tokens::keep(c, &token, was)).await
    }

    async fn forget_upstream_token(&self, holder: Holder, upstream: &str) -> Result<(), StoreError> {
        let upstream = upstream.to_owned();
        self.writer.write(move |c| upstream_tokens::forget(c, holder, &upstream)).await
    }

    async fn upstream_tokens_by_master_key(&self) -> Result<Vec<(KeyId, u64)>, StoreError> {
        self.readers.read(upstream_tokens::counted).await
    }

    async fn upstream_tokens_under(&self, key: KeyId, limit: u32) -> Result<Vec<KeptToken>, StoreError> {
        self.readers.read(move |c| upstream_tokens::under(c, key, limit)).await
    }

    async fn create_api_key(&self, key: &ApiKey, limit: u32) -> Result<KeyCreated, StoreError> {
        let key = key.clone();
        self.writer.write(move |c| api_keys::create(c, &key, limit)).await
    }

    async fn api_key(&self, id: ApiKeyId) -> Result<Option<HeldKey>, StoreError> {
        self.readers.point(move |c| api_keys::by_id(c, id)).await
    }

    async fn api_keys(&self, owner: Option<&UserId>) -> Result<Vec<HeldKey>, StoreError> {
        let owner = owner.cloned();
        self.readers.read(move |c| api_keys::list(c, owner.as_ref())).await
    }

    async fn revoke_api_key(
        &self,
        id: ApiKeyId,
        owner: Option<&UserId>,
        at: Timestamp,
    ) -> Result<Option<ApiKey>, StoreError> {
        let owner = owner.cloned();
        self.writer.write(move |c| api_keys::revoke(c, id, owner.as_ref(), at)).await
    }

    async fn revoke_api_keys_of(&self, owner: &UserId, at: Timestamp) -> Result<Vec<ApiKeyId>, StoreError> {
        let owner = owner.clone();
        self.writer.write(move |c| api_keys::revoke_all_of(c, &owner, at)).await
    }

    async fn note_key_uses(&self, uses: &[KeyUse]) -> Result<(), StoreError> {
        let uses = uses.to_vec();
        self.writer.write(move |c| api_keys::note_uses(c, &uses)).await
    }

    async fn append_events(&self, events: &[Event]) -> Result<(), StoreError> {
        let events = events.to_vec();
        self.writer.write(move |c| events::append(c, &events)).await
    }

    async fn events(&self, filter: &EventFilter) -> Result<Vec<(u64, Event)>, StoreError> {
        let filter = filter.clone();
        self.readers.read(move |c| events::matching(c, &filter)).await
    }

    async fn purge(
        &self,
        sessions_before: Timestamp,
        events_before: Timestamp,
        now: Timestamp,
        batch: u32,
    ) -> Result<u64, StoreError> {
        self.writer.write(move |c| purge::purge(c, sessions_before, events_before, now, batch)).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        // Through both queues: a node whose writer is stuck is not ready. An empty transaction syncs nothing.
        self.writer.write(|_| Ok(())).await?;
        self.readers.read(|c| first(c, "SELECT 1", [], |_| Ok(())).map(drop)).await
    }
}
