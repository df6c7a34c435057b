//! Attempts, devices, codes, keys, sealed values, events and purging in memory.

use std::collections::{BTreeMap, BTreeSet};

use countersign_core::domain::event::{Event, EventFilter};
use countersign_core::domain::id::UserId;
use countersign_core::domain::retrofit::Holder;
use countersign_core::domain::session::Session;
use countersign_core::domain::signing_key::SigningKey;
use countersign_core::domain::throttle::{Admission, ThrottleKey, ThrottleRule};
use countersign_core::domain::time::Timestamp;
use countersign_core::domain::user::{Email, User};
use countersign_core::port::{
    Accepted, AddKey, Code, CodeKind, OpenedWith, SealedPlace, SealedValue, StoreError,
};

use super::state::{Attempts, State, drawn_twice};
use crate::admission::decide;

impl State {
    pub(super) fn admit_attempt(&mut self, keys: &[(ThrottleKey, ThrottleRule)], at: Timestamp) -> Admission {
        let states: Vec<_> =
            keys.iter().map(|(key, rule)| (*key, *rule, self.attempts.get(key).map(|a| a.state))).collect();
        let decision = decide(&states, at);
        for (key, rule, state) in decision.writes {
            self.attempts.insert(key, Attempts { state, stale_at: at.plus(rule.window) });
        }
        decision.admission
    }

    pub(super) fn forgive_attempt(&mut self, key: ThrottleKey) {
        if let Some(attempts) = self.attempts.get_mut(&key) {
            attempts.state.count = attempts.state.count.saturating_sub(1);
        }
    }

    pub(super) fn clear_attempts(&mut self, keys: &[ThrottleKey]) {
        for key in keys {
            self.attempts.remove(key);
        }
    }

    pub(super) fn remember_device(&mut self, user: &UserId, device: ThrottleKey, at: Timestamp) {
        self.devices.insert((user.clone(), device), at);
    }

    pub(super) fn known_device(&self, user: &UserId, devices: &[ThrottleKey]) -> Option<ThrottleKey> {
        devices.iter().copied().find(|device| self.devices.contains_key(&(user.clone(), *device)))
    }

    pub(super) fn put_code(&mut self, code: Code) -> Result<(), StoreError> {
        if self.codes.contains_key(&code.hash) {
            return Err(drawn_twice());
        }
        if code.kind == CodeKind::Invite {
            self.drop_invitations(&code.email);
        }
        self.codes.insert(code.hash, code);
        Ok(())
    }

    fn drop_invitations(&mut self, email: &Email) {
        self.codes.retain(|_, code| code.kind != CodeKind::Invite || code.email != *email);
    }

    pub(super) fn accept_invitation(
        &mut self,
        hash: &[u8; 32],
        user: User,
        at: Timestamp,
    ) -> Result<Accepted, StoreError> {
        let invitation = self
            .codes
            .get(hash)
            .filter(|code| code.kind == CodeKind::Invite && code.email == user.email && code.expires_at > at);
        let Some(invitation) = invitation else { return Ok(Accepted::NoInvitation) };
        let user = User { scope: invitation.scope.clone(), ..user };
        if !self.create_user(user.clone())? {
            return Ok(Accepted::Taken);
        }
        self.drop_invitations(&user.email);
        Ok(Accepted::Created(user))
    }

    pub(super) fn code(&self, hash: &[u8; 32], kind: CodeKind, at: Timestamp) -> Option<Code> {
        self.codes.get(hash).filter(|code| code.kind == kind && code.expires_at > at).cloned()
    }

    pub(super) fn consume_code(&mut self, hash: &[u8; 32], kind: CodeKind, at: Timestamp) -> Option<Code> {
        self.codes.get(hash).filter(|code| code.kind == kind && code.expires_at > at)?;
        self.codes.remove(hash)
    }

    pub(super) fn signing_keys(&self) -> Vec<SigningKey> {
        let mut keys: Vec<SigningKey> = self.keys.values().cloned().collect();
        keys.sort_by_key(|key| key.created_at);
        keys
    }

    pub(super) fn add_signing_key(&mut self, key: &SigningKey, when: AddKey) -> bool {
        let allowed = match when {
            AddKey::Always => true,
            AddKey::IfFirst => self.keys.is_empty(),
            AddKey::IfNoneAfter(at) => {
                !self.keys.values().any(|key| key.revoked_at.is_none() && key.active_at > at)
            }
        };
        if !allowed || self.keys.contains_key(&key.kid) {
            return false;
        }
        self.keys.insert(key.kid.clone(), key.clone());
        true
    }

    pub(super) fn hasten_signing_key(&mut self, kid: &str, at: Timestamp) -> bool {
        let key = self.keys.get_mut(kid).filter(|key| key.revoked_at.is_none() && key.active_at > at);
        let Some(key) = key else { return false };
        key.active_at = at;
        true
    }

    pub(super) fn revoke_signing_key(&mut self, kid: &str, at: Timestamp) -> bool {
        let Some(key) = self.keys.get_mut(kid) else { return false };
        key.revoked_at = key.revoked_at.or(Some(at));
        true
    }

    pub(super) fn sealed(&self, name: &str) -> Option<Vec<u8>> {
        self.sealed.get(name).cloned()
    }

    pub(super) fn put_sealed_if_absent(&mut self, name: &str, value: &[u8]) -> Vec<u8> {
        self.sealed.entry(name.into()).or_insert_with(|| value.to_vec()).clone()
    }

    pub(super) fn sealed_values(&self) -> Vec<SealedValue> {
        let of = |place| {
            move |name: &str, value: &[u8]| SealedValue { place, name: name.into(), value: value.into() }
        };
        let (value, key) = (of(SealedPlace::Value), of(SealedPlace::SigningKey));
        let values = self.sealed.iter().map(|(name, sealed)| value(name, sealed));
        values.chain(self.keys.values().map(|k| key(&k.kid, &k.sealed))).collect()
    }

    pub(super) fn reseal(&mut self, old: &SealedValue, new: &[u8]) -> bool {
        let held = match old.place {
            SealedPlace::SigningKey => self.keys.get_mut(&old.name).map(|key| &mut key.sealed),
            SealedPlace::Value => self.sealed.get_mut(&old.name),
        };
        let Some(held) = held.filter(|held| **held == old.value) else { return false };
        *held = new.to_vec();
        true
    }

    pub(super) fn opened_with(&self, now: Timestamp, used_since: Timestamp) -> Vec<OpenedWith> {
        let mut found = BTreeMap::new();
        let usable = |s: &&Session| s.ended.is_none() && s.expires_at > now && s.seen_at >= used_since;
        for session in self.sessions.values().filter(usable) {
            let master_key = session.master_key;
            let none = OpenedWith { master_key, sessions: 0, until: session.expires_at };
            let of = found.entry(master_key).or_insert(none);
            of.sessions += 1;
            of.until = of.until.max(session.expires_at);
        }
        found.into_values().collect()
    }

    pub(super) fn append_events(&mut self, events: &[Event]) {
        for event in events {
            self.last_event += 1;
            self.events.insert(self.last_event, event.clone());
        }
    }

    pub(super) fn events(&self, filter: &EventFilter) -> Vec<(u64, Event)> {
        let limit = if filter.limit == 0 { 100 } else { usize::try_from(filter.limit).unwrap_or(usize::MAX) };
        let mut found: Vec<(u64, Event)> = self
            .events
            .iter()
            .filter(|(row, event)| {
                filter.after.is_none_or(|after| **row > after)
                    && filter.since.is_none_or(|since| event.at >= since)
                    && (filter.user.is_none() || filter.user == event.user)
                    && (filter.session.is_none() || filter.session == event.session)
                    && (filter.request.is_none() || filter.request == event.request)
            })
            .map(|(row, event)| (*row, event.clone()))
            .collect();
        if filter.after.is_some() {
            found.truncate(limit);
        } else {
            found.drain(..found.len().saturating_sub(limit));
        }
        found
    }

    pub(super) fn purge(
        &mut self,
        sessions_before: Timestamp,
        events_before: Timestamp,
        now: Timestamp,
        batch: u32,
    ) -> u64 {
        let batch = usize::try_from(batch).unwrap_or(usize::MAX);
        let old = |at: Timestamp| at < sessions_before;
        let mut gone = 0;
        gone +=
            drop_some(&mut self.sessions, batch, |s| s.ended.is_some_and(|e| old(e.at)) || old(s.expires_at));
        gone += drop_some(&mut self.api_keys, batch, |k| k.revoked_at.is_some_and(old) || old(k.expires_at));
        gone += drop_some(&mut self.removed, batch, |(_, at)| *at < events_before);
        gone += drop_some(&mut self.events, batch, |event| event.at < events_before);
        gone += drop_some(&mut self.codes, batch, |code| code.expires_at <= now);
        gone += drop_some(&mut self.attempts, batch, |attempts| attempts.stale_at <= now);
        gone += drop_some(&mut self.upstream_tokens, batch, |token| token.expires_at <= now);
        let (sessions, keys) = (&self.sessions, &self.api_keys);
        let used: BTreeSet<&UserId> =
            sessions.values().map(|s| &s.user).chain(keys.values().map(|k| &k.owner)).collect();
        gone += drop_some(&mut self.users, batch, |entry| {
            entry.user.id.is_passing() && old(entry.user.created_at) && !used.contains(&entry.user.id)
        });
        // Whatever deletes a session takes its tokens away.
        let sessions = &self.sessions;
        self.upstream_tokens.retain(|(holder, _), _| match holder {
            Holder::Session(sid) => sessions.contains_key(sid),
            Holder::Visitor(_) => true,
        });
        gone
    }
}

fn drop_some<K: Ord + Clone, V>(map: &mut BTreeMap<K, V>, batch: usize, which: impl Fn(&V) -> bool) -> u64 {
    let keys: Vec<K> =
        map.iter().filter(|(_, value)| which(value)).map(|(key, _)| key.clone()).take(batch).collect();
    for key in &keys {
        map.remove(key);
    }
    keys.len() as u64
}
