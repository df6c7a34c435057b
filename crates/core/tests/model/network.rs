//! What can happen to an honest client's messages, step by step, with the real `judge` at the nodes (P1, P3).

use countersign_core::domain::id::Generation;
use countersign_core::domain::rotation::{Presented, RotationPolicy, RotationRecord, Verdict, judge};
use countersign_core::domain::time::Timestamp;

use crate::client::{Bounds, Message, Replica, World, Write};
use crate::explore::{Broken, Model};
use crate::ticks::{Before, Note, Ticks, show, view};

/// One thing that happens. Numbers are positions among the messages on their way, and nodes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Tick,
    /// A tab asks for new tokens, whether it needs them or not.
    SendRefresh,
    /// A tab asks for a page.
    SendPage,
    /// The network makes two of one request.
    Duplicate(usize),
    /// A request reaches a node.
    Arrive(usize, usize),
    /// A verdict reaches the store.
    Commit(usize),
    /// An answer reaches the jar.
    Deliver(usize),
    /// An answer is lost, or left out because it is late.
    Lose(usize),
    /// A node writes its confirmation behind.
    Flush(usize),
    /// A node hears of the other's confirmation.
    Hear(usize),
    /// A node crashes and starts again before it wrote its confirmation.
    Restart(usize),
    /// A replica stops to follow.
    Detach,
    /// The store falls back to the replica.
    FailOver,
}

/// An honest client alone.
#[derive(Debug)]
pub(crate) struct Honest {
    bounds: Bounds,
    ticks: Ticks,
    policy: RotationPolicy,
}

impl Honest {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self { bounds, ticks: bounds.ticks(), policy: bounds.policy() }
    }

    /// A node's clock.
    fn clock(&self, node: usize) -> Timestamp {
        self.ticks.ahead(if node == 1 { self.bounds.skew } else { 0 })
    }

    fn view(&self, world: &World, node: usize) -> RotationRecord {
        view(&world.record, world.notes[node])
    }

    fn page(&self, world: &mut World, node: usize, generation: Generation) -> Result<(), Broken> {
        if world.record.is_abandoned(generation) {
            let number = world.before.number(generation);
            return Err(Broken(format!("P1: an honest access token, {number}, counts as stolen")));
        }
        let record = self.view(world, node);
        if record.current == generation && record.confirmed_at.is_none() {
            world.notes[node] = Some(Note { generation, at: self.clock(node) });
        }
        Ok(())
    }

    /// `sent` ticks after it was sent, a request with a refresh token is judged.
    fn refresh(
        &self,
        world: &mut World,
        node: usize,
        presented: Generation,
        sent: i64,
    ) -> Result<(), Broken> {
        let judged = self.view(world, node);
        let now = self.clock(node);
        let verdict = judge(&self.policy, &judged, Presented::from_jar(presented), now);
        one_branch(&judged, presented, &verdict)?;
        match verdict {
            Verdict::Reuse | Verdict::Deny => Err(Broken(format!(
                "P1: an honest client presents {} and is logged out by a node that sees {}",
                world.before.number(presented),
                show(self.ticks, world.before, &judged)
            ))),
            Verdict::Keep { confirms } => {
                if confirms {
                    world.notes[node] = Some(Note { generation: presented, at: now });
                }
                world.flying.push(Message::Answer { refresh: None, access: judged.current, age: 0 });
                Ok(())
            }
            Verdict::Replay { next: None } => {
                let current = judged.current;
                world.flying.push(Message::Answer { refresh: Some(current), access: current, age: 0 });
                Ok(())
            }
            Verdict::Rotate { next }
            | Verdict::Replay { next: Some(next) }
            | Verdict::Reissue { next }
            | Verdict::Heal { next } => {
                let write = Write { node, presented, judged, next, sent, age: 0 };
                if self.bounds.late_writes {
                    world.flying.push(Message::Write(Box::new(write)));
                    return Ok(());
                }
                self.commit(world, &write)
            }
        }
    }

    fn commit(&self, world: &mut World, write: &Write) -> Result<(), Broken> {
        let Some(after) = world.record.succeeded_by(&write.judged, &write.next) else {
            // A lost compare-and-set re-reads and judges again.
            return self.refresh(world, write.node, write.presented, write.sent);
        };
        let current = after.current;
        if (current, after.lost) <= (world.record.current, world.record.lost) {
            let record = show(self.ticks, world.before, &world.record);
            return Err(Broken(format!("P3: two writes over one record, {record}")));
        }
        world.record = after;
        let lacks = self.bounds.failover.map_or(0, |f| f.lacks);
        world.replica = world.replica.take().filter(|r| r.lacks < lacks);
        if let Some(replica) = &mut world.replica {
            replica.lacks += 1;
        }
        world.flying.push(Message::Answer { refresh: Some(current), access: current, age: write.age });
        Ok(())
    }
}

/// P3, D05: whatever is presented, the answer is the one current generation or the one after it, and what a write would leave is
/// new, so that one compare-and-set decides.
pub(crate) fn one_branch(
    judged: &RotationRecord,
    presented: Generation,
    verdict: &Verdict,
) -> Result<(), Broken> {
    let Some(next) = verdict.next() else { return Ok(()) };
    let newer = (next.current, next.lost) > (judged.current, judged.lost);
    let follows = next.current == judged.current || next.current == judged.current.next();
    let healed = matches!(verdict, Verdict::Heal { .. }) && next.current == presented.next();
    if newer && (follows || healed) {
        return Ok(());
    }
    Err(Broken(format!("P3: {} over {judged:?} leaves {next:?}", verdict.word())))
}

impl Model for Honest {
    type State = World;
    type Step = Step;

    fn start(&self) -> World {
        let mut world = World::opened(self.ticks);
        world.settle(&self.bounds);
        world
    }

    fn steps(&self, world: &World, steps: &mut Vec<Step>) {
        let room = world.flying.len() < self.bounds.flying;
        if room {
            steps.push(Step::SendRefresh);
            if world.jar.access.is_some() {
                steps.push(Step::SendPage);
            }
        }
        for (n, message) in world.flying.iter().enumerate() {
            if n > 0 && world.flying[n - 1] == *message {
                continue;
            }
            match message {
                Message::Refresh { .. } | Message::Page { .. } => {
                    steps.extend((0..self.bounds.nodes).map(|node| Step::Arrive(n, node)));
                    if room {
                        steps.push(Step::Duplicate(n));
                    }
                }
                Message::Write(_) => steps.push(Step::Commit(n)),
                Message::Answer { refresh, .. } => {
                    steps.push(Step::Deliver(n));
                    if refresh.is_none() || world.lost_in_a_row < self.bounds.losses {
                        steps.push(Step::Lose(n));
                    }
                }
            }
        }
        for node in 0..self.bounds.nodes {
            if world.notes[node].is_some() {
                steps.extend([Step::Flush(node), Step::Restart(node)]);
            } else if self.bounds.nodes == 2 && world.notes[1 - node].is_some() {
                steps.push(Step::Hear(node));
            }
        }
        if self.bounds.failover.is_some() && !world.failed_over {
            let lost = world.lost_in_a_row + world.answers();
            if world.replica.is_none() {
                steps.push(Step::Detach);
            } else if self.bounds.failover.is_some_and(|f| f.messages_survive) || lost <= self.bounds.losses {
                steps.push(Step::FailOver);
            }
        }
        if world.flying.iter().all(|m| m.age() < self.bounds.life) {
            steps.push(Step::Tick);
        }
    }

    fn take(&self, before: &World, step: Step) -> Result<World, Broken> {
        let mut world = before.clone();
        match step {
            Step::Tick => world.pass(self.ticks),
            Step::SendRefresh => {
                let generation = world.jar.refresh;
                world.flying.push(Message::Refresh { generation, age: 0 });
            }
            Step::SendPage => {
                let generation = world.jar.access.unwrap();
                world.flying.push(Message::Page { generation, age: 0 });
            }
            Step::Duplicate(n) => world.flying.push(world.flying[n].clone()),
            Step::Arrive(n, node) => match world.flying.remove(n) {
                Message::Page { generation, .. } => self.page(&mut world, node, generation)?,
                Message::Refresh { generation, age } => self.refresh(&mut world, node, generation, age)?,
                other => unreachable!("{other:?} does not arrive"),
            },
            Step::Commit(n) => {
                let Message::Write(write) = world.flying.remove(n) else { unreachable!("no write") };
                self.commit(&mut world, &write)?;
            }
            Step::Deliver(n) => {
                let Message::Answer { refresh, access, .. } = world.flying.remove(n) else {
                    unreachable!("no answer")
                };
                world.jar.access = Some(access);
                if let Some(refresh) = refresh {
                    world.jar.refresh = refresh;
                    world.lost_in_a_row = 0;
                }
            }
            Step::Lose(n) => {
                if let Message::Answer { refresh: Some(_), .. } = world.flying.remove(n) {
                    world.lost_in_a_row += 1;
                }
            }
            Step::Flush(node) => {
                let note = world.notes[node].take().unwrap();
                world.record.confirm(note.generation, note.at);
            }
            Step::Hear(node) => world.notes[node] = world.notes[1 - node],
            Step::Restart(node) => world.notes[node] = None,
            Step::Detach => world.replica = Some(Replica { record: world.record.clone(), lacks: 0 }),
            Step::FailOver => {
                world.record = world.replica.take().unwrap().record;
                world.failed_over = true;
                if self.bounds.failover.is_some_and(|f| !f.messages_survive) {
                    world.lost_in_a_row += world.answers();
                    world.flying.clear();
                }
            }
        }
        if world.record.is_abandoned(world.jar.refresh) {
            let number = world.before.number(world.jar.refresh);
            return Err(Broken(format!("P1: the jar holds {number}, which counts as stolen")));
        }
        world.settle(&self.bounds);
        Ok(world)
    }

    fn is_tick(&self, step: Step) -> bool {
        matches!(step, Step::Tick)
    }

    fn tell(&self, world: &World, step: Step) -> String {
        match step {
            Step::Arrive(n, node) => {
                let verdict = match &world.flying[n] {
                    Message::Refresh { generation, .. } => {
                        let (record, now) = (self.view(world, node), self.clock(node));
                        judge(&self.policy, &record, Presented::from_jar(*generation), now).word()
                    }
                    _ => "served",
                };
                format!("{} arrives at node {node}: {verdict}", told(world.before, &world.flying[n]))
            }
            Step::Commit(n) | Step::Deliver(n) | Step::Lose(n) | Step::Duplicate(n) => {
                format!("{step:?}: {}", told(world.before, &world.flying[n]))
            }
            _ => format!("{step:?}"),
        }
    }

    fn show(&self, world: &World) -> String {
        let flying: Vec<String> = world.flying.iter().map(|m| told(world.before, m)).collect();
        let (jar, record) =
            (world.before.number(world.jar.refresh), show(self.ticks, world.before, &world.record));
        format!("jar {jar}; {record}; on its way: {}", flying.join(", "))
    }
}

fn told(before: Before, message: &Message) -> String {
    let number = |generation: &Generation| before.number(*generation);
    match message {
        Message::Refresh { generation, age } => format!("refresh {} sent {age} ago", number(generation)),
        Message::Page { generation, age } => {
            format!("page with access {} sent {age} ago", number(generation))
        }
        Message::Write(write) => format!("write of {} judged {} ago", number(&write.next.current), write.age),
        Message::Answer { refresh: Some(refresh), age, .. } => {
            format!("answer {} of {age} ago", number(refresh))
        }
        Message::Answer { access, age, .. } => format!("answer with access {} of {age} ago", number(access)),
    }
}
