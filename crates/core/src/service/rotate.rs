//! Rotation: carries [`judge`]'s verdict out (design §5).

use std::sync::Arc;

use super::engine::{Context, Engine, NewEvent, ServiceError};
use super::open::Tokens;
use super::principal::{SessionPrincipal, SessionView};
use crate::domain::client::Presenter;
use crate::domain::event::EventName;
use crate::domain::rotation::{Carrier, Presented, Verdict, judge};
use crate::domain::session::{EndReason, Ended, Held, Liveness};
use crate::domain::time::Timestamp;
use crate::domain::token::refresh::RefreshToken;
use crate::port::{Bus, Notice, Outside, Rotated, Store};

/// A lost compare-and-set is judged again. Each round means that another rotation of the same session was written
/// meanwhile, and the table then answers without writing; a few rounds are already improbable.
const ROUNDS: usize = 16;

/// How a refresh token came.
#[derive(Clone, Debug, Default)]
pub struct Presentation {
    /// A jar, or what is likely a stale copy.
    pub carrier: Carrier,
    /// As which client.
    pub presenter: Presenter,
    /// Who asks.
    pub context: Context,
}

/// A refresh token was accepted.
#[derive(Clone, Debug)]
pub struct RotateOutcome {
    /// The word of design §5.
    pub verdict: &'static str,
    /// The request is authenticated.
    pub principal: Arc<SessionPrincipal>,
    /// What to hand out; the refresh token is left out by Keep.
    pub tokens: Arc<Tokens>,
    /// The session as its owner may see it.
    pub view: SessionView,
    /// When it was judged: the cookies may only leave within G of it.
    pub decided_at: Timestamp,
}

/// A refresh token was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// Forged, or of a session we do not know. Changes nothing.
    #[error("unknown refresh token")]
    Unknown,
    /// Theft: the session is dead now.
    #[error("spent refresh token presented")]
    Reused,
    /// A stale copy of a spent token; nothing changed.
    #[error("stale copy of a spent refresh token")]
    Denied,
    /// The session was ended before.
    #[error("session revoked")]
    Revoked(Ended),
    /// The session is past a deadline.
    #[error("session expired")]
    Expired {
        /// When.
        at: Timestamp,
    },
    /// The engine cannot answer.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl<O: Outside> Engine<O> {
    /// Presents a refresh token.
    ///
    /// # Errors
    /// [`RotateError`].
    pub async fn rotate(
        &self,
        token: &RefreshToken,
        how: &Presentation,
    ) -> Result<RotateOutcome, RotateError> {
        let sid = token.sid();
        let mut held = self
            .outside
            .store()
            .session(sid)
            .await
            .map_err(ServiceError::from)?
            .ok_or(RotateError::Unknown)?;
        let genuine = token.authenticate(&self.keyring, held.session.master_key, &held.session.salt);
        let Some(generation) = genuine else {
            self.record(
                NewEvent::refused(EventName::InputValidationFail, "refresh_token_forged"),
                &how.context,
            );
            return Err(RotateError::Unknown);
        };
        if !self.policy.clients.admit(held.session.client.as_ref(), &how.presenter) {
            // Says and changes nothing, as for a forged one: it must log nobody out, nor tell a thief what is missing.
            let event = NewEvent::refused(EventName::InputValidationFail, "refresh_token_of_another_client");
            self.record(self.about(&held, event), &how.context);
            return Err(RotateError::Unknown);
        }
        let presented = Presented { generation, carrier: how.carrier, device_proof: false };
        for _ in 0..ROUNDS {
            let now = self.now();
            self.require_live(&mut held, now, &how.context)?;
            let record = held.session.rotation.clone();
            let verdict = judge(&self.policy.rotation, &record, presented, now);
            match &verdict {
                Verdict::Reuse => return Err(self.theft(&held, generation.0, how).await),
                Verdict::Deny => {
                    self.record(
                        self.about(&held, NewEvent::refused(EventName::SpentRefused, "stale_copy")),
                        &how.context,
                    );
                    return Err(RotateError::Denied);
                }
                Verdict::Keep { .. }
                | Verdict::Rotate { .. }
                | Verdict::Replay { .. }
                | Verdict::Reissue { .. }
                | Verdict::Heal { .. } => {}
            }
            let Some(next) = verdict.next() else {
                return self.hand_over(held, &verdict, now, how);
            };
            let device = &how.context.device;
            let written = self.outside.store().rotate_if_current(sid, &record, next, now, device).await;
            match written.map_err(ServiceError::from)? {
                Rotated::Rotated(after) => {
                    let mut before = std::mem::replace(&mut held, after);
                    before.session.rotation = record;
                    self.written(&before, &held, &verdict, how);
                    // An epoch raised beside the write must win (P4).
                    if let Liveness::Revoked(ended) = held.liveness(&self.policy.session, now) {
                        self.end(sid, ended.reason).await.map_err(ServiceError::from)?;
                        return Err(RotateError::Revoked(ended));
                    }
                    return self.hand_over(held, &verdict, now, how);
                }
                Rotated::Moved(after) => held = after,
                Rotated::Gone => return Err(RotateError::Unknown),
            }
        }
        Err(ServiceError::Store(crate::port::StoreError::Unavailable(
            "too many rotations of one session at once".into(),
        ))
        .into())
    }

    /// Refuses dead sessions, and adds what this node knows beyond the store.
    fn require_live(&self, held: &mut Held, now: Timestamp, context: &Context) -> Result<(), RotateError> {
        let session = &mut held.session;
        self.memory.overlay(session.sid, &mut session.rotation, &mut session.seen_at);
        let liveness = if session.ended.is_none() && self.memory.knows_ended(session.sid) {
            // The store went back in time; a revocation that was acknowledged stays (design §5, Heal).
            Liveness::Revoked(Ended { at: now, reason: EndReason::EndedByOperator })
        } else {
            held.liveness(&self.policy.session, now)
        };
        match liveness {
            Liveness::Live => Ok(()),
            Liveness::Revoked(ended) => {
                let event = NewEvent::refused(EventName::SessionUseAfterExpire, ended.reason.as_str());
                self.record(self.about(held, event), context);
                Err(RotateError::Revoked(ended))
            }
            Liveness::Expired { at } => {
                self.record(
                    self.about(held, NewEvent::refused(EventName::SessionExpired, "deadline")),
                    context,
                );
                Err(RotateError::Expired { at })
            }
        }
    }

    async fn theft(&self, held: &Held, generation: u32, how: &Presentation) -> RotateError {
        let detail =
            format!("generation {generation} presented, current {}", held.session.rotation.current.0);
        let event = NewEvent::refused(EventName::TokenReuse, "spent_refresh_token").detail(&detail);
        self.record(self.about(held, event), &how.context);
        match self.end(held.session.sid, EndReason::Reuse).await {
            Ok(_) => RotateError::Reused,
            // Not refused as reuse unless the session is dead: the client will come back, and be judged again.
            Err(error) => RotateError::Service(error.into()),
        }
    }

    /// What a written verdict means for this node's memory, the other nodes and the record of events.
    fn written(&self, before: &Held, after: &Held, verdict: &Verdict, how: &Presentation) {
        let sid = after.session.sid;
        // Whole ranges are compared: a second Reissue in a row widens the one that is there.
        let known = &before.session.rotation.abandoned;
        for range in after.session.rotation.abandoned.iter().filter(|a| !known.contains(a)) {
            let notice = Notice::Abandoned { sid, range: *range };
            self.memory.apply(&notice, self.now());
            self.outside.bus().publish(notice);
        }
        let event = match verdict {
            Verdict::Replay { .. } => Some(NewEvent::done(EventName::SessionRenewed, "answer_lost_replayed")),
            Verdict::Reissue { .. } => {
                Some(NewEvent::done(EventName::SessionRenewed, "answer_lost_reissued"))
            }
            Verdict::Heal { .. } => Some(NewEvent::done(EventName::Healed, "store_went_back")),
            Verdict::Rotate { .. } | Verdict::Keep { .. } | Verdict::Deny | Verdict::Reuse => None,
        };
        if let Some(event) = event {
            self.record(self.about(after, event), &how.context);
        }
        if before.session.device.differs(&how.context.device) {
            let event = NewEvent::done(EventName::NewPlace, "rotated_elsewhere");
            self.record(self.about(after, event), &how.context);
        }
    }

    fn hand_over(
        &self,
        held: Held,
        verdict: &Verdict,
        now: Timestamp,
        how: &Presentation,
    ) -> Result<RotateOutcome, RotateError> {
        let session = &held.session;
        match verdict {
            Verdict::Keep { confirms } => {
                let confirmed = confirms.then_some((session.rotation.current, now));
                self.memory.note_use(session.sid, Some(now), confirmed);
                if let Some((generation, at)) = confirmed {
                    self.outside.bus().publish(Notice::Confirmed { sid: session.sid, generation, at });
                }
            }
            Verdict::Replay { next: None } => {
                self.memory.note_use(session.sid, Some(now), None);
                if session.device.differs(&how.context.device) {
                    let event = NewEvent::done(EventName::NewPlace, "replayed_elsewhere");
                    self.record(self.about(&held, event), &how.context);
                }
            }
            _ => {}
        }
        let keep = matches!(verdict, Verdict::Keep { .. });
        let (principal, tokens) = self.mint(&held, now, !keep)?;
        if !self.still_stands(&principal) {
            // Revoked while we were at it: nothing is minted after revoke has returned (P4).
            return Err(RotateError::Revoked(Ended { at: now, reason: EndReason::EndedByUser }));
        }
        let view = SessionView::new(held, &self.policy.session);
        Ok(RotateOutcome {
            verdict: verdict.word(),
            principal,
            tokens: Arc::new(tokens),
            view,
            decided_at: now,
        })
    }

    /// Whose session a refresh token is, if it is genuine, whatever the session's state. Changes nothing.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn genuine_refresh(&self, token: &RefreshToken) -> Result<Option<Held>, ServiceError> {
        let held = self.outside.store().session(token.sid()).await?;
        Ok(held
            .filter(|h| token.authenticate(&self.keyring, h.session.master_key, &h.session.salt).is_some()))
    }

    /// Fills an event with whose and which.
    pub(super) fn about<'a>(&self, held: &'a Held, event: NewEvent<'a>) -> NewEvent<'a> {
        event
            .user(&held.user.id)
            .session(&held.session.public_id)
            .tag(self.keyring.log_tag(&held.session.sid))
    }
}
