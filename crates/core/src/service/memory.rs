//! What a node holds in memory: who is dead, who was seen, what waits to be written (design §5, §6).

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use super::feed::{Change, Journal};
use crate::domain::api_key::{ApiKeyId, NetworkTag};
use crate::domain::device::Device;
use crate::domain::event::{Event, Outcome, Severity};
use crate::domain::id::{Epoch, Generation, Sid, UserId};
use crate::domain::rotation::{Abandoned, RotationRecord};
use crate::domain::time::Timestamp;
use crate::port::{KeyUse, Notice, RevocationsSince, Use};

/// Events kept while the store does not take them; beyond, new ones are only logged.
const MAX_EVENTS: usize = 10_000;

/// Events of one kind from one network that are stored in a minute.
const STORED_A_MINUTE: u32 = 30;
/// Kinds and networks told apart within a minute.
const MAX_KINDS: usize = 8192;

#[derive(Debug, Default)]
struct Dead {
    sids: HashMap<Sid, Timestamp>,
    epochs: HashMap<UserId, (Epoch, Timestamp)>,
    keys: HashMap<ApiKeyId, Timestamp>,
    abandoned: HashMap<Sid, Vec<Abandoned>>,
    journal: Journal,
}

impl Dead {
    fn end(&mut self, sid: Sid, at: Timestamp, now: Timestamp) {
        if let Entry::Vacant(vacant) = self.sids.entry(sid) {
            vacant.insert(at);
            self.journal.note(Change::Session(sid), now);
        }
    }

    fn raise(&mut self, user: &UserId, epoch: Epoch, at: Timestamp, now: Timestamp) {
        if self.epochs.get(user).is_none_or(|(known, _)| *known < epoch) {
            self.epochs.insert(user.clone(), (epoch, at));
            self.journal.note(Change::User(user.clone(), epoch), now);
        }
    }

    fn abandon(&mut self, sid: Sid, range: Abandoned, now: Timestamp) {
        let ranges = self.abandoned.entry(sid).or_default();
        if !ranges.contains(&range) {
            ranges.retain(|r| r.first != range.first);
            ranges.push(range);
            self.journal.note(Change::Abandoned(sid, range.first, range.last), now);
        }
    }
}

#[derive(Debug, Default)]
struct Pending {
    uses: HashMap<Sid, Use>,
    key_uses: HashMap<ApiKeyId, KeyUse>,
    events: Vec<Event>,
    dropped_events: u64,
    flood: Flood,
}

/// Counts what strangers cause, by kind and network, a minute at a time.
#[derive(Debug, Default)]
struct Flood {
    minute: i64,
    counts: HashMap<(&'static str, Box<str>, Option<IpAddr>), u32>,
}

impl Flood {
    fn admit(&mut self, event: &Event) -> bool {
        let minute = event.at.as_secs().div_euclid(60);
        if minute != self.minute || self.counts.len() >= MAX_KINDS {
            self.minute = minute;
            self.counts.clear();
        }
        let network = Device { ip: event.ip, user_agent: Box::default() }.network();
        let count = self.counts.entry((event.name.as_str(), event.reason.clone(), network)).or_default();
        *count += 1;
        *count <= STORED_A_MINUTE
    }
}

/// Why memory refuses an access token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Refusal {
    /// Its session ended, or the user's epoch was raised.
    Revoked,
    /// Its generation was abandoned: theft.
    Abandoned,
}

/// A node's memory.
#[derive(Debug, Default)]
pub(super) struct Memory {
    dead: RwLock<Dead>,
    pending: Mutex<Pending>,
    /// When a complete look at the store last finished.
    fresh_at: Mutex<Timestamp>,
}

impl Memory {
    /// Whether an access token must be refused. On the hot path: two or three look-ups under a shared lock.
    pub(super) fn refuses(
        &self,
        user: &UserId,
        epoch: Epoch,
        sid: Sid,
        generation: Generation,
    ) -> Option<Refusal> {
        let dead = self.dead.read().unwrap_or_else(PoisonError::into_inner);
        if dead.sids.contains_key(&sid) || dead.epochs.get(user).is_some_and(|(raised, _)| epoch < *raised) {
            return Some(Refusal::Revoked);
        }
        let abandoned = dead.abandoned.get(&sid);
        let caught =
            abandoned.is_some_and(|r| r.iter().any(|a| a.first <= generation && generation <= a.last));
        caught.then_some(Refusal::Abandoned)
    }

    /// Whether a session is known to have ended: a store that went back in time must not revive it.
    pub(super) fn knows_ended(&self, sid: Sid) -> bool {
        self.dead.read().unwrap_or_else(PoisonError::into_inner).sids.contains_key(&sid)
    }

    /// Whether an API key, or its owner, is known to have been revoked since it was verified.
    pub(super) fn refuses_key(&self, id: ApiKeyId, owner: &UserId, epoch: Epoch) -> bool {
        let dead = self.dead.read().unwrap_or_else(PoisonError::into_inner);
        dead.keys.contains_key(&id) || dead.epochs.get(owner).is_some_and(|(raised, _)| epoch < *raised)
    }

    /// Whether an API key is known to have been revoked: a store that went back in time must not revive it.
    pub(super) fn knows_revoked(&self, id: ApiKeyId) -> bool {
        self.dead.read().unwrap_or_else(PoisonError::into_inner).keys.contains_key(&id)
    }

    /// Notes a use of an API key, to be written behind. Answers whether this network is news among the uses that wait.
    pub(super) fn note_key_use(
        &self,
        id: ApiKeyId,
        at: Option<Timestamp>,
        network: Option<NetworkTag>,
    ) -> bool {
        let mut pending = self.pending();
        let entry = pending.key_uses.entry(id).or_insert(KeyUse { id, at: None, networks: Vec::new() });
        entry.at = entry.at.max(at);
        let news = network.filter(|tag| !entry.networks.contains(tag));
        entry.networks.extend(news);
        news.is_some()
    }

    /// Takes what waits to be written about API keys.
    pub(super) fn take_key_uses(&self) -> Vec<KeyUse> {
        self.pending().key_uses.values().cloned().collect()
    }

    /// Forgets uses that were written; what was noted meanwhile stays.
    pub(super) fn key_uses_written(&self, uses: &[KeyUse]) {
        let mut pending = self.pending();
        for done in uses {
            if pending.key_uses.get(&done.id) == Some(done) {
                pending.key_uses.remove(&done.id);
            }
        }
    }

    /// Takes a notice in. Idempotent, and newer knowledge is never overwritten by older.
    pub(super) fn apply(&self, notice: &Notice, now: Timestamp) {
        match notice {
            Notice::SessionEnded { sid, at } => self.dead_mut(|dead| {
                dead.end(*sid, *at, now);
                dead.abandoned.remove(sid);
            }),
            Notice::EpochRaised { user, epoch, at } => {
                self.dead_mut(|dead| dead.raise(user, *epoch, *at, now));
            }
            Notice::Abandoned { sid, range } => self.dead_mut(|dead| dead.abandon(*sid, *range, now)),
            Notice::Confirmed { sid, generation, at } => self.note_use(*sid, None, Some((*generation, *at))),
            Notice::ApiKeyRevoked { id, at } => {
                self.dead_mut(|dead| {
                    dead.keys.entry(*id).or_insert(*at);
                });
            }
            Notice::Gap => {}
        }
    }

    /// Looks at the journal for readers of the feed.
    pub(super) fn journal<T>(&self, read: impl FnOnce(&Journal) -> T) -> T {
        read(&self.dead.read().unwrap_or_else(PoisonError::into_inner).journal)
    }

    fn dead_mut(&self, change: impl FnOnce(&mut Dead)) {
        change(&mut self.dead.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// Takes in what the store knows, and drops what no token can outlive.
    pub(super) fn refill(&self, known: RevocationsSince, forget_before: Timestamp, now: Timestamp) {
        self.dead_mut(|dead| {
            for (sid, at) in known.ended {
                dead.end(sid, at, now);
            }
            for (user, epoch, at) in known.epochs {
                dead.raise(&user, epoch, at, now);
            }
            for (sid, range) in known.abandoned {
                dead.abandon(sid, range, now);
            }
            dead.journal.forget(forget_before);
            dead.sids.retain(|_, at| *at >= forget_before);
            dead.keys.retain(|_, at| *at >= forget_before);
            dead.epochs.retain(|_, (_, at)| *at >= forget_before);
            dead.abandoned.retain(|_, ranges| {
                ranges.retain(|r| r.until > now);
                !ranges.is_empty()
            });
        });
        *self.fresh_at.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// When the store was last heard of in full.
    pub(super) fn fresh_at(&self) -> Timestamp {
        *self.fresh_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a use, to be written behind; judged with at once (see [`Self::overlay`]).
    pub(super) fn note_use(
        &self,
        sid: Sid,
        seen_at: Option<Timestamp>,
        confirmed: Option<(Generation, Timestamp)>,
    ) {
        let mut pending = self.pending();
        let entry = pending.uses.entry(sid).or_insert(Use { sid, seen_at: None, confirmed: None });
        entry.seen_at = entry.seen_at.max(seen_at);
        if let Some((generation, _)) = confirmed
            && entry.confirmed.is_none_or(|(known, _)| known < generation)
        {
            entry.confirmed = confirmed;
        }
    }

    /// Adds what waits to be written to a record that was read: a confirmation counts at once.
    pub(super) fn overlay(&self, sid: Sid, record: &mut RotationRecord, seen_at: &mut Timestamp) {
        let pending = self.pending();
        if let Some(noted) = pending.uses.get(&sid) {
            if let Some((generation, at)) = noted.confirmed {
                record.confirm(generation, at);
            }
            if let Some(seen) = noted.seen_at {
                *seen_at = (*seen_at).max(seen);
            }
        }
    }

    /// Takes what waits to be written, in the order of the store's rows, so that each page is touched once.
    pub(super) fn take_uses(&self) -> Vec<Use> {
        let mut uses: Vec<Use> = self.pending().uses.values().copied().collect();
        uses.sort_unstable_by(|a, b| a.sid.as_bytes().cmp(b.sid.as_bytes()));
        uses
    }

    /// Forgets uses that were written; what was noted meanwhile stays.
    pub(super) fn written(&self, uses: &[Use]) {
        let mut pending = self.pending();
        for done in uses {
            if pending.uses.get(&done.sid) == Some(done) {
                pending.uses.remove(&done.sid);
            }
        }
    }

    /// Queues an event for the store. What strangers can cause without end (nobody's account, nothing critical) is stored a few times a minute for
    /// each network and kind, and otherwise only logged.
    pub(super) fn queue_event(&self, event: Event) {
        let mut pending = self.pending();
        let strangers = event.user.is_none()
            && event.outcome == Outcome::Refused
            && event.name.severity() != Severity::Critical;
        if strangers && !pending.flood.admit(&event) {
            pending.dropped_events += 1;
            return;
        }
        if pending.events.len() >= MAX_EVENTS {
            pending.dropped_events += 1;
            return;
        }
        pending.events.push(event);
    }

    pub(super) fn take_events(&self) -> Vec<Event> {
        std::mem::take(&mut self.pending().events)
    }

    /// Puts events back that the store did not take, in front of newer ones.
    pub(super) fn return_events(&self, mut events: Vec<Event>) {
        let mut pending = self.pending();
        events.append(&mut pending.events);
        events.truncate(MAX_EVENTS);
        pending.events = events;
    }

    /// How many events could not be kept.
    pub(super) fn dropped_events(&self) -> u64 {
        self.pending().dropped_events
    }
}
