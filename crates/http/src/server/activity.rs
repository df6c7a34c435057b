//! What happens on a connection, and how long nothing has.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use countersign_proxy::Watch;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

/// How often an HTTP/2 connection is looked at, and how many looks in a row without a request end it: after 75 to
/// 100 s. It answers pings for ever; HTTP/1.1 has the time-out of its next head.
const LOOK: Duration = Duration::from_secs(25);
const LOOKS: usize = 3;
/// How long it then has to say goodbye.
const GOODBYE: Duration = Duration::from_secs(5);
/// So many requests may be given up. A map that is dragged about gives up many, and wants some.
const MAX_UNWANTED: usize = 256;

/// What happens on a connection.
#[derive(Debug)]
pub(super) struct Activity {
    running: AtomicUsize,
    begun: AtomicUsize,
    opened: Instant,
    /// Milliseconds from `opened` to the end of the last request.
    ended: AtomicU64,
    /// It carries something else than HTTP by now.
    left_http: AtomicBool,
    evicted: AtomicBool,
    eviction: Notify,
    /// Requests given up before their answer began, less those that were answered.
    unwanted: AtomicUsize,
    abused: Notify,
}

/// How long a connection has been without a request. The greater one goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Silence {
    never_asked: bool,
    lasted: Duration,
}

impl Default for Activity {
    fn default() -> Self {
        Self {
            running: AtomicUsize::new(0),
            begun: AtomicUsize::new(0),
            opened: Instant::now(),
            ended: AtomicU64::new(0),
            left_http: AtomicBool::new(false),
            evicted: AtomicBool::new(false),
            eviction: Notify::new(),
            unwanted: AtomicUsize::new(0),
            abused: Notify::new(),
        }
    }
}

impl Activity {
    /// Whether anything was ever asked for.
    pub(super) fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Acquire) > 0
    }

    /// An upgrade was granted.
    pub(super) fn leave_http(&self) {
        self.left_http.store(true, Ordering::Release);
    }

    fn is_quiet(&self) -> bool {
        self.running.load(Ordering::Acquire) == 0 && !self.left_http.load(Ordering::Acquire)
    }

    /// How long nothing was asked for; none while something is, and for who is going already.
    pub(super) fn silence(&self) -> Option<Silence> {
        if !self.is_quiet() || self.evicted.load(Ordering::Acquire) {
            return None;
        }
        let ended = Duration::from_millis(self.ended.load(Ordering::Acquire));
        let lasted = self.opened.elapsed().saturating_sub(ended);
        Some(Silence { never_asked: !self.has_begun(), lasted })
    }

    /// Its place is needed.
    pub(super) fn evict(&self) {
        self.evicted.store(true, Ordering::Release);
        self.eviction.notify_one();
    }

    /// Completes when its place is needed and it is in no request. One that began meanwhile is served.
    pub(super) async fn eviction(&self) {
        loop {
            self.eviction.notified().await;
            if self.is_quiet() {
                return;
            }
            self.evicted.store(false, Ordering::Release);
        }
    }

    /// Completes when its client has given up far more requests than it wanted answered. Each costs the application
    /// as much as a real one, and the client next to nothing (CVE-2023-44487).
    pub(super) async fn abuse(&self) {
        self.abused.notified().await;
    }

    /// Completes when an HTTP/2 connection has had no request for a while.
    pub(super) async fn idle(&self, watch: &Watch) {
        let (mut looks, mut seen) = (0, 0);
        while looks < LOOKS {
            sleep(LOOK).await;
            let begun = self.begun.load(Ordering::Acquire);
            let quiet = watch.is_http2() && self.running.load(Ordering::Acquire) == 0 && begun == seen;
            looks = if quiet { looks + 1 } else { 0 };
            seen = begun;
        }
    }

    /// Completes when the time to say goodbye has passed and no request is running.
    pub(super) async fn over(&self) {
        loop {
            sleep(GOODBYE).await;
            if self.running.load(Ordering::Acquire) == 0 {
                return;
            }
        }
    }
}

/// A request, until the last byte of its answer is taken or nobody wants it any more.
#[derive(Debug)]
pub(super) struct Running {
    activity: Arc<Activity>,
    answered: bool,
}

impl Running {
    pub(super) fn begin(activity: &Arc<Activity>) -> Self {
        activity.running.fetch_add(1, Ordering::AcqRel);
        activity.begun.fetch_add(1, Ordering::AcqRel);
        Self { activity: Arc::clone(activity), answered: false }
    }

    /// Its answer begins.
    pub(super) fn answered(mut self) -> Self {
        self.answered = true;
        self
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let activity = &self.activity;
        let ended = u64::try_from(activity.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        activity.ended.store(ended, Ordering::Release);
        activity.running.fetch_sub(1, Ordering::AcqRel);
        let count = |unwanted: usize| {
            Some(if self.answered { unwanted.saturating_sub(1) } else { unwanted.saturating_add(1) })
        };
        if let Ok(MAX_UNWANTED..) = activity.unwanted.fetch_update(Ordering::AcqRel, Ordering::Acquire, count)
        {
            activity.abused.notify_one();
        }
    }
}
