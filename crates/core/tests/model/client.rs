//! One honest client with any number of tabs, the network, two nodes and the store, as a state.
//!
//! Lost requests need no step of their own: a request that never arrives is one that was never sent. Messages overtake each other
//! freely. A duplicated answer is the answer to a duplicated request that was judged in the same instant.

use std::fmt;

use countersign_core::domain::id::Generation;
use countersign_core::domain::rotation::{RotationPolicy, RotationRecord, Windows};

use crate::ticks::{Before, Note, Ticks, is_stale, renumber};

/// How much of the world is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Ticks to a grace.
    pub(crate) grace: i64,
    pub(crate) windows: Windows,
    /// How many ticks a message lives at most: from sending to the last verdict, and from there to the jar.
    pub(crate) life: i64,
    /// Nodes behind the load balancer: one or two.
    pub(crate) nodes: usize,
    /// How many ticks the second node's clock is ahead.
    pub(crate) skew: i64,
    /// Requests and answers on their way at once.
    pub(crate) flying: usize,
    /// Answers that carry a refresh token and are lost in a row.
    pub(crate) losses: u8,
    /// A verdict is written some time after the record was read, and others get in between.
    pub(crate) late_writes: bool,
    /// The store may go back in time, at most once.
    pub(crate) failover: Option<Failover>,
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { grace, life, nodes, skew, flying, losses, .. } = self;
        write!(f, "G = {grace}, life {life}, nodes {nodes}, apart {skew}, on their way {flying}, ")?;
        write!(f, "lost in a row {losses} of {}", self.windows.max_lost)?;
        if self.late_writes {
            f.write_str(", late writes")?;
        }
        self.failover.map_or(Ok(()), |failover| write!(f, ", failover by {}", failover.lacks))
    }
}

/// The store goes back to a replica.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Failover {
    /// Rotations that the replica lacks at most.
    pub(crate) lacks: u8,
    /// What was on its way when the store failed still arrives afterwards.
    pub(crate) messages_survive: bool,
}

/// A constant access-token life: in these worlds only abandonment ends one.
const ACCESS: i64 = 1;

impl Bounds {
    pub(crate) fn ticks(&self) -> Ticks {
        Ticks::new(self.grace, &self.windows)
    }

    pub(crate) fn policy(&self) -> RotationPolicy {
        self.ticks().policy(self.windows, ACCESS)
    }
}

/// The cookies of all tabs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Jar {
    pub(crate) refresh: Generation,
    pub(crate) access: Option<Generation>,
}

/// Something on its way; its age is in ticks.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Message {
    /// A request with a refresh token and no good access token: `/auth/refresh`, or a page rotated inline.
    Refresh { generation: Generation, age: i64 },
    /// A page with a good access token.
    Page { generation: Generation, age: i64 },
    /// A verdict that waits for its compare-and-set.
    Write(Box<Write>),
    /// Cookies for the jar; Keep leaves the refresh cookie out. Its age counts from the verdict.
    Answer { refresh: Option<Generation>, access: Generation, age: i64 },
}

/// A judged request between its read and its compare-and-set.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Write {
    pub(crate) node: usize,
    pub(crate) presented: Generation,
    pub(crate) judged: RotationRecord,
    pub(crate) next: RotationRecord,
    /// Since the request was sent: what the store takes counts as time in the network.
    pub(crate) sent: i64,
    /// Since the verdict.
    pub(crate) age: i64,
}

impl Message {
    pub(crate) fn age(&self) -> i64 {
        match self {
            Self::Refresh { age, .. } | Self::Page { age, .. } | Self::Answer { age, .. } => *age,
            Self::Write(write) => write.sent,
        }
    }

    fn generations(&self) -> [Generation; 2] {
        match self {
            Self::Refresh { generation, .. } | Self::Page { generation, .. } => [*generation; 2],
            Self::Write(write) => [write.presented, write.judged.from.unwrap_or(write.judged.current)],
            Self::Answer { refresh, access, .. } => [refresh.unwrap_or(*access), *access],
        }
    }

    /// An order in which equal sets of messages are equal lists.
    fn key(&self) -> (u8, u32, u32, i64, usize) {
        let [one, two] = self.generations();
        let (kind, node) = match self {
            Self::Refresh { .. } => (0, 0),
            Self::Page { .. } => (1, 0),
            Self::Write(write) => (2, write.node + 2 * usize::try_from(write.age).unwrap()),
            Self::Answer { refresh, .. } => (3, usize::from(refresh.is_some())),
        };
        (kind, one.0, two.0, self.age(), node)
    }

    fn pass(&mut self, ticks: Ticks) {
        match self {
            Self::Refresh { age, .. } | Self::Page { age, .. } | Self::Answer { age, .. } => *age += 1,
            Self::Write(write) => {
                write.sent += 1;
                write.age += 1;
                ticks.pass(&mut write.judged);
                ticks.pass(&mut write.next);
            }
        }
    }

    fn renumber(&mut self, by: u32) {
        match self {
            Self::Refresh { generation, .. } | Self::Page { generation, .. } => generation.0 -= by,
            Self::Write(write) => {
                write.presented.0 -= by;
                renumber(&mut write.judged, by);
                renumber(&mut write.next, by);
            }
            Self::Answer { refresh, access, .. } => {
                *refresh = refresh.map(|g| Generation(g.0 - by));
                access.0 -= by;
            }
        }
    }
}

/// A replica that the store may fall back to, and how many rotations it lacks.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Replica {
    pub(crate) record: RotationRecord,
    pub(crate) lacks: u8,
}

/// Everything about one session.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct World {
    pub(crate) record: RotationRecord,
    pub(crate) notes: [Option<Note>; 2],
    pub(crate) jar: Jar,
    pub(crate) flying: Vec<Message>,
    pub(crate) lost_in_a_row: u8,
    pub(crate) replica: Option<Replica>,
    pub(crate) failed_over: bool,
    pub(crate) before: Before,
}

impl World {
    pub(crate) fn opened(ticks: Ticks) -> Self {
        let record = RotationRecord::opened(ticks.long_ago());
        let jar = Jar { refresh: record.current, access: Some(record.current) };
        Self {
            record,
            notes: [None; 2],
            jar,
            flying: Vec::new(),
            lost_in_a_row: 0,
            replica: None,
            failed_over: false,
            before: Before::default(),
        }
    }

    pub(crate) fn pass(&mut self, ticks: Ticks) {
        ticks.pass(&mut self.record);
        self.notes.iter_mut().for_each(|note| ticks.pass_note(note));
        self.flying.iter_mut().for_each(|message| message.pass(ticks));
        if let Some(replica) = &mut self.replica {
            ticks.pass(&mut replica.record);
        }
    }

    /// How many answers with a refresh token are on their way.
    pub(crate) fn answers(&self) -> u8 {
        let carries =
            |m: &&Message| matches!(m, Message::Answer { refresh: Some(_), .. } | Message::Write(_));
        u8::try_from(self.flying.iter().filter(carries).count()).unwrap()
    }

    /// Forgets what can no longer make a difference, so that states that behave alike are one.
    pub(crate) fn settle(&mut self, bounds: &Bounds) {
        let may_go_back = self.replica.is_some() || (bounds.failover.is_some() && !self.failed_over);
        let after_rollback = self.failed_over || may_go_back;
        if self.record.from.is_none() {
            self.record.handed_over_at = bounds.ticks().long_ago();
        }
        let record = &self.record;
        for note in &mut self.notes {
            *note = note.filter(|n| !is_stale(*n, record));
        }
        if !after_rollback {
            // A page with an older access token is served and changes nothing, now and later.
            let matters = |g: Generation| g == record.current || record.is_abandoned(g);
            self.jar.access = self.jar.access.filter(|g| matters(*g));
            self.flying.retain(|m| !matches!(m, Message::Page { generation, .. } if !matters(*generation)));
        }
        let writing = self.flying.iter().any(|m| matches!(m, Message::Write(_)));
        if record.confirmed_at.is_some() && !writing {
            self.record.lost = 0;
        }
        let held: Vec<Generation> = self.held().collect();
        // What nobody holds nobody presents.
        self.record.abandoned.retain(|a| held.iter().any(|g| a.first <= *g && *g <= a.last));
        self.flying.sort_by_key(Message::key);
        self.renumber(&held);
    }

    /// Generations that the client holds, or is about to.
    fn held(&self) -> impl Iterator<Item = Generation> + '_ {
        let jar = [Some(self.jar.refresh), self.jar.access].into_iter().flatten();
        jar.chain(self.flying.iter().flat_map(Message::generations))
    }

    fn renumber(&mut self, held: &[Generation]) {
        let oldest = |record: &RotationRecord| {
            let ranges = record.abandoned.iter().map(|a| a.first);
            ranges.chain([record.from.unwrap_or(record.current)]).min().unwrap()
        };
        let records = [Some(&self.record), self.replica.as_ref().map(|r| &r.record)];
        let writes = self.flying.iter().filter_map(|m| match m {
            Message::Write(write) => Some(oldest(&write.judged).min(oldest(&write.next))),
            _ => None,
        });
        let notes = self.notes.iter().flatten().map(|n| n.generation);
        let all = records.into_iter().flatten().map(oldest).chain(writes).chain(notes);
        let by = all.chain(held.iter().copied()).min().unwrap().0 - 1;
        if by == 0 {
            return;
        }
        self.before.add(by);
        renumber(&mut self.record, by);
        if let Some(replica) = &mut self.replica {
            renumber(&mut replica.record, by);
        }
        self.notes.iter_mut().flatten().for_each(|note| note.generation.0 -= by);
        self.jar.refresh.0 -= by;
        self.jar.access = self.jar.access.map(|g| Generation(g.0 - by));
        self.flying.iter_mut().for_each(|message| message.renumber(by));
    }
}
