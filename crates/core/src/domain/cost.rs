//! How many bytes were looked at to read hostile text. Counted in tests only, which ask that it stays in proportion to the text: a
//! search that begins anew at each promising byte lets one request with a long header occupy a processor.

#[cfg(test)]
use std::cell::Cell;

#[cfg(test)]
thread_local! {
    static LOOKED: Cell<usize> = const { Cell::new(0) };
}

/// Counts.
#[cfg(test)]
pub(super) fn looked(bytes: usize) {
    LOOKED.set(LOOKED.get() + bytes);
}

/// Counts nothing outside tests.
#[cfg(not(test))]
pub(super) const fn looked(_bytes: usize) {}

/// The first character of this kind, as [`str::find`], counted.
pub(super) fn find(text: &str, kind: impl Fn(char) -> bool) -> Option<usize> {
    let found = text.find(kind);
    looked(found.unwrap_or(text.len()));
    found
}

/// Bytes that `work` looked at.
#[cfg(test)]
pub(super) fn of(work: impl FnOnce()) -> usize {
    let before = LOOKED.get();
    work();
    LOOKED.get() - before
}
