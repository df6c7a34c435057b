//! What two holders of one session can do, step by step, with the real `judge` at the nodes (P2).
//!
//! A holder's own messages do not overlap here: that is P1's world. Whether an answer arrives is open all the same.

use countersign_core::domain::id::Generation;
use countersign_core::domain::rotation::{Presented, RotationPolicy, RotationRecord, Verdict, judge};
use countersign_core::domain::time::Timestamp;

use crate::explore::{Broken, Model};
use crate::holders::{Access, Bounds, HONEST, Jar, Manner, THIEF, World};
use crate::network::one_branch;
use crate::ticks::{Note, Ticks, show, view};

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Tick,
    /// The thief copies the jar.
    Steal,
    /// A holder presents its refresh token.
    Refresh {
        holder: usize,
        node: usize,
        arrives: bool,
    },
    /// A holder asks for a page with its access token.
    Page {
        holder: usize,
        node: usize,
    },
    /// The thief presents what it stole, and keeps the answer or throws it away.
    Poll {
        node: usize,
        keeps: bool,
    },
    Flush(usize),
    Hear(usize),
    Restart(usize),
}

/// A confirmation is written behind within a second, or lost: within a tick.
const WRITE_BEHIND: i64 = 1;

/// The honest client and a thief.
#[derive(Debug)]
pub(crate) struct Theft {
    bounds: Bounds,
    ticks: Ticks,
    policy: RotationPolicy,
}

impl Theft {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self { bounds, ticks: bounds.ticks(), policy: bounds.policy() }
    }

    fn clock(&self, node: usize) -> Timestamp {
        self.ticks.ahead(if node == 1 { self.bounds.skew } else { 0 })
    }

    fn view(&self, world: &World, node: usize) -> RotationRecord {
        view(&world.record, world.notes[node])
    }

    /// Presents a refresh token. What the answer brings, or `None` where the session was revoked for it.
    fn present(
        &self,
        world: &mut World,
        node: usize,
        presented: Generation,
    ) -> Result<Option<(Option<Generation>, Access)>, Broken> {
        let judged = self.view(world, node);
        let now = self.clock(node);
        let verdict = judge(&self.policy, &judged, Presented::from_jar(presented), now);
        one_branch(&judged, presented, &verdict)?;
        if matches!(verdict, Verdict::Reuse | Verdict::Deny) {
            world.over = true;
            return Ok(None);
        }
        if matches!(verdict, Verdict::Keep { confirms: true }) {
            world.notes[node] = Some(Note { generation: presented, at: now });
        }
        if let Some(next) = verdict.next() {
            if matches!(verdict, Verdict::Reissue { .. }) {
                trap(world, next);
            }
            world.record = world.record.succeeded_by(&judged, next).unwrap();
            if self.bounds.forgets_abandoned {
                world.record.abandoned.clear();
            }
        }
        let generation = world.record.current;
        let access = Access { generation, left: self.bounds.access };
        let refresh = (!matches!(verdict, Verdict::Keep { .. })).then_some(generation);
        Ok(Some((refresh, access)))
    }

    fn refresh(&self, world: &mut World, holder: usize, node: usize, arrives: bool) -> Result<(), Broken> {
        let Jar { refresh: presented, refresh_trapped, .. } = world.jars[holder];
        let answer = self.present(world, node, presented)?;
        if answer.is_some() && refresh_trapped {
            return Err(Broken(String::from("P2: a refresh token that was reissued over is good")));
        }
        if let Some((refresh, access)) = answer
            && arrives
        {
            keep(&mut world.jars[holder], refresh, access);
            if world.jars.len() == 2 && world.counted != Some(holder) && !self.polling() {
                world.counted = Some(holder);
                world.count += 1;
            }
        }
        Ok(())
    }

    fn page(&self, world: &mut World, holder: usize, node: usize) -> Result<(), Broken> {
        let jar = world.jars[holder];
        let generation = jar.access.unwrap().generation;
        if world.record.is_abandoned(generation) {
            world.over = true;
            return Ok(());
        }
        if jar.access_trapped {
            return Err(Broken(String::from("P2: an access token that was reissued over is good")));
        }
        let record = self.view(world, node);
        if record.current == generation && record.confirmed_at.is_none() {
            world.notes[node] = Some(Note { generation, at: self.clock(node) });
        }
        Ok(())
    }

    fn poll(&self, world: &mut World, node: usize, keeps: bool) -> Result<(), Broken> {
        let Some((refresh, access)) = self.present(world, node, world.stolen.unwrap())? else {
            return Ok(());
        };
        if keeps {
            keep(&mut world.jars[THIEF], refresh, access);
        }
        if world.count == 0 || world.since_poll > self.bounds.grace + self.bounds.skew {
            world.count += 1;
            world.since_poll = 0;
        }
        Ok(())
    }

    /// Whether a holder may act now.
    fn may_act(&self, world: &World, holder: usize) -> bool {
        match self.bounds.manner {
            Manner::Turns { apart } => world.turn == holder || world.quiet >= apart,
            Manner::Polling { .. } => true,
        }
    }

    fn polling(&self) -> bool {
        matches!(self.bounds.manner, Manner::Polling { .. })
    }

    fn may_crash(&self, world: &World) -> bool {
        match self.bounds.manner {
            Manner::Turns { .. } => true,
            Manner::Polling { crashes } => world.crashes < crashes,
        }
    }
}

fn keep(jar: &mut Jar, refresh: Option<Generation>, access: Access) {
    jar.access = Some(access);
    jar.access_trapped = false;
    if let Some(refresh) = refresh {
        jar.refresh = refresh;
        jar.refresh_trapped = false;
    }
}

/// Marks what a Reissue goes over, without asking the record: newer than what was presented, older than what is handed out now.
fn trap(world: &mut World, next: &RotationRecord) {
    let between = |g: Generation| next.from.is_some_and(|from| from < g) && g < next.current;
    for jar in &mut world.jars {
        jar.refresh_trapped |= between(jar.refresh);
        jar.access_trapped |= jar.access.is_some_and(|a| between(a.generation));
    }
}

impl Model for Theft {
    type State = World;
    type Step = Step;

    fn start(&self) -> World {
        let mut world = World::opened(self.ticks);
        world.settle(&self.bounds);
        world
    }

    fn steps(&self, world: &World, steps: &mut Vec<Step>) {
        if world.over {
            return;
        }
        for node in 0..self.bounds.nodes {
            for holder in (0..world.jars.len()).filter(|holder| self.may_act(world, *holder)) {
                let refresh = |arrives| Step::Refresh { holder, node, arrives };
                steps.extend([refresh(true), refresh(false)]);
                if world.jars[holder].access.is_some() {
                    steps.push(Step::Page { holder, node });
                }
            }
            if self.polling() && world.stolen.is_some_and(|stolen| stolen < world.record.current) {
                steps.extend([true, false].map(|keeps| Step::Poll { node, keeps }));
            }
            if world.notes[node].is_some() {
                steps.push(Step::Flush(node));
                if self.may_crash(world) {
                    steps.push(Step::Restart(node));
                }
            } else if self.bounds.nodes == 2 && world.notes[1 - node].is_some() {
                steps.push(Step::Hear(node));
            }
        }
        if world.jars.len() == 1 {
            steps.push(Step::Steal);
        }
        let waiting = |note: &Note| self.ticks.ago(note.at) >= WRITE_BEHIND;
        if !world.notes.iter().flatten().any(waiting) {
            steps.push(Step::Tick);
        }
    }

    fn take(&self, before: &World, step: Step) -> Result<World, Broken> {
        let mut world = before.clone();
        match step {
            Step::Tick => world.pass(&self.bounds),
            Step::Steal => {
                world.jars.push(world.jars[HONEST]);
                if self.polling() {
                    world.stolen = Some(world.jars[HONEST].refresh);
                }
            }
            Step::Refresh { holder, node, arrives } => {
                (world.turn, world.quiet) = (holder, 0);
                self.refresh(&mut world, holder, node, arrives)?;
            }
            Step::Page { holder, node } => {
                (world.turn, world.quiet) = (holder, 0);
                self.page(&mut world, holder, node)?;
            }
            Step::Poll { node, keeps } => self.poll(&mut world, node, keeps)?,
            Step::Flush(node) => {
                let note = world.notes[node].take().unwrap();
                world.record.confirm(note.generation, note.at);
            }
            Step::Hear(node) => world.notes[node] = world.notes[1 - node],
            Step::Restart(node) => {
                world.notes[node] = None;
                world.crashes += u8::from(self.polling());
            }
        }
        if world.count > self.bounds.limit {
            let what = if self.polling() { "polls with a spent token" } else { "turns" };
            return Err(Broken(format!("P2: both go on after {} {what}", world.count)));
        }
        world.settle(&self.bounds);
        Ok(world)
    }

    fn is_tick(&self, step: Step) -> bool {
        matches!(step, Step::Tick)
    }

    fn tell(&self, world: &World, step: Step) -> String {
        let who = |holder: usize| if holder == THIEF { "thief" } else { "honest" };
        let word = |node: usize, generation: Generation| {
            let record = self.view(world, node);
            judge(&self.policy, &record, Presented::from_jar(generation), self.clock(node)).word()
        };
        match step {
            Step::Refresh { holder, node, arrives } => {
                let generation = world.jars[holder].refresh;
                let lost = if arrives { "" } else { ", answer lost" };
                let number = world.before.number(generation);
                format!("{} presents {number} at node {node}: {}{lost}", who(holder), word(node, generation))
            }
            Step::Page { holder, node } => {
                let number = world.before.number(world.jars[holder].access.unwrap().generation);
                format!("{} asks for a page with access {number} at node {node}", who(holder))
            }
            Step::Poll { node, .. } => {
                let generation = world.stolen.unwrap();
                let number = world.before.number(generation);
                format!("thief polls with {number} at node {node}: {}", word(node, generation))
            }
            _ => format!("{step:?}"),
        }
    }

    fn show(&self, world: &World) -> String {
        let jars: Vec<u32> = world.jars.iter().map(|jar| world.before.number(jar.refresh)).collect();
        format!("jars {jars:?}; {}; counted {}", show(self.ticks, world.before, &world.record), world.count)
    }
}
