//! Handing a session that an application opened over to the browser, by way of the gateway (design §7 `POST /auth/sessions`).
//!
//! The gateway lets no upstream set our cookies: whoever could would sign people in as somebody else. An application that opened a
//! session with its own key is given a code instead of cookies, and puts it on its answer; the gateway takes the code off and exchanges
//! it for the session's next generation. The exchange is a rotation, written by the same compare-and-set, so a code works once, on
//! every node, and what it stood for is spent by then.

use data_encoding::BASE64URL_NOPAD;

use super::engine::{Context, Engine, NewEvent, ServiceError};
use super::open::Opened;
use super::principal::{KeyPrincipal, SessionView};
use crate::domain::api_key::ApiKeyId;
use crate::domain::event::EventName;
use crate::domain::id::{Generation, Sid};
use crate::domain::rotation::{Presented, Verdict, judge};
use crate::domain::secret::{SecretBytes, SecretString};
use crate::domain::session::{EndReason, Held, Liveness};
use crate::domain::time::Timestamp;
use crate::port::{Entropy, Outside, Rotated, Store};

/// How long a code works: the application answers the request that it was made for.
pub const HAND_OVER_TTL: std::time::Duration = std::time::Duration::from_secs(60);
/// What codes are sealed as: nothing else that we seal is one.
const NAME: &str = "hand-over";
/// sid 16 ‖ id of the key 12 ‖ end in milliseconds 8.
const PLAIN: usize = 36;
/// Longest text that is looked at: a sealed value is 30 bytes longer than what is in it.
const LONGEST: usize = 128;

/// A session was not handed over.
#[derive(Debug, thiserror::Error)]
pub enum TakeOverError {
    /// Not one of ours, too old, or its session is gone.
    #[error("no such hand-over code, or it has expired")]
    Unknown,
    /// It was made with a key that is not one of those that count here.
    #[error("the hand-over code belongs to another application")]
    OtherApplication,
    /// It was exchanged before.
    #[error("the hand-over code was used before")]
    Spent,
    /// The engine cannot answer.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

/// What a code says.
struct Order {
    sid: Sid,
    key: ApiKeyId,
    until: Timestamp,
}

impl Order {
    fn to_bytes(&self) -> SecretBytes {
        let mut bytes = Vec::with_capacity(PLAIN);
        bytes.extend_from_slice(self.sid.as_bytes());
        bytes.extend_from_slice(self.key.as_bytes());
        bytes.extend_from_slice(&self.until.as_millis().to_be_bytes());
        SecretBytes::new(bytes)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (sid, rest) = bytes.split_first_chunk::<16>()?;
        let (key, until) = rest.split_first_chunk::<12>()?;
        let until = i64::from_be_bytes(until.try_into().ok()?);
        Some(Self {
            sid: Sid::from_bytes(*sid),
            key: ApiKeyId::from_bytes(*key),
            until: Timestamp::from_millis(until),
        })
    }
}

impl<O: Outside> Engine<O> {
    /// A code for a session that an application has just opened with its key: good once, for [`HAND_OVER_TTL`].
    ///
    /// # Errors
    /// [`ServiceError::Signing`] if there is no master secret to seal it with.
    pub fn hand_over_code(&self, opened: &Opened, key: &KeyPrincipal) -> Result<SecretString, ServiceError> {
        let order =
            Order { sid: opened.view.held.session.sid, key: key.id(), until: self.now().plus(HAND_OVER_TTL) };
        let sealed = self.keyring.seal(NAME, self.outside.entropy().bytes(), &order.to_bytes());
        let sealed = sealed.ok_or_else(|| ServiceError::Signing(String::from("sealing failed")))?;
        Ok(SecretString::new(BASE64URL_NOPAD.encode(&sealed)))
    }

    /// Exchanges a code for the session's cookies. `keys` are those whose codes count where it came from; `replaces` is the session that
    /// the same browser held, which ends (D09).
    ///
    /// # Errors
    /// [`TakeOverError`].
    pub async fn take_over(
        &self,
        code: &str,
        keys: &[ApiKeyId],
        replaces: Option<Sid>,
        context: &Context,
    ) -> Result<Opened, TakeOverError> {
        let (now, order) = (self.now(), self.read_code(code, keys)?);
        let store = self.outside.store();
        let held =
            store.session(order.sid).await.map_err(ServiceError::from)?.ok_or(TakeOverError::Unknown)?;
        self.require_unused(&held, now)?;
        let record = &held.session.rotation;
        let verdict = judge(&self.policy.rotation, record, Presented::from_jar(Generation::FIRST), now);
        let Verdict::Rotate { next } = verdict else { return Err(TakeOverError::Spent) };
        let written = store.rotate_if_current(order.sid, record, &next, now, &context.device).await;
        let held = match written.map_err(ServiceError::from)? {
            Rotated::Rotated(held) => held,
            Rotated::Moved(_) => return Err(TakeOverError::Spent),
            Rotated::Gone => return Err(TakeOverError::Unknown),
        };
        // An epoch raised beside the write must win (P4).
        if let Liveness::Revoked(ended) = held.liveness(&self.policy.session, now) {
            self.end(order.sid, ended.reason).await.map_err(ServiceError::from)?;
            return Err(TakeOverError::Unknown);
        }
        if let Some(old) = replaces.filter(|old| *old != order.sid) {
            self.end(old, EndReason::Replaced).await.map_err(ServiceError::from)?;
        }
        let (principal, tokens) = self.mint(&held, now, true)?;
        if !self.still_stands(&principal) {
            // Revoked while we were at it: nothing is minted after revoke has returned (P4).
            return Err(TakeOverError::Unknown);
        }
        self.record(self.about(&held, NewEvent::done(EventName::SessionRenewed, "handed_over")), context);
        let view = SessionView::new(held, &self.policy.session);
        Ok(Opened { principal, tokens: std::sync::Arc::new(tokens), view })
    }

    /// Ends the session of a code that must not be exchanged: nobody holds it, and nobody shall.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn refuse_take_over(
        &self,
        code: &str,
        keys: &[ApiKeyId],
        context: &Context,
    ) -> Result<(), ServiceError> {
        let Ok(order) = self.read_code(code, keys) else { return Ok(()) };
        let held = self.outside.store().session(order.sid).await?;
        if let Some(held) = held.filter(|held| self.require_unused(held, self.now()).is_ok()) {
            self.end(order.sid, EndReason::TokenRevoked).await?;
            let event = NewEvent::refused(EventName::TokenRevoked, "hand_over_refused");
            self.record(self.about(&held, event), context);
        }
        Ok(())
    }

    fn read_code(&self, code: &str, keys: &[ApiKeyId]) -> Result<Order, TakeOverError> {
        let order = Some(code)
            .filter(|code| code.len() <= LONGEST)
            .and_then(|code| BASE64URL_NOPAD.decode(code.as_bytes()).ok())
            .and_then(|sealed| self.keyring.unseal(NAME, &sealed).ok())
            .and_then(|plain| Order::read(plain.expose()))
            .filter(|order| self.now() < order.until)
            .ok_or(TakeOverError::Unknown)?;
        if keys.contains(&order.key) { Ok(order) } else { Err(TakeOverError::OtherApplication) }
    }

    /// A session that nobody has got yet: of its first generation, and alive.
    fn require_unused(&self, held: &Held, now: Timestamp) -> Result<(), TakeOverError> {
        let session = &held.session;
        let lives = !self.memory.knows_ended(session.sid)
            && held.liveness(&self.policy.session, now) == Liveness::Live;
        if !lives {
            return Err(TakeOverError::Unknown);
        }
        if session.rotation.current == Generation::FIRST && session.rotation.from.is_none() {
            Ok(())
        } else {
            Err(TakeOverError::Spent)
        }
    }
}
