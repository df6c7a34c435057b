//! Scopes: what a principal may do (RFC 6749 §3.3).

use std::collections::BTreeSet;
use std::fmt;

/// A set of scope names.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct ScopeSet(BTreeSet<Box<str>>);

/// A scope name with a character that RFC 6749 §3.3 does not allow, or longer than 64.
#[derive(Debug, thiserror::Error)]
#[error("scope {0:?} is not 1 to 64 characters of printable ASCII without space, quote or backslash")]
pub struct InvalidScope(String);

impl ScopeSet {
    /// Parses single names.
    ///
    /// # Errors
    /// [`InvalidScope`] names the first bad one.
    pub fn from_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidScope> {
        let mut set = BTreeSet::new();
        for name in names {
            let good = (1..=64).contains(&name.len())
                && name.bytes().all(|c| matches!(c, 0x21 | 0x23..=0x5b | 0x5d..=0x7e));
            if !good {
                return Err(InvalidScope(name.chars().take(64).collect()));
            }
            set.insert(name.into());
        }
        Ok(Self(set))
    }

    /// Parses the space-separated form of the claim `scope`.
    ///
    /// # Errors
    /// [`InvalidScope`] names the first bad one.
    pub fn parse(text: &str) -> Result<Self, InvalidScope> {
        Self::from_names(text.split(' ').filter(|s| !s.is_empty()))
    }

    /// Whether every scope of `wanted` is here.
    #[must_use]
    pub fn covers(&self, wanted: &Self) -> bool {
        wanted.0.is_subset(&self.0)
    }

    /// What both hold: a refresh may narrow, never widen (D07).
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).cloned().collect())
    }

    /// What either holds.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self(self.0.union(&other.0).cloned().collect())
    }

    /// What is here and not there.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        Self(self.0.difference(&other.0).cloned().collect())
    }

    /// The names that pass.
    #[must_use]
    pub fn filtered(&self, passes: impl Fn(&str) -> bool) -> Self {
        Self(self.0.iter().filter(|name| passes(name)).cloned().collect())
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|s| &**s)
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, name) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            f.write_str(name)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covers_and_narrows() {
        let all = ScopeSet::parse("admin read write").unwrap();
        let some = ScopeSet::parse("read").unwrap();
        assert!(all.covers(&some) && !some.covers(&all));
        assert_eq!(some.intersection(&all).to_string(), "read");
        assert!(ScopeSet::from_names(["a b"]).is_err());
        assert!(ScopeSet::parse("a\"b").is_err());
    }
}
