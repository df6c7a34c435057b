//! What a thief could still do with a token, and for how long.

use serde::Serialize;

/// For how long.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "reach", rename_all = "snake_case")]
pub enum Reach {
    /// Not at all: it is worth nothing by itself, or no more.
    Nothing,
    /// At most so long from now.
    AtMost {
        /// Seconds from now.
        seconds: u64,
    },
    /// The token does not say; who issued it knows.
    Unknown,
    /// Without end.
    Endless,
}

/// The blast radius of one token.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct BlastRadius {
    /// For how long.
    #[serde(flatten)]
    pub reach: Reach,
    /// The answer in one sentence.
    pub headline: String,
    /// What a thief could do.
    pub can: Vec<String>,
    /// What a thief could not.
    pub cannot: Vec<String>,
    /// Whether anybody would see it.
    pub noticed: String,
    /// How it is stopped before its end.
    pub stop: String,
}

impl BlastRadius {
    /// Of something that is worth nothing.
    pub(super) fn nothing(headline: impl Into<String>) -> Self {
        Self {
            reach: Reach::Nothing,
            headline: headline.into(),
            can: Vec::new(),
            cannot: Vec::new(),
            noticed: String::new(),
            stop: String::new(),
        }
    }
}
