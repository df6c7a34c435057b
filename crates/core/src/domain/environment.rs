//! Environments: tokens of one are worth nothing in another (design §2, A13).

use std::fmt;

/// An environment label: `[a-z][a-z0-9]{0,11}`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Environment(Box<str>);

/// A label that is not `[a-z][a-z0-9]{0,11}`.
#[derive(Debug, thiserror::Error)]
#[error("environment {0:?} is not a lower-case letter followed by at most 11 letters or digits")]
pub struct InvalidEnvironment(String);

impl Environment {
    /// Parses a label.
    ///
    /// # Errors
    /// [`InvalidEnvironment`] when the label does not match `[a-z][a-z0-9]{0,11}`.
    pub fn parse(label: &str) -> Result<Self, InvalidEnvironment> {
        let mut chars = label.bytes();
        let good = chars.next().is_some_and(|c| c.is_ascii_lowercase())
            && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
            && label.len() <= 12;
        if good { Ok(Self(label.into())) } else { Err(InvalidEnvironment(label.chars().take(64).collect())) }
    }

    /// The label.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Every environment but `development` is hardened.
    #[must_use]
    pub fn is_hardened(&self) -> bool {
        &*self.0 != "development"
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Environment({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels() {
        for good in ["development", "production", "a", "eu1", "staging2"] {
            assert!(Environment::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "1a", "Prod", "pro_d", "abcdefghijklm", "é", "pre-prod"] {
            assert!(Environment::parse(bad).is_err(), "{bad}");
        }
        assert!(!Environment::parse("development").unwrap().is_hardened());
        assert!(Environment::parse("dev").unwrap().is_hardened());
    }
}
