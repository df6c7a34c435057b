//! JSON Pointer (RFC 6901).

use std::fmt;

use serde_json::Value;

/// Steps of the longest pointer: what is searched for goes no deeper.
const DEEPEST: usize = 16;

/// A place in a JSON document: `""` is the document, `/a/0` the first item of its member `a`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Pointer {
    text: Box<str>,
    steps: Vec<Box<str>>,
}

/// Text that is no pointer.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a JSON pointer: write \"/token\", or \"/data/token\" for a member of a member")]
pub struct InvalidPointer(String);

impl Pointer {
    /// Parses a pointer of at most 16 steps.
    ///
    /// # Errors
    /// [`InvalidPointer`].
    pub fn parse(text: &str) -> Result<Self, InvalidPointer> {
        let bad = || InvalidPointer(text.chars().take(100).collect());
        let mut parts = text.split('/');
        if parts.next() != Some("") {
            return Err(bad());
        }
        let steps: Option<Vec<Box<str>>> = parts.map(unescaped).collect();
        let steps = steps.filter(|steps| steps.len() <= DEEPEST).ok_or_else(bad)?;
        Ok(Self { text: text.into(), steps })
    }

    /// Member names and indices, outermost first.
    #[must_use]
    pub fn steps(&self) -> &[Box<str>] {
        &self.steps
    }

    /// The value in a document.
    #[must_use]
    pub fn find<'v>(&self, document: &'v Value) -> Option<&'v Value> {
        document.pointer(&self.text)
    }
}

/// `~1` is a slash, `~0` a tilde; any other `~` is a mistake (RFC 6901 §3).
fn unescaped(step: &str) -> Option<Box<str>> {
    let stray = step.split('~').skip(1).any(|after| !after.starts_with(['0', '1']));
    (!stray).then(|| step.replace("~1", "/").replace("~0", "~").into())
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pointer({})", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers() {
        let steps = |text| {
            Pointer::parse(text).unwrap().steps().iter().map(|step| step.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(steps(""), [""; 0]);
        assert_eq!(steps("/a/0"), ["a", "0"]);
        assert_eq!(steps("/a~1b/c~0d/~01"), ["a/b", "c~d", "~1"]);
        for bad in ["token", "a/b", "/~", "/~2", &"/a".repeat(17)] {
            assert!(Pointer::parse(bad).is_err(), "{bad}");
        }
        let document = serde_json::json!({"a/b": [{"t": "x"}]});
        assert_eq!(Pointer::parse("/a~1b/0/t").unwrap().find(&document), Some(&Value::from("x")));
    }
}
