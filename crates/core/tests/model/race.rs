//! What can happen around a revocation, step by step, in the order in which `service::{rotate, open, revoke}` do it (P4).

use countersign_core::domain::id::Generation;
use countersign_core::domain::rotation::{
    Presented, RotationPolicy, RotationRecord, Verdict, Windows, judge,
};

use crate::explore::{Broken, Model};
use crate::revocation::{Bounds, Fault, Kind, Memory, NEW, OLD, Read, Request, Revoke, World};
use crate::ticks::{NOW, Ticks};

const FROM: Generation = Generation(1);
const CURRENT: Generation = Generation(2);

/// One thing that happens. Numbers are requests and nodes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// A refresh token reaches a node, which reads the session.
    Read { request: usize, node: usize, presented: Generation },
    /// A sign-in reaches a node, which reads the user.
    SignIn { request: usize, node: usize },
    /// A request goes on to where it waits next, or to its answer.
    GoOn(usize),
    /// The revocation goes on.
    Revoke,
    /// A node hears of the revocation through the bus.
    Hear(usize),
    /// A node polls the store.
    Poll(usize),
    /// A node starts again, with what the store knows.
    Restart(usize),
    /// The store falls back to where it was at the start.
    FailOver,
}

/// A revocation on node 0, and requests on both.
#[derive(Debug)]
pub(crate) struct Race {
    bounds: Bounds,
    policy: RotationPolicy,
    start: RotationRecord,
}

impl Race {
    pub(crate) fn new(bounds: Bounds) -> Self {
        let ticks = Ticks::new(2, &Windows::DESIGN);
        let mut start = RotationRecord::opened(ticks.ahead(-bounds.handed_over));
        (start.current, start.from) = (CURRENT, Some(FROM));
        Self { bounds, policy: ticks.policy(Windows::DESIGN, 1), start }
    }

    fn read(&self, world: &World) -> Read {
        Read { record: world.record.clone(), epoch: 0, users_epoch: world.users_epoch, ended: world.ended }
    }

    /// From the read to the compare-and-set, or to the answer.
    fn rotate(
        &self,
        world: &mut World,
        node: usize,
        presented: Generation,
        read: Read,
    ) -> Result<Request, Broken> {
        let remembers = world.memory[node].ended[OLD] && self.bounds.fault != Fault::NoLookAfterRead;
        if remembers || !read.is_live() {
            return Ok(Request::Done);
        }
        let verdict = judge(&self.policy, &read.record, Presented::from_jar(presented), NOW);
        if let Some(next) = verdict.next() {
            if world.memory[node].ended[OLD] {
                // A store that went back in time must not revive what this node knows to be over (design §5, Heal).
                return Err(Broken(String::from("P4: a session is rotated where its end is known")));
            }
            return Ok(Request::Writing { node, presented, judged: read.record, next: next.clone() });
        }
        if matches!(verdict, Verdict::Reuse | Verdict::Deny) {
            self.end(world, node, OLD);
            return Ok(Request::Done);
        }
        self.answer(world, node, OLD, &read)
    }

    fn write(
        &self,
        world: &mut World,
        node: usize,
        presented: Generation,
        judged: &RotationRecord,
        next: &RotationRecord,
    ) -> Result<Request, Broken> {
        let may = !world.ended || self.bounds.fault == Fault::WriteIgnoresEnd;
        let Some(after) = world.record.succeeded_by(judged, next).filter(|_| may) else {
            // The verb returns what is there instead; it is judged again.
            let read = self.read(world);
            return Ok(Request::Rotating { node, presented, read });
        };
        world.record = after;
        if world.ended {
            return Err(Broken(String::from("P4: a generation is written after the session ended")));
        }
        Ok(Request::Written { node, read: self.read(world) })
    }

    /// After the write: an epoch raised beside it wins.
    fn settle(&self, world: &mut World, node: usize, session: usize, read: &Read) -> Result<Request, Broken> {
        if !read.is_live() && self.bounds.fault != Fault::NoLookAfterWrite {
            self.end(world, node, session);
            return Ok(Request::Done);
        }
        self.answer(world, node, session, read)
    }

    fn end(&self, world: &mut World, node: usize, session: usize) {
        if session == OLD {
            world.ended = true;
        } else if let Some((_, ended)) = &mut world.new {
            *ended = true;
        }
        world.memory[node].ended[session] = true;
    }

    /// Tokens go out, unless the node's memory objects.
    fn answer(&self, world: &World, node: usize, session: usize, read: &Read) -> Result<Request, Broken> {
        let memory = world.memory[node];
        let knows = memory.ended[session] || read.epoch < memory.users_epoch;
        if knows && self.bounds.fault != Fault::NoLookBeforeAnswer {
            return Ok(Request::Done);
        }
        // A sign-in that began after the revocation is none of its business.
        let concerned = session == OLD || (self.bounds.kind == Kind::User && read.epoch == 0);
        let promise = if !concerned {
            None
        } else if node == 0 && world.revoke == Revoke::Returned {
            Some("P4: tokens are minted where revoke has returned")
        } else if knows {
            Some("P4: tokens are minted where the revocation is known")
        } else if read.is_dead() && !world.failed_over {
            Some("P4: tokens are minted for a session that was over when it was last read")
        } else {
            None
        };
        promise.map_or(Ok(Request::Done), |promise| Err(Broken(String::from(promise))))
    }

    fn go_on(&self, world: &mut World, number: usize) -> Result<Request, Broken> {
        match std::mem::replace(&mut world.requests[number], Request::Done) {
            Request::Rotating { node, presented, read } => self.rotate(world, node, presented, read),
            Request::Writing { node, presented, judged, next } => {
                self.write(world, node, presented, &judged, &next)
            }
            Request::Written { node, read } => self.settle(world, node, OLD, &read),
            Request::Opening { node, epoch } => {
                world.new = Some((epoch, false));
                let record = RotationRecord::opened(NOW);
                let read = Read { record, epoch, users_epoch: world.users_epoch, ended: false };
                Ok(Request::Opened { node, read })
            }
            Request::Opened { node, read } => self.settle(world, node, NEW, &read),
            Request::Coming | Request::Done => unreachable!("nothing to go on with"),
        }
    }

    fn revoke(&self, world: &mut World) {
        world.revoke = match (world.revoke, self.bounds.kind) {
            (Revoke::Coming, Kind::User) => {
                world.users_epoch = 1;
                Revoke::Raised
            }
            (Revoke::Coming, Kind::Session) => {
                world.ended = true;
                Revoke::Ended
            }
            (Revoke::Raised, _) => {
                world.ended = true;
                if let Some((0, ended)) = &mut world.new {
                    *ended = true;
                }
                Revoke::Ended
            }
            (Revoke::Ended | Revoke::Returned, _) => {
                self.learn(&mut world.memory[0]);
                Revoke::Returned
            }
        };
    }

    /// What the notices of a revocation say.
    fn learn(&self, memory: &mut Memory) {
        memory.ended[OLD] = true;
        if self.bounds.kind == Kind::User {
            memory.users_epoch = 1;
        }
    }

    /// What the store says.
    fn poll(world: &World, memory: &mut Memory) {
        memory.ended[OLD] |= world.ended;
        memory.ended[NEW] |= world.new.is_some_and(|(_, ended)| ended);
        memory.users_epoch = memory.users_epoch.max(world.users_epoch);
    }
}

impl Model for Race {
    type State = World;
    type Step = Step;

    fn start(&self) -> World {
        World {
            record: self.start.clone(),
            ended: false,
            users_epoch: 0,
            new: None,
            memory: [Memory::default(); 2],
            revoke: Revoke::Coming,
            requests: vec![Request::Coming; self.bounds.requests],
            failed_over: false,
        }
    }

    fn steps(&self, world: &World, steps: &mut Vec<Step>) {
        for (request, state) in world.requests.iter().enumerate() {
            match state {
                Request::Coming => {
                    for node in [0, 1] {
                        let read = |presented| Step::Read { request, node, presented };
                        steps.extend([read(FROM), read(CURRENT)]);
                        // One opening is enough: it has a session of its own.
                        if self.bounds.kind == Kind::User && request == 0 {
                            steps.push(Step::SignIn { request, node });
                        }
                    }
                }
                Request::Done => {}
                _ => steps.push(Step::GoOn(request)),
            }
        }
        if world.revoke < Revoke::Returned {
            steps.push(Step::Revoke);
        } else {
            steps.push(Step::Hear(1));
        }
        steps.extend([Step::Poll(0), Step::Poll(1)]);
        if !world.failed_over {
            // A node that starts after a failover has lost what the store has lost: nobody knows of the revocation any more.
            steps.push(Step::Restart(1));
            // Nor is anything promised of a revocation that died with its node.
            if matches!(world.revoke, Revoke::Coming | Revoke::Returned) {
                steps.push(Step::Restart(0));
            }
            if self.bounds.fails_over && world.revoke >= Revoke::Ended {
                steps.push(Step::FailOver);
            }
        }
    }

    fn take(&self, before: &World, step: Step) -> Result<World, Broken> {
        let mut world = before.clone();
        match step {
            Step::Read { request, node, presented } => {
                let read = self.read(&world);
                world.requests[request] = Request::Rotating { node, presented, read };
            }
            Step::SignIn { request, node } => {
                world.requests[request] = Request::Opening { node, epoch: world.users_epoch };
            }
            Step::GoOn(number) => world.requests[number] = self.go_on(&mut world, number)?,
            Step::Revoke => self.revoke(&mut world),
            Step::Hear(node) => self.learn(&mut world.memory[node]),
            Step::Poll(node) => {
                let mut memory = world.memory[node];
                Self::poll(&world, &mut memory);
                world.memory[node] = memory;
            }
            Step::Restart(node) => {
                let mut memory = Memory::default();
                Self::poll(&world, &mut memory);
                world.memory[node] = memory;
                world.requests.iter_mut().filter(|r| at(r) == Some(node)).for_each(|r| *r = Request::Done);
            }
            Step::FailOver => {
                world.record = self.start.clone();
                (world.ended, world.users_epoch, world.new) = (false, 0, None);
                world.failed_over = true;
            }
        }
        Ok(world)
    }

    fn is_tick(&self, _: Step) -> bool {
        false
    }

    fn tell(&self, _: &World, step: Step) -> String {
        format!("{step:?}")
    }

    fn show(&self, world: &World) -> String {
        let (ended, epoch) = (world.ended, world.users_epoch);
        let requests = &world.requests;
        format!(
            "revoke {:?}; store: ended {ended}, epoch {epoch}; memory {:?}; {requests:?}",
            world.revoke, world.memory
        )
    }
}

/// The node that a request is on.
fn at(request: &Request) -> Option<usize> {
    match request {
        Request::Rotating { node, .. }
        | Request::Writing { node, .. }
        | Request::Written { node, .. }
        | Request::Opening { node, .. }
        | Request::Opened { node, .. } => Some(*node),
        Request::Coming | Request::Done => None,
    }
}
