//! What can be wrong with a token.

use serde::Serialize;

/// How serious it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Low,
    /// Makes a theft worse.
    Medium,
    /// Makes a theft a disaster.
    High,
    /// Needs no theft.
    Critical,
}

impl Severity {
    /// The word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Flaw {
    /// For programs; stable.
    pub id: &'static str,
    /// How serious it is.
    pub severity: Severity,
    /// What is wrong, and what that is worth to a thief.
    pub what: String,
    /// What to do.
    pub remedy: &'static str,
}

impl Flaw {
    pub(super) fn new(
        id: &'static str,
        severity: Severity,
        what: impl Into<String>,
        remedy: &'static str,
    ) -> Self {
        Self { id, severity, what: what.into(), remedy }
    }
}
