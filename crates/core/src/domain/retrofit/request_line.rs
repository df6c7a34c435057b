//! `POST /api/login`: a method and one exact path.

use std::fmt;

use crate::domain::route::normalise;

/// Which requests are meant: a method and an exact path, compared after normalisation (C07).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct RequestLine {
    method: Box<str>,
    path: Box<str>,
    folded: Box<str>,
}

/// Text that is no method and path.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a method and a path: write \"POST /api/login\", the path exact and without a query")]
pub struct InvalidRequestLine(String);

impl RequestLine {
    /// Parses `METHOD /path`.
    ///
    /// # Errors
    /// [`InvalidRequestLine`].
    pub fn parse(text: &str) -> Result<Self, InvalidRequestLine> {
        let bad = || InvalidRequestLine(text.chars().take(100).collect());
        let (method, path) = text.trim().split_once(' ').ok_or_else(bad)?;
        let path = path.trim();
        let good = (1..=20).contains(&method.len())
            && method.bytes().all(|byte| byte.is_ascii_uppercase())
            && !path.contains(['*', '?', '#', ' '])
            && normalise(path).as_deref() == Some(path);
        if !good {
            return Err(bad());
        }
        Ok(Self { method: method.into(), path: path.into(), folded: folded(path).into() })
    }

    /// The method, in upper case.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The path, as configured.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether a request is meant. The path comes from [`folded`].
    pub(super) fn is(&self, method: &str, path: &str) -> bool {
        *self.method == *method && *self.folded == *path
    }
}

/// A path as the most lenient upstream compares it: normalised, without regard to case and to a final slash.
pub(super) fn folded(path: &str) -> String {
    let read = normalise(path).unwrap_or_else(|| path.to_owned()).to_lowercase();
    match read.trim_end_matches('/') {
        "" => String::from("/"),
        shorter => shorter.to_owned(),
    }
}

impl fmt::Display for RequestLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let line = RequestLine::parse("POST /api/login").unwrap();
        assert_eq!(
            (line.method(), line.path(), line.to_string().as_str()),
            ("POST", "/api/login", "POST /api/login")
        );
        for bad in [
            "",
            "/api/login",
            "POST",
            "post /api/login",
            "POST api/login",
            "POST /api/*",
            "POST /api/../login",
            "POST /a?b",
            "POST /a b",
            "PO ST /a",
        ] {
            assert!(RequestLine::parse(bad).is_err(), "{bad}");
        }
    }
}
