//! Everything that is logged, at the most talkative level.

use std::cell::RefCell;
use std::io;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, Once, PoisonError};

use tracing_subscriber::fmt::MakeWriter;

thread_local! {
    static CURRENT: RefCell<Option<Captured>> = const { RefCell::new(None) };
}

/// What was logged so far.
#[derive(Clone, Debug, Default)]
pub struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    /// The text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

/// Ends a capture when it is dropped. Stays on its thread.
#[derive(Debug)]
pub struct Capturing(PhantomData<*const ()>);

impl Drop for Capturing {
    fn drop(&mut self) {
        CURRENT.set(None);
    }
}

/// Writes to the capture of the thread that logs, if it has one.
struct PerThread;

impl io::Write for PerThread {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        CURRENT.with_borrow(|current| {
            if let Some(Captured(buffer)) = current {
                buffer.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            }
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Writers;

impl MakeWriter<'_> for Writers {
    type Writer = PerThread;

    fn make_writer(&self) -> PerThread {
        PerThread
    }
}

/// Captures what this thread logs at trace level, from every crate, with no redaction between, until the guard is dropped. Tasks are
/// seen only if they run on this thread, so use it under `#[tokio::test]` with its default, current-thread runtime.
///
/// One subscriber serves all threads of the process: subscribers that come and go beside each other lose lines.
#[must_use]
pub fn capture() -> (Captured, Capturing) {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(Writers)
            .finish();
        tracing::subscriber::set_global_default(subscriber).expect("no other subscriber in tests");
    });
    let captured = Captured::default();
    CURRENT.set(Some(captured.clone()));
    (captured, Capturing(PhantomData))
}

#[cfg(test)]
mod tests {
    #[test]
    fn everything_of_this_thread_is_captured() {
        let (captured, guard) = super::capture();
        tracing::trace!(value = "deep", "detail");
        std::thread::spawn(|| tracing::error!("elsewhere")).join().unwrap();
        drop(guard);
        tracing::error!("later");
        assert!(captured.text().contains("deep"));
        assert!(!captured.text().contains("later") && !captured.text().contains("elsewhere"));
    }
}
