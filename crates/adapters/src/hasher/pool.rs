//! Worker threads behind a bounded queue (F05): so many passwords at a time, so many waiting, the rest is told to
//! come back. Threads start when there is work and end when there has been none for a while, with their memory.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use countersign_core::domain::user::PasswordHash;
use countersign_core::port::{HashError, PasswordMatch};
use tokio::sync::oneshot::Sender;

use super::argon::{self, Guess, Memory};
use super::params::Params;

/// What is wanted, and where the answer goes.
pub(super) enum Ask {
    Hash { salt: [u8; 16], answer: Sender<Result<PasswordHash, HashError>> },
    Verify { stored: Option<PasswordHash>, answer: Sender<Result<PasswordMatch, HashError>> },
}

pub(super) struct Job {
    pub(super) guess: Guess,
    pub(super) ask: Ask,
}

impl Job {
    /// The caller went away: nobody would read the answer.
    fn is_abandoned(&self) -> bool {
        match &self.ask {
            Ask::Hash { answer, .. } => answer.is_closed(),
            Ask::Verify { answer, .. } => answer.is_closed(),
        }
    }

    fn run(self, params: Params, memory: &mut Memory) {
        // A failed send means that the caller went away meanwhile.
        match self.ask {
            Ask::Hash { salt, answer } => drop(answer.send(argon::hash(params, &self.guess, salt, memory))),
            Ask::Verify { stored: Some(stored), answer } => {
                drop(answer.send(argon::verify(params, &self.guess, &stored, memory)));
            }
            Ask::Verify { stored: None, answer } => {
                drop(answer.send(argon::dummy(params, &self.guess, memory)));
            }
        }
    }
}

/// Bounds of a pool.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) params: Params,
    pub(super) workers: usize,
    pub(super) queue: usize,
    pub(super) release_after: Duration,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Job>,
    running: usize,
    waiting: usize,
    closed: bool,
}

struct Shared {
    bounds: Bounds,
    state: Mutex<State>,
    wake: Condvar,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) struct Pool(Arc<Shared>);

impl Pool {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self(Arc::new(Shared { bounds, state: Mutex::default(), wake: Condvar::new() }))
    }

    pub(super) fn bounds(&self) -> &Bounds {
        &self.0.bounds
    }

    /// Queues a job.
    pub(super) fn submit(&self, job: Job) -> Result<(), HashError> {
        let mut state = self.0.state();
        if state.queue.len() >= self.0.bounds.queue {
            // Clients that gave up must not keep others out.
            state.queue.retain(|job| !job.is_abandoned());
            if state.queue.len() >= self.0.bounds.queue {
                return Err(HashError::Busy);
            }
        }
        state.queue.push_back(job);
        if state.queue.len() > state.waiting && state.running < self.0.bounds.workers {
            state.running += 1;
            let worker = Worker(Arc::clone(&self.0));
            let thread = std::thread::Builder::new().name("password-hash".into());
            // Without a new thread the ones that run take it; without any, it is as if the queue were full.
            if let Err(error) = thread.spawn(move || worker.work()) {
                tracing::error!(%error, "no thread for password hashing");
                state.running -= 1;
                if state.running == 0 {
                    state.queue.clear();
                    return Err(HashError::Busy);
                }
            }
        }
        drop(state);
        self.0.wake.notify_one();
        Ok(())
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.0.state().closed = true;
        self.0.wake.notify_all();
    }
}

struct Worker(Arc<Shared>);

impl Worker {
    fn work(&self) {
        let shared = &self.0;
        let _leaving = Leaving(shared);
        let mut memory = Memory::default();
        while let Some(job) = next(shared) {
            if !job.is_abandoned() {
                job.run(shared.bounds.params, &mut memory);
            }
        }
    }
}

/// Keeps the count right even if a job panics.
struct Leaving<'a>(&'a Shared);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.state().running -= 1;
        }
    }
}

/// The next job; `None` when the pool is closed, or when there was none for a while. Leaving is decided under the lock,
/// so that no job is queued for a thread that is on its way out.
fn next(shared: &Shared) -> Option<Job> {
    let mut state = shared.state();
    loop {
        if let Some(job) = state.queue.pop_front() {
            return Some(job);
        }
        if state.closed {
            state.running -= 1;
            return None;
        }
        state.waiting += 1;
        let (again, timeout) = shared
            .wake
            .wait_timeout(state, shared.bounds.release_after)
            .unwrap_or_else(PoisonError::into_inner);
        state = again;
        state.waiting -= 1;
        if timeout.timed_out() && state.queue.is_empty() {
            state.running -= 1;
            return None;
        }
    }
}
