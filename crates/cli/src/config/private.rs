//! A configured text that must not be printed.

use std::fmt;
use zeroize::Zeroizing;

/// A password, or a URL that carries one. No Clone, no Display, no comparison; wiped when dropped (I03).
pub(crate) struct Private(Zeroizing<String>);

impl Private {
    pub(super) fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself, for the one place that hands it to a client library.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Private(..)")
    }
}
