//! The event queue, and what a node does with a request.

use std::collections::BTreeMap;
use std::time::Duration;

use countersign_core::domain::id::Generation;
use countersign_core::domain::rotation::{
    AfterRollback, Presented, RotationPolicy, RotationRecord, Verdict, judge,
};
use countersign_core::domain::time::Timestamp;

use crate::holder::{Access, Jar, SetCookies};
use crate::node::Node;
use crate::script::{ACCESS, Act, Behind, Fate, G, Kind, SMOOTH, Share, Step};
use crate::store::Store;

/// Lost answers in a row that P1 must survive ("short of ten").
const MOST_LOST: u32 = 9;

/// A request on its way: what the jar held when it was sent.
#[derive(Clone, Copy, Debug)]
struct Message {
    holder: usize,
    kind: Kind,
    jar: Jar,
    fate: Fate,
}

#[derive(Debug)]
enum Happening {
    Act(usize, Act),
    Arrive(Message),
    Commit { message: Message, judged: RotationRecord, verdict: Verdict, judged_at: Timestamp },
    Deliver(usize, SetCookies),
    Flush { node: usize, life: u32, generation: Generation, at: Timestamp },
}

/// How a request was answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    /// By an access token.
    Access,
    /// By this verdict (its word), the generation handed over, whether the answer will arrive.
    Rotation { word: &'static str, refresh: Option<Generation>, arrives: bool },
    /// This request ended the session: a spent or abandoned token.
    Theft,
    /// The session was over.
    Refused,
}

/// One answer, as an observer above everything sees it.
#[derive(Clone, Copy, Debug)]
#[expect(dead_code, reason = "time and holder are for the reader of a failure")]
pub(crate) struct Seen {
    at: Timestamp,
    holder: usize,
    pub(crate) answer: Answer,
    /// Position among everything that happened.
    pub(crate) order: u64,
}

/// One session and everybody who holds its tokens.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) now: Timestamp,
    pub(crate) store: Store,
    pub(crate) jars: Vec<Jar>,
    pub(crate) seen: Vec<Seen>,
    /// When revoke returned, in the order of happenings.
    pub(crate) revoked_at: Option<u64>,
    happened: u64,
    nodes: Vec<Node>,
    queue: BTreeMap<(Timestamp, u64), Happening>,
    count: u64,
    policy: RotationPolicy,
    longest_ms: u64,
    behind: Behind,
    lost_in_a_row: u32,
}

impl World {
    /// A session just opened; the first jar is the honest client's. Messages live G less the clocks' difference.
    pub(crate) fn new(skew_ms: u64, behind: Behind) -> Self {
        let now = Timestamp::from_secs(1_790_000_000);
        let access_lifetime = Duration::from_millis(ACCESS + 60_000);
        let policy = RotationPolicy::new(Duration::from_millis(G), access_lifetime, AfterRollback::Heal);
        Self {
            now,
            store: Store::opened(now),
            jars: vec![Jar::opened()],
            seen: Vec::new(),
            revoked_at: None,
            happened: 0,
            nodes: vec![Node::new(Duration::ZERO), Node::new(Duration::from_millis(skew_ms))],
            queue: BTreeMap::new(),
            count: 0,
            policy,
            longest_ms: G - skew_ms,
            behind,
            lost_in_a_row: 0,
        }
    }

    /// Copies a jar, as theft does; returns the thief's number.
    pub(crate) fn steal(&mut self, from: usize) -> usize {
        self.jars.push(self.jars[from]);
        self.jars.len() - 1
    }

    /// Lets a holder act out a script, overlapping as it says, and waits until every message has died.
    pub(crate) fn play(&mut self, holder: usize, script: &[Step]) {
        let mut at = self.now;
        for step in script {
            at = at.plus(Duration::from_millis(step.after_ms));
            self.schedule(at, Happening::Act(holder, step.act));
        }
        self.settle();
        self.now = self.now.max(at);
    }

    /// One request without incidents.
    pub(crate) fn smooth(&mut self, holder: usize, kind: Kind) -> Answer {
        self.play(holder, &[Step { after_ms: 0, act: Act::Send(kind, SMOOTH) }]);
        self.last().answer
    }

    pub(crate) fn wait(&mut self, millis: u64) {
        self.now = self.now.plus(Duration::from_millis(millis));
    }

    pub(crate) fn last(&self) -> Seen {
        *self.seen.last().expect("an answer")
    }

    fn settle(&mut self) {
        while let Some(((at, _), happening)) = self.queue.pop_first() {
            self.now = self.now.max(at);
            self.happened += 1;
            match happening {
                Happening::Act(holder, Act::Send(kind, fate)) => self.send(holder, kind, fate),
                Happening::Act(_, Act::Restart(node)) => self.nodes[node].restart(),
                Happening::Act(_, Act::Revoke) => {
                    self.store.revoke();
                    self.revoked_at = Some(self.happened);
                }
                Happening::Arrive(message) => self.arrive(message),
                Happening::Commit { message, judged, verdict, judged_at } => {
                    self.commit(message, &judged, &verdict, judged_at);
                }
                Happening::Deliver(holder, cookies) => self.jars[holder].store(cookies),
                Happening::Flush { node, life, generation, at } => self.flush(node, life, generation, at),
            }
        }
    }

    fn schedule(&mut self, at: Timestamp, happening: Happening) {
        self.count += 1;
        self.queue.insert((at, self.count), happening);
    }

    /// At least one millisecond, at most what a message may live.
    fn delay(&self, share: Share) -> Duration {
        Duration::from_millis(1 + (self.longest_ms - 1) * u64::from(share) / 1000)
    }

    fn send(&mut self, holder: usize, kind: Kind, fate: Fate) {
        let message = Message { holder, kind, jar: self.jars[holder], fate };
        let copies = [(!fate.request_lost).then_some(fate.request), fate.twin];
        for share in copies.into_iter().flatten() {
            self.schedule(self.now.plus(self.delay(share)), Happening::Arrive(message));
        }
    }

    fn arrive(&mut self, message: Message) {
        if self.store.ended() {
            return self.note(message.holder, Answer::Refused);
        }
        let clock = self.nodes[message.fate.node].clock(self.now);
        let access = message.jar.access.filter(|a| message.kind == Kind::Page && clock < a.expires_at);
        let Some(access) = access else { return self.rotate(message) };
        if self.store.record().is_abandoned(access.generation) {
            return self.theft(message.holder);
        }
        self.in_use(message.fate.node, access.generation);
        self.note(message.holder, Answer::Access);
    }

    fn rotate(&mut self, message: Message) {
        let node = message.fate.node;
        let generation = message.jar.refresh;
        if generation == self.store.record().current {
            self.in_use(node, generation);
        }
        let judged = self.nodes[node].view(self.store.record());
        let clock = self.nodes[node].clock(self.now);
        let verdict = judge(&self.policy, &judged, Presented::from_jar(generation), clock);
        if verdict.next().is_none() {
            return self.answer(message, &judged, &verdict, self.now);
        }
        let at = self.now.plus(Duration::from_millis(message.fate.commit_ms));
        self.schedule(at, Happening::Commit { message, judged, verdict, judged_at: self.now });
    }

    fn commit(&mut self, message: Message, judged: &RotationRecord, verdict: &Verdict, judged_at: Timestamp) {
        let written = verdict.next().is_some_and(|next| self.store.rotate_if_current(judged, next));
        if written {
            return self.answer(message, judged, verdict, judged_at);
        }
        if self.store.ended() {
            return self.note(message.holder, Answer::Refused);
        }
        // A lost compare-and-set re-reads and judges again.
        self.rotate(Message { fate: Fate { commit_ms: 0, ..message.fate }, ..message });
    }

    fn answer(&mut self, message: Message, judged: &RotationRecord, verdict: &Verdict, judged_at: Timestamp) {
        let current = verdict.next().unwrap_or(judged).current;
        let refresh = match verdict {
            Verdict::Reuse | Verdict::Deny => return self.theft(message.holder),
            Verdict::Keep { .. } => None,
            _ => Some(current),
        };
        // What is not in the jar within G of its verdict never gets there: the head left too late, or the network ate it.
        let arrives = !message.fate.answer_lost || (refresh.is_some() && self.lost_in_a_row >= MOST_LOST);
        if refresh.is_some() {
            self.lost_in_a_row = if arrives { 0 } else { self.lost_in_a_row + 1 };
        }
        self.note(message.holder, Answer::Rotation { word: verdict.word(), refresh, arrives });
        if arrives {
            let expires_at =
                self.nodes[message.fate.node].clock(judged_at).plus(Duration::from_millis(ACCESS));
            let cookies = SetCookies { refresh, access: Access { generation: current, expires_at } };
            let at = judged_at.plus(self.delay(message.fate.answer)).max(self.now);
            self.schedule(at, Happening::Deliver(message.holder, cookies));
        }
    }

    /// A generation seen in use: noted in this node's memory, published, written behind.
    fn in_use(&mut self, node: usize, generation: Generation) {
        let at = self.nodes[node].clock(self.now);
        if !self.nodes[node].note(generation, at) {
            return;
        }
        if self.behind.bus {
            self.nodes.iter_mut().for_each(|other| {
                other.note(generation, at);
            });
        }
        let life = self.nodes[node].life();
        let due = self.now.plus(Duration::from_millis(self.behind.flush_ms));
        self.schedule(due, Happening::Flush { node, life, generation, at });
    }

    fn flush(&mut self, node: usize, life: u32, generation: Generation, at: Timestamp) {
        if self.nodes[node].life() == life {
            self.store.confirm(generation, at);
        }
    }

    fn theft(&mut self, holder: usize) {
        self.store.revoke();
        self.note(holder, Answer::Theft);
    }

    fn note(&mut self, holder: usize, answer: Answer) {
        self.seen.push(Seen { at: self.now, holder, answer, order: self.happened });
    }
}
