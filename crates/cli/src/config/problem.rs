//! What stops a start: a configuration that cannot be understood, or that its environment does not permit.

use super::Finding;
use std::fmt;

/// One thing to mend. It names the key, the value and the remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Dotted key, e.g. `tokens.access_ttl` or `route[/api/*].csrf`.
    pub(crate) key: String,
    /// The value as it may be shown; absent if the key is missing or unknown.
    pub(crate) value: Option<String>,
    /// Where the value was typed: a file, a variable or a flag.
    pub(crate) origin: Option<String>,
    /// What is wrong with it.
    pub(crate) message: String,
    /// What to do.
    pub(crate) remedy: String,
}

impl Problem {
    /// A problem with a value that was typed or built.
    pub(super) fn with_value(key: &str, value: &str, message: &str, remedy: &str) -> Self {
        Self { value: Some(value.to_owned()), ..Self::without_value(key, message, remedy) }
    }

    /// A problem with a key as such: unknown, missing, not yet available.
    pub(super) fn without_value(key: &str, message: &str, remedy: &str) -> Self {
        Self {
            key: key.to_owned(),
            value: None,
            origin: None,
            message: message.to_owned(),
            remedy: remedy.to_owned(),
        }
    }

    /// Says where the value was typed.
    pub(super) fn typed_in(mut self, origin: &str) -> Self {
        self.origin = Some(origin.to_owned());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.key)?;
        if let Some(value) = &self.value {
            write!(f, " = {value}")?;
        }
        if let Some(origin) = &self.origin {
            write!(f, " ({origin})")?;
        }
        write!(f, ": {}\n    remedy: {}", self.message, self.remedy)
    }
}

impl From<Finding> for Problem {
    fn from(finding: Finding) -> Self {
        Self {
            key: finding.key,
            value: Some(finding.value),
            origin: None,
            message: finding.message,
            remedy: finding.remedy,
        }
    }
}

/// The configuration was refused. All problems are reported together, so that one round of editing mends them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the configuration was refused:{}", list(.problems))]
pub(crate) struct Refused {
    problems: Vec<Problem>,
}

impl Refused {
    pub(super) fn new(problems: Vec<Problem>) -> Self {
        Self { problems }
    }

    /// Each thing to mend, for `--json`.
    pub(crate) fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

fn list(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("\n  {problem}")).collect()
}
