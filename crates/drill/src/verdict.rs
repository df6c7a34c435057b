//! What came of an attack.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::vault::Vault;

/// How bad it is if an attack works, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// A second line of defence is missing.
    Low,
    /// Helps a thief, or harms honest users.
    Medium,
    /// A stolen token, or a page that a victim opens, gives an attacker the account for a long time.
    High,
    /// Everybody's account, without stealing anything.
    Critical,
}

impl Severity {
    /// The word in reports and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Severity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical]
            .into_iter()
            .find(|severity| severity.as_str() == text)
            .ok_or_else(|| format!("{text:?} is no severity: info, low, medium, high or critical"))
    }
}

/// What was seen: a sentence, and the steps that show it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// One sentence for somebody in a hurry.
    pub summary: String,
    /// What was sent and what came back, in order; a line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<String>,
}

impl Evidence {
    /// Begins with the sentence.
    #[must_use]
    pub fn new(summary: impl Into<String>) -> Self {
        Self { summary: summary.into(), steps: Vec::new() }
    }

    /// Adds a step.
    #[must_use]
    pub fn step(mut self, step: impl Into<String>) -> Self {
        self.steps.push(step.into());
        self
    }

    /// Adds steps.
    #[must_use]
    pub fn steps(mut self, steps: impl IntoIterator<Item = String>) -> Self {
        self.steps.extend(steps);
        self
    }
}

/// What came of an attack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// It was tried and did not work.
    Pass {
        /// What was seen.
        evidence: Evidence,
    },
    /// It worked.
    Finding {
        /// The check's own, or another where the case is worse or milder.
        severity: Severity,
        /// What was seen.
        evidence: Evidence,
    },
    /// It was tried, and what came back says neither yes nor no.
    Inconclusive {
        /// Why.
        reason: String,
    },
    /// There is nothing to try it on, or it was not allowed (`--active`, `--wait`).
    NotApplicable {
        /// Why.
        reason: String,
    },
    /// The attempt itself went wrong.
    Error {
        /// How.
        reason: String,
    },
}

impl Verdict {
    /// It did not work.
    #[must_use]
    pub fn pass(summary: impl Into<String>) -> Self {
        Self::Pass { evidence: Evidence::new(summary) }
    }

    /// There is nothing to try it on.
    #[must_use]
    pub fn not_applicable(reason: impl Into<String>) -> Self {
        Self::NotApplicable { reason: reason.into() }
    }

    /// Neither yes nor no.
    #[must_use]
    pub fn inconclusive(reason: impl Into<String>) -> Self {
        Self::Inconclusive { reason: reason.into() }
    }

    /// Whether it is a finding.
    #[must_use]
    pub const fn is_finding(&self) -> bool {
        matches!(self, Self::Finding { .. })
    }

    /// The word in reports.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Pass { .. } => "pass",
            Self::Finding { .. } => "finding",
            Self::Inconclusive { .. } => "inconclusive",
            Self::NotApplicable { .. } => "not applicable",
            Self::Error { .. } => "error",
        }
    }

    /// The sentence: what was seen, or why nothing was.
    #[must_use]
    pub fn sentence(&self) -> &str {
        match self {
            Self::Pass { evidence } | Self::Finding { evidence, .. } => &evidence.summary,
            Self::Inconclusive { reason } | Self::NotApplicable { reason } | Self::Error { reason } => reason,
        }
    }

    /// The steps, if there are any.
    #[must_use]
    pub fn steps(&self) -> &[String] {
        match self {
            Self::Pass { evidence } | Self::Finding { evidence, .. } => &evidence.steps,
            _ => &[],
        }
    }

    /// The same without any secret.
    #[must_use]
    pub fn scrubbed(mut self, vault: &Vault) -> Self {
        match &mut self {
            Self::Pass { evidence } | Self::Finding { evidence, .. } => {
                evidence.summary = vault.scrub(&evidence.summary);
                for step in &mut evidence.steps {
                    *step = vault.scrub(step);
                }
            }
            Self::Inconclusive { reason } | Self::NotApplicable { reason } | Self::Error { reason } => {
                *reason = vault.scrub(reason);
            }
        }
        self
    }
}
