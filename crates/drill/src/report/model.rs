//! The report as data; also its JSON form, and what another run is compared with.

use serde::{Deserialize, Serialize};

use super::radius::{Obtained, Theft};
use crate::check::Check;
use crate::vault::Vault;
use crate::verdict::{Severity, Verdict};

/// Everything that was seen. No secret is in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// Of this form; 1.
    pub format: u32,
    /// `countersign 0.1.0`.
    pub tool: String,
    /// The URL that was named.
    pub target: String,
    /// RFC 3339 UTC.
    pub started_at: String,
    /// Milliseconds.
    pub took_ms: u64,
    /// Requests sent.
    pub requests: u64,
    /// Whether data could be changed.
    pub active: bool,
    /// Whether expiries were waited for.
    pub waited: bool,
    /// Why the run ended early; what was seen until then is here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// What was found out about the application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<Application>,
    /// In the order in which they ran.
    pub checks: Vec<Checked>,
    /// What a thief could hold.
    #[serde(default)]
    pub credentials: Vec<Obtained>,
    /// Thefts that were played through.
    #[serde(default)]
    pub thefts: Vec<Theft>,
}

/// How the application signs people in, as far as it was found out.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Application {
    /// `POST /api/login (JSON: email, password)`.
    pub login: String,
    /// `GET /api/me`.
    pub who: String,
    /// `POST /api/logout`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logout: Option<String>,
    /// `POST /api/refresh`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<String>,
    /// Credentials: what, where from, how they go back.
    pub credentials: Vec<String>,
}

/// A check and what came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Checked {
    /// [`Check::id`].
    pub id: String,
    /// [`Check::title`].
    pub title: String,
    /// Of the check; a finding has its own in its verdict, which counts.
    pub severity: Severity,
    /// Where the rule stands.
    pub rule: String,
    /// What to do.
    pub remedy: String,
    /// Milliseconds.
    pub took_ms: u64,
    /// What came of it.
    pub result: Verdict,
}

impl Checked {
    /// Puts them together, without any secret.
    #[must_use]
    pub fn new(check: &Check, took_ms: u64, verdict: Verdict, vault: &Vault) -> Self {
        Self {
            id: check.id.to_owned(),
            title: check.title.to_owned(),
            severity: check.severity,
            rule: check.rule.to_owned(),
            remedy: check.remedy.to_owned(),
            took_ms,
            result: verdict.scrubbed(vault),
        }
    }

    /// The severity, if it is a finding.
    #[must_use]
    pub const fn found(&self) -> Option<Severity> {
        match &self.result {
            Verdict::Finding { severity, .. } => Some(*severity),
            _ => None,
        }
    }
}

/// Verdicts counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Passed.
    pub passed: usize,
    /// Findings.
    pub findings: usize,
    /// Neither yes nor no.
    pub inconclusive: usize,
    /// Nothing to try it on, or not allowed.
    pub not_applicable: usize,
    /// Went wrong.
    pub errors: usize,
}

impl Report {
    /// Findings, most severe first.
    #[must_use]
    pub fn findings(&self) -> Vec<&Checked> {
        let mut found: Vec<&Checked> =
            self.checks.iter().filter(|checked| checked.found().is_some()).collect();
        found.sort_by_key(|checked| std::cmp::Reverse(checked.found()));
        found
    }

    /// The most severe finding.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.checks.iter().filter_map(Checked::found).max()
    }

    /// A check's result by its id.
    #[must_use]
    pub fn check(&self, id: &str) -> Option<&Checked> {
        self.checks.iter().find(|checked| checked.id == id)
    }

    /// Verdicts counted.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for checked in &self.checks {
            match checked.result {
                Verdict::Pass { .. } => summary.passed += 1,
                Verdict::Finding { .. } => summary.findings += 1,
                Verdict::Inconclusive { .. } => summary.inconclusive += 1,
                Verdict::NotApplicable { .. } => summary.not_applicable += 1,
                Verdict::Error { .. } => summary.errors += 1,
            }
        }
        summary
    }

    /// As JSON, indented.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Every member is a plain value with text keys, which cannot fail.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}
