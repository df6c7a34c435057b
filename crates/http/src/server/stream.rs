//! The streams of an HTTP/2 connection, and clients that leave them standing (CVE-2019-9517 and its kind).

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use countersign_proxy::Pressure;
use hyper::rt::Executor;
use tokio::time::{Instant, Sleep, sleep};

tokio::task_local! {
    /// The stream that a request came by.
    static STREAM: Arc<Pulse>;
}

/// Where upstreams' connections are scarce, a client gets this part of the time only.
const SCARCE: u32 = 4;

/// Runs streams until they end, or their client has taken nothing for too long.
///
/// A client that keeps its window shut is seen by no limit on sockets (it answers pings), nor by one inside a body:
/// the server asks a body for more only when there is room for it. So it is the stream's task that is watched;
/// dropping it resets the stream, and gives back the connection to the upstream that it held.
#[derive(Clone, Copy, Debug)]
pub(super) struct Streams {
    limit: Duration,
}

impl Streams {
    /// A client may take nothing for so long.
    pub(super) const fn new(limit: Duration) -> Self {
        Self { limit }
    }
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Streams {
    fn execute(&self, stream: F) {
        let pulse = Arc::new(Pulse::default());
        let watched = until_stalled(stream, Arc::clone(&pulse), self.limit);
        tokio::spawn(STREAM.scope(pulse, watched));
    }
}

async fn until_stalled(stream: impl Future<Output = ()>, pulse: Arc<Pulse>, limit: Duration) {
    let mut stream = pin!(stream);
    let mut patience = Patience { limit, turn: 0, since: Instant::now(), timer: None };
    poll_fn(|cx| {
        if stream.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        patience.poll(&pulse, cx)
    })
    .await;
}

/// What an answer's body knows of its client.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    /// How often something was asked for.
    turns: AtomicU64,
    /// What was given last waits for room at the client's.
    waits: AtomicBool,
    /// An upstream's connection is kept that long.
    holds: AtomicBool,
    pressure: OnceLock<Pressure>,
}

impl Pulse {
    /// The one of the stream that is being served; none with HTTP/1.1, where the socket tells as much.
    pub(super) fn of_stream() -> Option<Arc<Self>> {
        STREAM.try_with(Arc::clone).ok()
    }

    /// Its answer keeps a connection to an upstream with this pool.
    pub(super) fn press(&self, pressure: Option<Pressure>) {
        if let Some(pressure) = pressure {
            // There is one answer.
            let _first = self.pressure.set(pressure).is_ok();
        }
    }

    /// There was room for more.
    pub(super) fn asked(&self) {
        self.turns.fetch_add(1, Ordering::AcqRel);
        self.waits.store(false, Ordering::Release);
    }

    /// More was given, and whether there is yet more.
    pub(super) fn gave(&self, more: bool) {
        self.holds.store(more, Ordering::Release);
        self.waits.store(true, Ordering::Release);
    }

    fn is_pressed(&self) -> bool {
        self.holds.load(Ordering::Acquire) && self.pressure.get().is_some_and(Pressure::is_high)
    }
}

/// How long a stream has been standing.
struct Patience {
    limit: Duration,
    turn: u64,
    since: Instant,
    /// Made when a client first lets us wait; not set anew for each piece that it takes.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    /// Completes when it has been standing for too long.
    fn poll(&mut self, pulse: &Pulse, cx: &mut Context<'_>) -> Poll<()> {
        if !pulse.waits.load(Ordering::Acquire) {
            return Poll::Pending;
        }
        let turn = pulse.turns.load(Ordering::Acquire);
        if turn != self.turn {
            (self.turn, self.since) = (turn, Instant::now());
        }
        let step = self.limit / SCARCE;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(step)));
        loop {
            ready!(timer.as_mut().poll(cx));
            let now = Instant::now();
            let allowed = if pulse.is_pressed() { step } else { self.limit };
            if now >= self.since + allowed {
                tracing::debug!("a client took nothing of an answer: its stream is reset");
                return Poll::Ready(());
            }
            timer.as_mut().reset((self.since + allowed).min(now + step));
        }
    }
}
