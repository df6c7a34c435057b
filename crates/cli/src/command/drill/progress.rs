//! One line on the terminal that says how far the drill is.

use countersign_drill::Check;
use countersign_drill::report::Checked;
use countersign_drill::runner::Progress;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

/// Rewrites its line; takes it away at the end.
#[derive(Debug)]
pub(super) struct Line {
    place: Mutex<(usize, usize)>,
}

impl Line {
    pub(super) const fn new() -> Self {
        Self { place: Mutex::new((0, 0)) }
    }

    fn write(text: &str) {
        let mut terminal = io::stderr().lock();
        // A terminal that is gone is no reason to stop attacking.
        drop(write!(terminal, "\r\u{1b}[K{text}").and_then(|()| terminal.flush()));
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        Self::write("");
    }
}

impl Progress for Line {
    fn part(&self, what: &str) {
        Self::write(&format!("{what} …"));
    }

    fn started(&self, check: &Check) {
        let (done, all) = *self.place.lock().unwrap_or_else(PoisonError::into_inner);
        let count = if all == 0 { String::new() } else { format!("[{done}/{all}] ") };
        Self::write(&format!("{count}{} …", check.title));
    }

    fn finished(&self, _checked: &Checked, done: usize, all: usize) {
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = (done, all);
    }
}
