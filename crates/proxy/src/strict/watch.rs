//! What the server and its connection tell each other.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;

use http::StatusCode;

/// The server's end of a [`StrictHeads`](crate::StrictHeads).
///
/// Whether a connection has left HTTP is known to nobody but the server: what is written cannot tell, since an
/// upstream may put any bytes into a body. So the server says so.
#[derive(Debug, Clone, Default)]
pub struct Watch(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    answered: AtomicU64,
    finished: AtomicU64,
    upgraded: AtomicBool,
    http2: AtomicBool,
    /// The connection's task, while it waits for an answer to know what the next bytes are.
    waiting: Mutex<Option<Waker>>,
}

impl Watch {
    /// A request was answered with this status; to be called before the answer is written. After 101 the
    /// connection is followed no further.
    pub fn answered(&self, status: StatusCode) {
        if status == StatusCode::SWITCHING_PROTOCOLS {
            self.0.upgraded.store(true, Ordering::Release);
        }
        self.0.answered.fetch_add(1, Ordering::AcqRel);
        let waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(waker) = waiting {
            waker.wake();
        }
    }

    /// An answer has ended, its body too.
    pub fn finished(&self) {
        self.0.finished.fetch_add(1, Ordering::AcqRel);
    }

    /// The client began with the preface of HTTP/2.
    #[must_use]
    pub fn is_http2(&self) -> bool {
        self.0.http2.load(Ordering::Acquire)
    }

    pub(super) fn set_http2(&self) {
        self.0.http2.store(true, Ordering::Release);
    }

    pub(super) fn upgraded(&self) -> bool {
        self.0.upgraded.load(Ordering::Acquire)
    }

    pub(super) fn answers(&self) -> u64 {
        self.0.answered.load(Ordering::Acquire)
    }

    pub(super) fn ended(&self) -> u64 {
        self.0.finished.load(Ordering::Acquire)
    }

    pub(super) fn wait(&self, waker: &Waker) {
        *self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker.clone());
    }
}
