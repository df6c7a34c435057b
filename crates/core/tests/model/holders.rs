//! Two holders of one session's tokens, the honest client and a thief with a copy of its jar, as a state (P2).

use std::fmt;

use countersign_core::domain::id::Generation;
use countersign_core::domain::rotation::{RotationPolicy, RotationRecord, Windows};

use crate::ticks::{Before, Note, Ticks, is_stale, renumber};

/// The honest client.
pub(crate) const HONEST: usize = 0;
/// The thief.
pub(crate) const THIEF: usize = 1;

/// How the two go about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Manner {
    /// Whoever acts next lets this many ticks pass after the other's last act. In its own turn each does what it likes: refreshes,
    /// pages, answers that are lost, waiting.
    Turns { apart: i64 },
    /// The thief polls with the token that it stole, once it is spent, and else both do what they like, whenever they like. At most
    /// this many crashes take a confirmation with them.
    Polling { crashes: u8 },
}

/// How much of the world is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Ticks to a grace.
    pub(crate) grace: i64,
    pub(crate) windows: Windows,
    pub(crate) manner: Manner,
    /// Nodes behind the load balancer: one or two.
    pub(crate) nodes: usize,
    /// How many ticks the second node's clock is ahead.
    pub(crate) skew: i64,
    /// How many ticks an access token lives, leeway included.
    pub(crate) access: i64,
    /// Turns, or answered polls, after which the session must be over.
    pub(crate) limit: u8,
    /// The store forgets which generations were abandoned: a fault, to show what they are for.
    pub(crate) forgets_abandoned: bool,
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { grace, nodes, skew, access, limit, .. } = self;
        write!(
            f,
            "G = {grace}, nodes {nodes}, apart {skew}, access {access}, lost {}, ",
            self.windows.max_lost
        )?;
        match self.manner {
            Manner::Turns { apart } => write!(f, "turns {apart} apart, at most {limit}"),
            Manner::Polling { crashes } => write!(f, "polls at most {limit}, crashes {crashes}"),
        }
    }
}

impl Bounds {
    pub(crate) fn ticks(&self) -> Ticks {
        Ticks::new(self.grace, &self.windows)
    }

    pub(crate) fn policy(&self) -> RotationPolicy {
        self.ticks().policy(self.windows, self.access)
    }
}

/// An access token in a jar.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Access {
    pub(crate) generation: Generation,
    /// Ticks that it is still good for.
    pub(crate) left: i64,
}

/// A holder's cookies, and whether a Reissue went over their heads: then they are somebody else's, and must be found out.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Jar {
    pub(crate) refresh: Generation,
    pub(crate) access: Option<Access>,
    pub(crate) refresh_trapped: bool,
    pub(crate) access_trapped: bool,
}

/// Everything about one session.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct World {
    pub(crate) record: RotationRecord,
    pub(crate) notes: [Option<Note>; 2],
    /// One jar before the theft, two afterwards.
    pub(crate) jars: Vec<Jar>,
    /// The refresh token that the thief polls with.
    pub(crate) stolen: Option<Generation>,
    /// Who acted last, and how many ticks ago.
    pub(crate) turn: usize,
    pub(crate) quiet: i64,
    /// Turns in which tokens were handed over, since the theft, and whose the last one was; or polls.
    pub(crate) count: u8,
    pub(crate) counted: Option<usize>,
    /// Ticks since the last poll that was counted.
    pub(crate) since_poll: i64,
    /// Crashes that took a confirmation with them, where they are counted.
    pub(crate) crashes: u8,
    /// The session was revoked, as theft.
    pub(crate) over: bool,
    pub(crate) before: Before,
}

impl World {
    pub(crate) fn opened(ticks: Ticks) -> Self {
        let record = RotationRecord::opened(ticks.long_ago());
        let jar =
            Jar { refresh: record.current, access: None, refresh_trapped: false, access_trapped: false };
        Self {
            record,
            notes: [None; 2],
            jars: vec![jar],
            stolen: None,
            turn: HONEST,
            quiet: 0,
            count: 0,
            counted: None,
            since_poll: 0,
            crashes: 0,
            over: false,
            before: Before::default(),
        }
    }

    pub(crate) fn pass(&mut self, bounds: &Bounds) {
        let ticks = bounds.ticks();
        ticks.pass(&mut self.record);
        self.notes.iter_mut().for_each(|note| ticks.pass_note(note));
        self.jars.iter_mut().filter_map(|jar| jar.access.as_mut()).for_each(|access| access.left -= 1);
        self.quiet += 1;
        self.since_poll += 1;
    }

    /// Forgets what can no longer make a difference, so that states that behave alike are one.
    pub(crate) fn settle(&mut self, bounds: &Bounds) {
        if self.over {
            // Nothing goes on: all such states are one.
            *self = Self { over: true, ..Self::opened(bounds.ticks()) };
            return;
        }
        if self.record.from.is_none() {
            self.record.handed_over_at = bounds.ticks().long_ago();
        }
        let record = &self.record;
        for note in &mut self.notes {
            *note = note.filter(|n| !is_stale(*n, record));
        }
        for jar in &mut self.jars {
            // A page with an older access token is served until it expires, and changes nothing.
            let matters = |a: &Access| a.left > 0 && (a.generation == record.current || jar.access_trapped);
            jar.access = jar.access.filter(matters);
            jar.access_trapped &= jar.access.is_some();
        }
        if record.confirmed_at.is_some() {
            self.record.lost = 0;
        }
        self.quiet = match bounds.manner {
            Manner::Turns { apart } => self.quiet.min(apart),
            Manner::Polling { .. } => 0,
        };
        self.since_poll = match bounds.manner {
            Manner::Polling { .. } if self.count > 0 => self.since_poll.min(bounds.grace + bounds.skew + 1),
            _ => 0,
        };
        let held: Vec<Generation> = self.held().collect();
        // What nobody holds nobody presents.
        self.record.abandoned.retain(|a| held.iter().any(|g| a.first <= *g && *g <= a.last));
        self.renumber();
    }

    fn held(&self) -> impl Iterator<Item = Generation> + '_ {
        let jars = self.jars.iter().flat_map(|jar| [Some(jar.refresh), jar.access.map(|a| a.generation)]);
        jars.chain([self.stolen]).flatten()
    }

    /// Tokens older than `from` are all alike: spent. So the oldest of them need no numbers of their own.
    fn renumber(&mut self) {
        let oldest = self.record.from.unwrap_or(self.record.current);
        let ranges = self.record.abandoned.iter().map(|a| a.first);
        let notes = self.notes.iter().flatten().map(|n| n.generation);
        let access = self.jars.iter().filter_map(|jar| jar.access).map(|a| a.generation);
        let oldest = ranges.chain(notes).chain(access).chain([oldest]).min().unwrap();
        // One number below is left for the spent ones.
        let by = oldest.0.saturating_sub(2);
        let lower = |g: Generation| Generation(g.0.saturating_sub(by).max(1));
        self.before.add(by);
        renumber(&mut self.record, by);
        self.notes.iter_mut().flatten().for_each(|note| note.generation = lower(note.generation));
        for jar in &mut self.jars {
            jar.refresh = lower(jar.refresh);
            jar.access = jar.access.map(|a| Access { generation: lower(a.generation), ..a });
        }
        self.stolen = self.stolen.map(lower);
    }
}
