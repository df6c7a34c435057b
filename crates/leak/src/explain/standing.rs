//! What a server says of a token (RFC 7662), and what that changes.

use countersign_core::domain::time::Timestamp;
use serde::Serialize;

use super::radius::{BlastRadius, Reach};
use super::report::Explanation;
use super::span::span;

/// A server's answer.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Standing {
    /// Who was asked.
    pub asked: String,
    /// Whether the token works there now.
    pub active: bool,
    /// Until when, at the latest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What it may do.
    pub scope: Vec<String>,
    /// Public id of the session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Public id of the API key that it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key: Option<String>,
    /// From where an API key works; empty: from everywhere, or unknown.
    pub addresses: Vec<String>,
}

impl Explanation {
    /// Adds what a server said; its word on how long the token works counts more than the token's own.
    #[must_use]
    pub fn with_standing(mut self, standing: Standing, now: Timestamp) -> Self {
        if standing.active {
            if let Some(until) = standing.expires_at {
                let seconds = until.since(now).as_secs();
                // What is written in a signed token holds where it is verified without asking; the shorter one is what counts.
                let shorter = match self.blast_radius.reach {
                    Reach::AtMost { seconds: own } => seconds.min(own),
                    _ => seconds,
                };
                self.blast_radius.reach = Reach::AtMost { seconds: shorter };
                self.blast_radius.headline =
                    format!("It works now. A thief has it for {} more at most.", span(shorter));
            } else {
                self.blast_radius.headline = format!("It works now. {}", self.blast_radius.headline);
            }
        } else {
            let stop = std::mem::take(&mut self.blast_radius.stop);
            self.blast_radius = BlastRadius {
                stop,
                ..BlastRadius::nothing(format!("It is worth nothing any more at {}.", standing.asked))
            };
        }
        self.standing = Some(standing);
        self
    }
}
