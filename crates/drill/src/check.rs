//! What is tried, and what it means if it works.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::scene::{Broken, Scene};
use crate::verdict::{Evidence, Severity, Verdict};

/// One thing that is checked, the same in every run.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// Stable name, `lower-case-with-hyphens`: for `mistakes.json`, SARIF, and filters in CI.
    pub id: &'static str,
    /// What a good application has, in a few words: `a token dies at logout`.
    pub title: &'static str,
    /// How bad it is, unless the finding itself says otherwise.
    pub severity: Severity,
    /// Where the rule stands: `ASVS 7.4.1`, `RFC 9700 §4.14.2`.
    pub rule: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
    /// Changes data of the test accounts, and so runs only with `--active`.
    pub needs_active: bool,
    /// Waits for something to expire, and so runs only with `--wait`.
    pub waits: bool,
    /// When it runs.
    pub order: Order,
}

/// When an attack runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Order {
    /// One after the other.
    Main,
    /// Sits out a grace period of some seconds, so it runs beside the others, in sessions of its own.
    Beside,
    /// Locks accounts or addresses out, and so runs when all else is done, in the order of the registry.
    Last,
}

impl Check {
    /// The values that most checks have: a [`Severity::High`] one that changes nothing and waits for nothing.
    #[must_use]
    pub const fn new(
        id: &'static str,
        title: &'static str,
        rule: &'static str,
        remedy: &'static str,
    ) -> Self {
        Self {
            id,
            title,
            severity: Severity::High,
            rule,
            remedy,
            needs_active: false,
            waits: false,
            order: Order::Main,
        }
    }

    /// With another severity.
    #[must_use]
    pub const fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Needs `--active`.
    #[must_use]
    pub const fn active(mut self) -> Self {
        self.needs_active = true;
        self
    }

    /// Needs `--wait`.
    #[must_use]
    pub const fn waits(mut self) -> Self {
        self.waits = true;
        self
    }

    /// Runs at another time.
    #[must_use]
    pub const fn order(mut self, order: Order) -> Self {
        self.order = order;
        self
    }

    /// A finding of this check's severity.
    #[must_use]
    pub const fn finding(&self, evidence: Evidence) -> Verdict {
        Verdict::Finding { severity: self.severity, evidence }
    }
}

/// A run of an attack.
pub type Running<'s> = Pin<Box<dyn Future<Output = Result<Verdict, Broken>> + Send + 's>>;

/// Tries one [`Check`] on a [`Scene`].
///
/// An attack leaves the accounts as they were, ends what it starts, and gives up by itself: [`crate::runner`] stops it
/// after its time and reports [`Verdict::Error`].
pub trait Attack: Send + Sync + fmt::Debug {
    /// What is checked.
    fn check(&self) -> &Check;

    /// Tries it. `Err` becomes [`Verdict::Error`], or [`Verdict::Inconclusive`] where the application would not play along.
    fn run<'s>(&'s self, scene: &'s Scene) -> Running<'s>;
}

/// An attack that is a function.
pub struct Plain {
    check: Check,
    run: for<'s> fn(&'s Scene) -> Running<'s>,
}

impl Plain {
    /// Puts a check and its function together.
    #[must_use]
    pub const fn new(check: Check, run: for<'s> fn(&'s Scene) -> Running<'s>) -> Self {
        Self { check, run }
    }
}

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Plain").field(&self.check.id).finish()
    }
}

impl Attack for Plain {
    fn check(&self) -> &Check {
        &self.check
    }

    fn run<'s>(&'s self, scene: &'s Scene) -> Running<'s> {
        (self.run)(scene)
    }
}
