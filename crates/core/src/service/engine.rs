//! The engine: policy, keys, memory and the outside, tied together once at start.

use std::sync::{Arc, RwLock};

use quick_cache::sync::Cache;

use super::keys::ActiveKeys;
use super::memory::Memory;
use super::principal::SessionPrincipal;
use crate::domain::device::Device;
use crate::domain::environment::Environment;
use crate::domain::event::{Event, EventName, Outcome};
use crate::domain::id::{EventId, PublicId, RequestId, UserId};
use crate::domain::key::Keyring;
use crate::domain::policy::Policy;
use crate::domain::secret::SecretArray;
use crate::domain::time::Timestamp;
use crate::port::{Clock, Entropy, HashError, Outside, StoreError};

/// All use cases, over one outside.
pub struct Engine<O: Outside> {
    pub(super) outside: O,
    pub(super) policy: Policy,
    pub(super) keyring: Keyring,
    pub(super) pepper: SecretArray<32>,
    pub(super) keys: RwLock<Arc<ActiveKeys>>,
    pub(super) memory: Memory,
    /// Principals of access tokens already verified, by SHA-256 of the token: no bearer token lies in memory.
    pub(super) seen: Cache<[u8; 32], Arc<SessionPrincipal>>,
    /// Assertions made within the last 30 s.
    pub(super) assertions: Cache<super::assert::AssertionKey, Arc<super::assert::Made>>,
    /// Upstreams' tokens that are in use, open.
    pub(super) kept: Cache<super::upstream_token::Slot, Option<Arc<super::upstream_token::Kept>>>,
}

impl<O: Outside> std::fmt::Debug for Engine<O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("policy", &self.policy.access).finish_non_exhaustive()
    }
}

/// Who asks: for events, the session list and throttling. Never a reason to let somebody in (K06).
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// The request.
    pub request: Option<RequestId>,
    /// Address and user agent.
    pub device: Device,
}

/// What any use case can fail with besides its own refusals: grouped by what the caller should do.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// Answer 503 with Retry-After.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Answer 503 with Retry-After: too many passwords are being hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// An operator must look: a key is missing or unusable.
    #[error("signing failed: {0}")]
    Signing(String),
}

impl<O: Outside> Engine<O> {
    /// The rules in force.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Master secrets.
    pub const fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// The environment.
    pub const fn environment(&self) -> &Environment {
        &self.policy.access.environment
    }

    /// The outside, for the composition root and read-only look-ups.
    pub const fn outside(&self) -> &O {
        &self.outside
    }

    /// The present.
    pub fn now(&self) -> Timestamp {
        self.outside.clock().now()
    }

    /// Sixteen fresh random bytes, for identifiers and nonces.
    pub fn random16(&self) -> [u8; 16] {
        self.random()
    }

    /// Random bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        self.outside.entropy().bytes()
    }

    /// Logs an event and queues it for the store. Never fails and never waits: a log that cannot be written
    /// neither opens the gate nor closes it (I07).
    pub fn record(&self, event: NewEvent<'_>, context: &Context) {
        let event = Event {
            id: EventId::from_random(self.random16()),
            at: self.now(),
            name: event.name,
            outcome: event.outcome,
            user: event.user.cloned(),
            session: event.session.cloned(),
            session_tag: event.tag,
            ip: context.device.ip,
            request: context.request.clone(),
            reason: event.reason.into(),
            detail: crate::domain::event::clean(event.detail),
        };
        super::note::log(&event);
        self.memory.queue_event(event);
    }
}

/// An event about to be recorded.
#[derive(Debug)]
pub struct NewEvent<'a> {
    name: EventName,
    outcome: Outcome,
    user: Option<&'a UserId>,
    session: Option<&'a PublicId>,
    tag: Option<Box<str>>,
    reason: &'a str,
    detail: &'a str,
}

impl<'a> NewEvent<'a> {
    /// Something that was done.
    #[must_use]
    pub const fn done(name: EventName, reason: &'a str) -> Self {
        Self { name, outcome: Outcome::Success, user: None, session: None, tag: None, reason, detail: "" }
    }

    /// Something that was refused.
    #[must_use]
    pub const fn refused(name: EventName, reason: &'a str) -> Self {
        Self { name, outcome: Outcome::Refused, user: None, session: None, tag: None, reason, detail: "" }
    }

    /// Whose account.
    #[must_use]
    pub const fn user(mut self, user: &'a UserId) -> Self {
        self.user = Some(user);
        self
    }

    /// Which session.
    #[must_use]
    pub const fn session(mut self, session: &'a PublicId) -> Self {
        self.session = Some(session);
        self
    }

    /// Keyed hash of the sid (I02).
    #[must_use]
    pub fn tag(mut self, tag: Box<str>) -> Self {
        self.tag = Some(tag);
        self
    }

    /// More for a person. Never a secret.
    #[must_use]
    pub const fn detail(mut self, detail: &'a str) -> Self {
        self.detail = detail;
        self
    }
}
