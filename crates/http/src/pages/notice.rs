//! What the server itself knows and a person should: why their session ended, what to look at.

use super::account::Moment;
use super::problem::Link;

/// A calm sentence, when it happened, and what to do.
#[derive(Debug, Clone)]
pub struct Notice<'a> {
    /// Whether somebody else may be in it.
    pub grave: bool,
    /// What happened: a sentence without its end.
    pub happened: String,
    /// When, if that says more than the sentence alone.
    pub when: Option<Moment>,
    /// What to do, up to the link.
    pub advice: String,
    /// A way to do it, within the advice's sentence.
    pub link: Option<Link<'a>>,
}
