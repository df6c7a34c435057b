//! Users and sessions in memory.

use std::collections::BTreeMap;

use countersign_core::domain::api_key::{ApiKey, ApiKeyId};
use countersign_core::domain::device::Device;
use countersign_core::domain::event::Event;
use countersign_core::domain::id::{Epoch, PublicId, Sid, UserId};
use countersign_core::domain::identity::Identity;
use countersign_core::domain::retrofit::Holder;
use countersign_core::domain::rotation::RotationRecord;
use countersign_core::domain::scope::ScopeSet;
use countersign_core::domain::session::{EndReason, Ended, Held, Session};
use countersign_core::domain::signing_key::SigningKey;
use countersign_core::domain::throttle::{ThrottleKey, ThrottleState};
use countersign_core::domain::time::Timestamp;
use countersign_core::domain::user::{Email, PasswordHash, User};
use countersign_core::port::{
    AskedBy, Code, Identified, KeptToken, Opening, Page, RevocationsSince, Rotated, StoreError, Use,
    UserRevoked,
};

#[derive(Debug)]
pub(super) struct UserEntry {
    pub(super) user: User,
    epoch_at: Option<Timestamp>,
}

#[derive(Debug)]
pub(super) struct Attempts {
    pub(super) state: ThrottleState,
    pub(super) stale_at: Timestamp,
}

/// Everything.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) users: BTreeMap<UserId, UserEntry>,
    identities: BTreeMap<Identity, UserId>,
    /// Users that were erased: the raised epoch, and when.
    pub(super) removed: BTreeMap<UserId, (Epoch, Timestamp)>,
    pub(super) sessions: BTreeMap<Sid, Session>,
    pub(super) attempts: BTreeMap<ThrottleKey, Attempts>,
    pub(super) devices: BTreeMap<(UserId, ThrottleKey), Timestamp>,
    pub(super) api_keys: BTreeMap<ApiKeyId, ApiKey>,
    pub(super) codes: BTreeMap<[u8; 32], Code>,
    pub(super) keys: BTreeMap<Box<str>, SigningKey>,
    pub(super) sealed: BTreeMap<Box<str>, Vec<u8>>,
    pub(super) upstream_tokens: BTreeMap<(Holder, Box<str>), KeptToken>,
    pub(super) events: BTreeMap<u64, Event>,
    pub(super) last_event: u64,
}

impl State {
    pub(super) fn create_user(&mut self, user: User) -> Result<bool, StoreError> {
        if self.user_by_email(&user.email).is_some() {
            return Ok(false);
        }
        if self.users.contains_key(&user.id) {
            return Err(drawn_twice());
        }
        self.users.insert(user.id.clone(), UserEntry { user, epoch_at: None });
        Ok(true)
    }

    pub(super) fn user(&self, id: &UserId) -> Option<User> {
        self.users.get(id).map(|entry| entry.user.clone())
    }

    pub(super) fn user_by_email(&self, email: &Email) -> Option<User> {
        self.users.values().find(|entry| entry.user.email == *email).map(|entry| entry.user.clone())
    }

    pub(super) fn user_by_identity(&self, identity: &Identity) -> Option<User> {
        self.user(self.identities.get(identity)?)
    }

    pub(super) fn identify(&mut self, identity: &Identity, new: User) -> Result<Identified, StoreError> {
        if let Some(known) = self.user_by_identity(identity) {
            return Ok(Identified::Known(known));
        }
        if !self.create_user(new.clone())? {
            return Ok(Identified::EmailTaken);
        }
        self.identities.insert(identity.clone(), new.id.clone());
        Ok(Identified::Created(new))
    }

    pub(super) fn users(&self, after: Option<&Email>, limit: u32) -> Page<User> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut rows: Vec<User> = self.users.values().map(|entry| entry.user.clone()).collect();
        rows.retain(|user| after.is_none_or(|after| user.email > *after));
        rows.sort_by(|a, b| a.email.cmp(&b.email));
        let more = rows.len() > limit;
        rows.truncate(limit);
        Page { rows, more }
    }

    pub(super) fn set_scope(&mut self, user: &UserId, scope: ScopeSet) {
        if let Some(entry) = self.users.get_mut(user) {
            entry.user.scope = scope;
        }
    }

    pub(super) fn forget_user(&mut self, user: &UserId) {
        self.users.remove(user);
        self.identities.retain(|_, whose| whose != user);
    }

    /// Whether a wish for another password still comes from whom it came.
    pub(super) fn still_asks(&self, user: &UserId, asked: &AskedBy) -> bool {
        let user_stands = self.users.get(user).is_some_and(|entry| {
            let same = |hash: &PasswordHash| hash.expose() == asked.old.expose();
            entry.user.password.as_ref().is_some_and(same)
                && entry.user.epoch == asked.epoch
                && entry.user.disabled_at.is_none()
        });
        let lives = |session: &Session| session.user == *user && session.ended.is_none();
        user_stands && self.sessions.get(&asked.sid).is_some_and(lives)
    }

    pub(super) fn set_hash(&mut self, user: &UserId, hash: PasswordHash) {
        if let Some(entry) = self.users.get_mut(user) {
            entry.user.password = Some(hash);
        }
    }

    pub(super) fn upgrade_password(&mut self, user: &UserId, old: &PasswordHash, new: &PasswordHash) {
        if let Some(entry) = self.users.get_mut(user)
            && entry.user.password.as_ref().is_some_and(|hash| hash.expose() == old.expose())
        {
            entry.user.password = Some(new.clone());
        }
    }

    pub(super) fn set_disabled(
        &mut self,
        user: &UserId,
        disabled: bool,
        at: Timestamp,
    ) -> Option<UserRevoked> {
        if disabled {
            let revoked = self.revoke_user(user, EndReason::UserDisabled, at)?;
            let entry = self.users.get_mut(user)?;
            entry.user.disabled_at = entry.user.disabled_at.or(Some(at));
            return Some(revoked);
        }
        let entry = self.users.get_mut(user)?;
        entry.user.disabled_at = None;
        Some(UserRevoked { epoch: entry.user.epoch, ended: Vec::new() })
    }

    pub(super) fn open_session(
        &mut self,
        session: &Session,
        replaces: Option<Sid>,
        limit: Option<(u32, bool)>,
    ) -> Result<Opening, StoreError> {
        let now = session.created_at;
        let Some(user) = self.user(&session.user) else { return Ok(Opening::NoUser) };
        if self.sessions.values().any(|s| s.sid == session.sid || s.public_id == session.public_id) {
            return Err(drawn_twice());
        }
        let mut surplus = Vec::new();
        if let Some((limit, end_oldest)) = limit {
            let mut live: Vec<(Timestamp, Sid)> = self
                .sessions
                .values()
                .filter(|s| s.user == session.user && s.ended.is_none() && s.expires_at > now)
                .filter(|s| Some(s.sid) != replaces)
                .map(|s| (s.created_at, s.sid))
                .collect();
            live.sort_unstable();
            let room = usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(1);
            if live.len() > room || limit == 0 {
                if !end_oldest {
                    return Ok(Opening::LimitReached);
                }
                let excess = live.len().saturating_sub(room);
                surplus = live.into_iter().take(excess).map(|(_, sid)| sid).collect();
            }
        }
        for sid in &surplus {
            self.revoke_session(*sid, EndReason::SessionLimit, now);
        }
        if let Some(old) = replaces {
            self.revoke_session(old, EndReason::Replaced, now);
        }
        self.sessions.insert(session.sid, session.clone());
        Ok(Opening::Opened { user, ended: surplus })
    }

    pub(super) fn held(&self, sid: Sid) -> Option<Held> {
        let session = self.sessions.get(&sid)?.clone();
        let user = self.user(&session.user)?;
        Some(Held { session, user })
    }

    pub(super) fn held_by_public_id(&self, id: &PublicId) -> Option<Held> {
        let sid = self.sessions.values().find(|s| s.public_id == *id)?.sid;
        self.held(sid)
    }

    pub(super) fn sessions_of(&self, user: &UserId, with_ended: bool) -> Vec<Session> {
        let mut found: Vec<Session> = self
            .sessions
            .values()
            .filter(|s| s.user == *user && (with_ended || s.ended.is_none()))
            .cloned()
            .collect();
        let stolen = |s: &Session| s.ended.is_some_and(|ended| ended.reason == EndReason::Reuse);
        found.sort_by_key(|s| std::cmp::Reverse((stolen(s), s.created_at, s.sid)));
        found.truncate(200);
        found.sort_by_key(|s| std::cmp::Reverse((s.created_at, s.sid)));
        found
    }

    pub(super) fn rotate(
        &mut self,
        sid: Sid,
        judged: &RotationRecord,
        next: &RotationRecord,
        seen_at: Timestamp,
        device: &Device,
    ) -> Rotated {
        let Some(session) = self.sessions.get_mut(&sid) else { return Rotated::Gone };
        let after = session.rotation.succeeded_by(judged, next).filter(|_| session.ended.is_none());
        let wins = after.is_some();
        if let Some(after) = after {
            session.rotation = after;
            session.seen_at = session.seen_at.max(seen_at);
            session.device = device.clone();
        }
        match self.held(sid) {
            Some(held) if wins => Rotated::Rotated(held),
            Some(held) => Rotated::Moved(held),
            None => Rotated::Gone,
        }
    }

    pub(super) fn note_uses(&mut self, uses: &[Use]) {
        for used in uses {
            let Some(session) = self.sessions.get_mut(&used.sid) else { continue };
            if let Some(at) = used.seen_at {
                session.seen_at = session.seen_at.max(at);
            }
            if let Some((generation, at)) = used.confirmed {
                session.rotation.confirm(generation, at);
            }
        }
    }

    pub(super) fn revoke_session(&mut self, sid: Sid, reason: EndReason, at: Timestamp) -> Option<Ended> {
        let session = self.sessions.get_mut(&sid).filter(|s| s.ended.is_none())?;
        let ended = Ended { at, reason };
        session.ended = Some(ended);
        self.forget_tokens_of(sid);
        Some(ended)
    }

    pub(super) fn end_where(
        &mut self,
        reason: EndReason,
        at: Timestamp,
        which: impl Fn(&Session) -> bool,
    ) -> Vec<Sid> {
        let mut ended = Vec::new();
        for session in self.sessions.values_mut().filter(|s| s.ended.is_none() && which(s)) {
            session.ended = Some(Ended { at, reason });
            ended.push(session.sid);
        }
        for sid in &ended {
            self.forget_tokens_of(*sid);
        }
        ended
    }

    pub(super) fn revoke_user(
        &mut self,
        user: &UserId,
        reason: EndReason,
        at: Timestamp,
    ) -> Option<UserRevoked> {
        let entry = self.users.get_mut(user)?;
        let epoch = raise(entry, at);
        Some(UserRevoked { epoch, ended: self.end_where(reason, at, |s| s.user == *user) })
    }

    pub(super) fn revoke_everyone(&mut self, reason: EndReason, at: Timestamp) -> Vec<Sid> {
        for entry in self.users.values_mut() {
            raise(entry, at);
        }
        self.end_where(reason, at, |_| true)
    }

    pub(super) fn revocations_since(&self, since: Timestamp, now: Timestamp) -> RevocationsSince {
        let mut found = RevocationsSince::default();
        for session in self.sessions.values() {
            found.ended.extend(session.ended.filter(|e| e.at >= since).map(|e| (session.sid, e.at)));
            let ranges = session.rotation.abandoned.iter().filter(|range| range.until > now);
            found.abandoned.extend(ranges.map(|range| (session.sid, *range)));
        }
        for entry in self.users.values() {
            let raised = entry.epoch_at.filter(|at| *at >= since);
            found.epochs.extend(raised.map(|at| (entry.user.id.clone(), entry.user.epoch, at)));
        }
        let removed = self.removed.iter().filter(|(_, (_, at))| *at >= since);
        found.epochs.extend(removed.map(|(user, (epoch, at))| (user.clone(), *epoch, *at)));
        found
    }
}

fn raise(entry: &mut UserEntry, at: Timestamp) -> Epoch {
    entry.user.epoch = Epoch(entry.user.epoch.0.saturating_add(1));
    // Two nodes' clocks may differ; the later instant keeps the raise inside every reader's window.
    entry.epoch_at = Some(entry.epoch_at.map_or(at, |before| before.max(at)));
    entry.user.epoch
}

/// An identifier that exists already: with 128 random bits only a broken entropy source does that.
pub(super) fn drawn_twice() -> StoreError {
    StoreError::Corrupt(String::from("an identifier was drawn twice"))
}
