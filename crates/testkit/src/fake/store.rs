//! A store that fails on demand and remembers which verbs wrote.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countersign_core::domain::api_key::{ApiKey, ApiKeyId, HeldKey};
use countersign_core::domain::device::Device;
use countersign_core::domain::event::{Event, EventFilter};
use countersign_core::domain::id::{Epoch, KeyId, PublicId, Sid, UserId};
use countersign_core::domain::identity::Identity;
use countersign_core::domain::retrofit::Holder;
use countersign_core::domain::rotation::RotationRecord;
use countersign_core::domain::scope::ScopeSet;
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
use countersign_store::{AnyStore, MemoryStore};

/// How the store behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// As it should.
    Working,
    /// Every verb answers [`StoreError::Unavailable`].
    Unavailable,
    /// No verb answers.
    Hanging,
    /// Every verb answers late.
    Slow(Duration),
}

/// A real store behind a switch. Clones share store, switch and journal.
#[derive(Clone, Debug)]
pub struct FailingStore {
    inner: Arc<AnyStore>,
    mode: Arc<Mutex<Mode>>,
    writes: Arc<Mutex<Vec<&'static str>>>,
    raced: Arc<AtomicBool>,
    scope: Arc<Mutex<Option<ScopeSet>>>,
    calls: Arc<AtomicUsize>,
}

impl FailingStore {
    /// Puts a switch before a store.
    #[must_use]
    pub fn around(store: AnyStore) -> Self {
        Self {
            inner: Arc::new(store),
            mode: Arc::new(Mutex::new(Mode::Working)),
            writes: Arc::default(),
            raced: Arc::default(),
            scope: Arc::default(),
            calls: Arc::default(),
        }
    }

    /// Changes how it behaves from now on.
    pub fn set(&self, mode: Mode) {
        *self.mode.lock().unwrap_or_else(PoisonError::into_inner) = mode;
    }

    /// Takes the names of all verbs that could have changed something for a user since the last call. Upkeep (events, last use) and
    /// throttling counters are not among them.
    #[must_use]
    pub fn take_writes(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.writes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on the user's epoch has risen by the time that an opening or a rotation reads it after its own write, as it may on a
    /// store of many nodes, where the two are no single step (P4); or no longer.
    pub fn set_raced(&self, raced: bool) {
        self.raced.store(raced, Ordering::SeqCst);
    }

    /// From now on the user has these scopes by the time that an opening or a rotation reads it after its own write; or again those
    /// of the row.
    pub fn set_scope(&self, scope: Option<ScopeSet>) {
        *self.scope.lock().unwrap_or_else(PoisonError::into_inner) = scope;
    }

    /// How often any verb was called, refused calls included.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    async fn pass(&self) -> Result<(), StoreError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let mode = *self.mode.lock().unwrap_or_else(PoisonError::into_inner);
        match mode {
            Mode::Working => Ok(()),
            Mode::Unavailable => Err(StoreError::Unavailable(String::from("told to fail"))),
            Mode::Hanging => std::future::pending().await,
            Mode::Slow(delay) => {
                tokio::time::sleep(delay).await;
                Ok(())
            }
        }
    }

    fn note(&self, verb: &'static str) {
        self.writes.lock().unwrap_or_else(PoisonError::into_inner).push(verb);
    }
}

impl Default for FailingStore {
    /// Around an empty memory store.
    fn default() -> Self {
        Self::around(AnyStore::Memory(MemoryStore::new()))
    }
}

/// An answer that tells the user as they are after a write.
trait TellsUser {
    fn user(&mut self) -> Option<&mut User>;
}

impl TellsUser for Opening {
    fn user(&mut self) -> Option<&mut User> {
        if let Self::Opened { user, .. } = self { Some(user) } else { None }
    }
}

impl TellsUser for Rotated {
    fn user(&mut self) -> Option<&mut User> {
        if let Self::Rotated(held) = self { Some(&mut held.user) } else { None }
    }
}

/// `reads` pass the switch, `writes` are noted besides, `raced` may meet a user who was changed beside them.
macro_rules! verbs {
    (
        reads { $(fn $read:ident($($ra:ident: $rt:ty),*) -> $ro:ty;)+ }
        writes { $(fn $write:ident($($wa:ident: $wt:ty),*) -> $wo:ty;)+ }
        raced { $(fn $race:ident($($ca:ident: $ct:ty),*) -> $co:ty;)+ }
    ) => {
        impl Store for FailingStore {
            $(async fn $read(&self, $($ra: $rt),*) -> Result<$ro, StoreError> {
                self.pass().await?;
                self.inner.$read($($ra),*).await
            })+
            $(async fn $write(&self, $($wa: $wt),*) -> Result<$wo, StoreError> {
                self.pass().await?;
                self.note(stringify!($write));
                self.inner.$write($($wa),*).await
            })+
            $(async fn $race(&self, $($ca: $ct),*) -> Result<$co, StoreError> {
                self.pass().await?;
                self.note(stringify!($race));
                let mut answer = self.inner.$race($($ca),*).await?;
                if let Some(user) = answer.user() {
                    if self.raced.load(Ordering::SeqCst) {
                        user.epoch = Epoch(user.epoch.0 + 1);
                    }
                    if let Some(scope) = &*self.scope.lock().unwrap_or_else(PoisonError::into_inner) {
                        user.scope = scope.clone();
                    }
                }
                Ok(answer)
            })+
        }
    };
}

verbs! {
    reads {
        fn user(id: &UserId) -> Option<User>;
        fn user_by_email(email: &Email) -> Option<User>;
        fn user_by_identity(identity: &Identity) -> Option<User>;
        fn users(after: Option<&Email>, limit: u32) -> Page<User>;
        fn session(sid: Sid) -> Option<Held>;
        fn session_by_public_id(id: &PublicId) -> Option<Held>;
        fn sessions_of(user: &UserId, with_ended: bool) -> Vec<Session>;
        fn revocations_since(since: Timestamp, now: Timestamp) -> RevocationsSince;
        fn known_device(user: &UserId, devices: &[ThrottleKey]) -> Option<ThrottleKey>;
        fn code(hash: &[u8; 32], kind: CodeKind, at: Timestamp) -> Option<Code>;
        fn signing_keys() -> Vec<SigningKey>;
        fn sealed(name: &str) -> Option<Vec<u8>>;
        fn sealed_values() -> Vec<SealedValue>;
        fn sessions_by_master_key(now: Timestamp, used_since: Timestamp) -> Vec<OpenedWith>;
        fn upstream_token(holder: Holder, upstream: &str) -> Option<KeptToken>;
        fn upstream_tokens_by_master_key() -> Vec<(KeyId, u64)>;
        fn upstream_tokens_under(key: KeyId, limit: u32) -> Vec<KeptToken>;
        fn events(filter: &EventFilter) -> Vec<(u64, Event)>;
        fn ping() -> ();
        fn note_uses(uses: &[Use]) -> ();
        fn api_key(id: ApiKeyId) -> Option<HeldKey>;
        fn api_keys(owner: Option<&UserId>) -> Vec<HeldKey>;
        fn note_key_uses(uses: &[KeyUse]) -> ();
        fn append_events(events: &[Event]) -> ();
        fn admit_attempt(keys: &[(ThrottleKey, ThrottleRule)], at: Timestamp) -> Admission;
        fn forgive_attempt(key: ThrottleKey) -> ();
        fn clear_attempts(keys: &[ThrottleKey]) -> ();
    }
    writes {
        fn create_user(new: NewUser) -> bool;
        fn set_password(new: NewPassword) -> Option<UserRevoked>;
        fn upgrade_password(user: &UserId, old: &PasswordHash, new: &PasswordHash) -> ();
        fn set_disabled(user: &UserId, disabled: bool, at: Timestamp) -> Option<UserRevoked>;
        fn change_scope(user: &UserId, change: &ScopeChange, at: Timestamp) -> Option<ScopeChanged>;
        fn remove_user(user: &UserId, at: Timestamp) -> Option<UserRemoved>;
        fn revoke_session(sid: Sid, reason: EndReason, at: Timestamp) -> Option<Ended>;
        fn revoke_other_sessions(user: &UserId, keep: Sid, reason: EndReason, at: Timestamp) -> Vec<Sid>;
        fn revoke_user(user: &UserId, reason: EndReason, at: Timestamp) -> Option<UserRevoked>;
        fn revoke_everyone(reason: EndReason, at: Timestamp) -> Vec<Sid>;
        fn remember_device(user: &UserId, device: ThrottleKey, at: Timestamp) -> ();
        fn create_api_key(key: &ApiKey, limit: u32) -> KeyCreated;
        fn revoke_api_key(id: ApiKeyId, owner: Option<&UserId>, at: Timestamp) -> Option<ApiKey>;
        fn revoke_api_keys_of(owner: &UserId, at: Timestamp) -> Vec<ApiKeyId>;
        fn identify(identity: &Identity, new: NewUser) -> Identified;
        fn keep_upstream_token(token: &KeptToken, was: Option<i64>) -> bool;
        fn forget_upstream_token(holder: Holder, upstream: &str) -> ();
        fn put_code(code: Code) -> ();
        fn consume_code(hash: &[u8; 32], kind: CodeKind, at: Timestamp) -> Option<Code>;
        fn accept_invitation(hash: &[u8; 32], new: NewUser, at: Timestamp) -> Accepted;
        fn add_signing_key(key: &SigningKey, when: AddKey) -> bool;
        fn hasten_signing_key(kid: &str, at: Timestamp) -> bool;
        fn reseal(old: &SealedValue, new: &[u8]) -> bool;
        fn revoke_signing_key(kid: &str, at: Timestamp) -> bool;
        fn put_sealed_if_absent(name: &str, value: &[u8]) -> Vec<u8>;
        fn purge(sessions_before: Timestamp, events_before: Timestamp, now: Timestamp, batch: u32) -> u64;
    }
    raced {
        fn open_session(session: &Session, replaces: Option<Sid>, limit: Option<(u32, bool)>) -> Opening;
        fn rotate_if_current(
            sid: Sid, judged: &RotationRecord, next: &RotationRecord, seen_at: Timestamp, device: &Device
        ) -> Rotated;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_fails_when_told_and_keeps_a_journal() {
        let store = FailingStore::default();
        store.ping().await.unwrap();
        store.put_sealed_if_absent("a", b"x").await.unwrap();
        assert_eq!(store.take_writes(), ["put_sealed_if_absent"]);
        store.clone().set(Mode::Unavailable);
        assert!(store.ping().await.is_err());
        store.set(Mode::Hanging);
        assert!(tokio::time::timeout(Duration::from_millis(20), store.ping()).await.is_err());
        store.set(Mode::Working);
        assert_eq!(store.sealed("a").await.unwrap().as_deref(), Some(&b"x"[..]));
        assert!(store.take_writes().is_empty());
    }
}
