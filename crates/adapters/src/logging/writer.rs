//! The queue between those who log and the thread that writes. Who logs never waits: what does not fit is counted and left
//! out, and the count is written when lines go through again.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use countersign_core::port::Clock;
use tracing_subscriber::fmt::MakeWriter;

use super::Format;
use super::clean::{clean, head};
use super::paint::paint;
use crate::clock::SystemClock;

/// Lines that may wait.
const LINES: usize = 8192;
/// Bytes that may wait.
const BYTES: usize = 8 * 1024 * 1024;
/// Bytes written at a time.
const BATCH: usize = 64 * 1024;
/// How long lines gather before they are written. Otherwise each line would wake this thread, which costs whoever logs more
/// than the line does.
const GATHER: Duration = Duration::from_millis(10);
/// Tries, 10 ms apart, to have everything written at the end.
const PATIENCE: u32 = 100;

enum Message {
    /// As the formatter for people wrote it.
    Raw(String),
    /// As it may be written.
    Clean(String),
    Flush(SyncSender<()>),
}

#[derive(Default)]
struct Counters {
    waiting_bytes: AtomicUsize,
    lost: AtomicU64,
}

/// Makes a writer for each event.
#[derive(Clone)]
pub(super) struct Lines {
    queue: SyncSender<Message>,
    counters: Arc<Counters>,
}

/// Writes what still waits when it is dropped, for at most a second.
#[derive(Debug)]
pub struct LogGuard {
    queue: SyncSender<Message>,
    // Never joined: a sink that blocks would hold the process up. Kept to show that the thread is ours.
    _thread: JoinHandle<()>,
}

impl Lines {
    pub(super) fn start(
        format: Format,
        colours: bool,
        sink: impl Write + Send + 'static,
    ) -> io::Result<(Self, LogGuard)> {
        let (queue, lines) = sync_channel(LINES);
        let counters = Arc::new(Counters::default());
        let writing = Writing { sink, format, colours, counters: Arc::clone(&counters) };
        let thread = std::thread::Builder::new().name("log".into()).spawn(move || writing.run(&lines))?;
        Ok((Self { queue: queue.clone(), counters }, LogGuard { queue, _thread: thread }))
    }

    /// Queues a line that may be written as it is, without its line end.
    pub(super) fn push_clean(&self, line: String) {
        self.push(line.len(), Message::Clean(line));
    }

    fn push(&self, bytes: usize, line: Message) {
        if self.counters.waiting_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes > BYTES
            || self.queue.try_send(line).is_err()
        {
            self.counters.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.counters.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Event<'a>;

    fn make_writer(&'a self) -> Event<'a> {
        Event { lines: self, text: Vec::new() }
    }
}

/// Collects what the formatter writes for one event; queued when it is dropped.
pub(super) struct Event<'a> {
    lines: &'a Lines,
    text: Vec<u8>,
}

impl Write for Event<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(buf);
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Event<'_> {
    fn drop(&mut self) {
        if !self.text.is_empty() {
            let line = head(&self.text).into_owned();
            self.lines.push(line.len(), Message::Raw(line));
        }
    }
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        let (done, written) = sync_channel(1);
        for _ in 0..PATIENCE {
            match self.queue.try_send(Message::Flush(done.clone())) {
                Ok(()) => {
                    // Not written in time, or the thread is gone: nothing more can be done.
                    written.recv_timeout(Duration::from_millis(10) * PATIENCE).unwrap_or_default();
                    return;
                }
                Err(TrySendError::Full(_)) => std::thread::sleep(Duration::from_millis(10)),
                Err(TrySendError::Disconnected(_)) => return,
            }
        }
    }
}

/// The thread that writes.
struct Writing<S> {
    sink: S,
    format: Format,
    colours: bool,
    counters: Arc<Counters>,
}

impl<S: Write> Writing<S> {
    /// Ends when every [`Lines`] and the guard are gone.
    fn run(mut self, messages: &Receiver<Message>) {
        let mut caught_up = true;
        while let Ok(first) = messages.recv() {
            if caught_up && !matches!(first, Message::Flush(_)) {
                std::thread::sleep(GATHER);
            }
            let (mut batch, mut count, mut flushed) = (String::new(), 0, None);
            let mut next = Some(first);
            while let Some(message) = next {
                match message {
                    Message::Raw(line) => {
                        self.take(&line, &self.render(&line), &mut batch);
                        count += 1;
                    }
                    Message::Clean(line) => {
                        self.take(&line, &line, &mut batch);
                        count += 1;
                    }
                    Message::Flush(done) => flushed = Some(done),
                }
                let full = batch.len() >= BATCH;
                next = if full { None } else { messages.try_recv().ok() };
                caught_up = !full && next.is_none();
            }
            if count > 0 {
                self.write(&batch, count);
            }
            if let Some(done) = flushed {
                // Nobody waits any more: the guard gave up.
                done.try_send(()).unwrap_or_default();
            }
        }
    }

    /// Takes a line out of the queue.
    fn take(&self, queued: &str, line: &str, batch: &mut String) {
        self.counters.waiting_bytes.fetch_sub(queued.len(), Ordering::Relaxed);
        batch.push_str(line);
        batch.push('\n');
    }

    fn render(&self, line: &str) -> String {
        let line = clean(line);
        if self.colours { paint(&line) } else { line }
    }

    /// A failed write loses the batch and nothing else; the next one is tried again (I07).
    fn write(&mut self, batch: &str, count: u64) {
        let written = self.sink.write_all(batch.as_bytes()).and_then(|()| self.sink.flush());
        if written.is_err() {
            self.counters.lost.fetch_add(count, Ordering::Relaxed);
            return;
        }
        let lost = self.counters.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let notice = self.notice(lost);
            if self.sink.write_all(notice.as_bytes()).and_then(|()| self.sink.flush()).is_err() {
                self.counters.lost.fetch_add(lost, Ordering::Relaxed);
            }
        }
    }

    fn notice(&self, lost: u64) -> String {
        let now = SystemClock.now().rfc3339();
        match self.format {
            Format::Pretty => format!("{now}  WARN countersign: log lines were lost lost={lost}\n"),
            Format::Json => {
                format!(
                    "{{\"timestamp\":\"{now}\",\"level\":\"WARN\",\"message\":\"log lines were lost\",\"lost\":{lost}}}\n"
                )
            }
        }
    }
}
