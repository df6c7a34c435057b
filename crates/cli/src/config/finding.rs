//! What the lint says about a configuration that can be read.

use serde::Serialize;
use std::fmt;

/// How serious a finding is. The order is the order of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// Refused at start in hardened environments; `check` ends with 1.
    Unsafe,
    /// Works, but weaker or other than the operator may think.
    Warning,
    /// Worth knowing.
    Note,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unsafe => "unsafe",
            Self::Warning => "warning",
            Self::Note => "note",
        })
    }
}

/// One result of the lint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// How serious it is.
    pub(crate) level: Level,
    /// Dotted key, e.g. `tokens.access_ttl`.
    pub(crate) key: String,
    /// The value in force, typed or default, as it may be shown.
    pub(crate) value: String,
    /// What it means.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) remedy: String,
    /// Refused in development too: the mechanism itself would not hold, or would not work.
    pub(crate) everywhere: bool,
}

impl Finding {
    /// The keys of another issuer cannot be read or must not be used: a file stops the start, an address may answer later.
    pub(crate) fn keys_of_issuer(key: &str, value: &str, what: &str) -> Self {
        let file = key.ends_with("_file");
        let (level, remedy) = if file {
            (
                Level::Unsafe,
                "save the issuer's /.well-known/jwks.json there, readable by the user that runs countersign",
            )
        } else {
            (
                Level::Warning,
                "look at the address and at the issuer; its tokens are refused until its keys can be had",
            )
        };
        Self {
            level,
            key: key.to_owned(),
            value: super::show::quoted(value),
            message: format!("the keys cannot be used: {what}"),
            remedy: remedy.to_owned(),
            everywhere: file,
        }
    }

    /// Whether a start with this finding is refused.
    pub(super) fn stops_start(&self, hardened: bool) -> bool {
        self.level == Level::Unsafe && (hardened || self.everywhere)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { level, key, value, message, remedy, .. } = self;
        write!(f, "{level}: {key} = {value}: {message}\n    remedy: {remedy}")
    }
}

/// Collects findings; the verb says what becomes of a start.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    /// Unsafe in any environment: never started.
    pub(super) fn refuse(&mut self, key: &str, value: impl fmt::Display, message: &str, remedy: &str) {
        self.add(Level::Unsafe, true, key, &value, message, remedy);
    }

    /// Unsafe: not started in a hardened environment.
    pub(super) fn harden(&mut self, key: &str, value: impl fmt::Display, message: &str, remedy: &str) {
        self.add(Level::Unsafe, false, key, &value, message, remedy);
    }

    /// Started, with a warning.
    pub(super) fn warn(&mut self, key: &str, value: impl fmt::Display, message: &str, remedy: &str) {
        self.add(Level::Warning, false, key, &value, message, remedy);
    }

    /// Started; worth knowing.
    pub(super) fn note(&mut self, key: &str, value: impl fmt::Display, message: &str, remedy: &str) {
        self.add(Level::Note, false, key, &value, message, remedy);
    }

    pub(super) fn into_vec(self) -> Vec<Finding> {
        self.0
    }

    fn add(
        &mut self,
        level: Level,
        everywhere: bool,
        key: &str,
        value: &dyn fmt::Display,
        message: &str,
        remedy: &str,
    ) {
        self.0.push(Finding {
            level,
            key: key.to_owned(),
            value: value.to_string(),
            message: message.to_owned(),
            remedy: remedy.to_owned(),
            everywhere,
        });
    }
}
