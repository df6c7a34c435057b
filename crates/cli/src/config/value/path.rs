//! Paths of routes and of the login page.

use crate::config::typed::{Leaf, Misfit};
use std::fmt;

/// A route's path: exact, or everything below a prefix. Requests are matched after normalisation (C07), so a pattern
/// that normalisation would change could never match and is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PathPattern {
    /// This path alone.
    Exact(String),
    /// All paths that begin with this text, which ends in `/`: `/api/*` is `/api/`.
    Prefix(String),
}

impl PathPattern {
    /// Whether a normalised path falls under this pattern.
    pub(crate) fn matches(&self, path: &str) -> bool {
        match self {
            Self::Exact(exact) => path == exact,
            Self::Prefix(prefix) => path.starts_with(prefix.as_str()),
        }
    }

    /// Orders patterns that match one path: the greatest wins.
    pub(crate) fn specificity(&self) -> (bool, usize) {
        match self {
            Self::Exact(exact) => (true, exact.len()),
            Self::Prefix(prefix) => (false, prefix.len()),
        }
    }

    /// Whether no path matches this that does not begin with `/api/`.
    pub(in crate::config) fn is_api(&self) -> bool {
        let (Self::Exact(path) | Self::Prefix(path)) = self;
        path.starts_with("/api/")
    }

    /// Whether requests for it never reach a route: our own end points come first (design §3, §7).
    pub(in crate::config) fn is_reserved(&self) -> bool {
        let (Self::Exact(path) | Self::Prefix(path)) = self;
        path == "/auth"
            || path.starts_with("/auth/")
            || path == "/.well-known/jwks.json"
            || path == "/.well-known/countersign"
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(path) => f.write_str(path),
            Self::Prefix(path) => write!(f, "{path}*"),
        }
    }
}

impl Leaf for PathPattern {
    fn from_text(text: &str) -> Result<Self, Misfit> {
        let remedy = "write an exact path (\"/hook\") or a prefix with /* at its end (\"/api/*\")";
        let (path, prefix) = match text.strip_suffix("/*") {
            Some(path) => (format!("{path}/"), true),
            None => (text.to_owned(), false),
        };
        if let Some(fault) = fault(&path) {
            let meant = meant(text).map(|path| format!("did you mean {path:?}?"));
            return Err(Misfit::new(fault, meant.as_deref().unwrap_or(remedy)));
        }
        Ok(if prefix { Self::Prefix(path) } else { Self::Exact(path) })
    }
}

/// What a pattern without its slash stands for.
fn meant(text: &str) -> Option<String> {
    let slashed = format!("/{}", text.trim_start_matches('/'));
    let stem = slashed.trim_end_matches('*').trim_end_matches('/');
    let path = if slashed.ends_with('*') { format!("{stem}/*") } else { slashed.clone() };
    let plain = match path.strip_suffix("/*") {
        Some("") => "/",
        Some(stem) => stem,
        None => &path,
    };
    (path != text && !text.is_empty() && !text.contains(':') && fault(plain).is_none()).then_some(path)
}

fn fault(path: &str) -> Option<&'static str> {
    if !path.starts_with('/') {
        return Some("the path does not begin with /");
    }
    if path.contains('*') {
        return Some("* stands only at the end, after a /");
    }
    if path.contains(['?', '#', ';', '\\']) || path.chars().any(|c| !c.is_ascii_graphic()) {
        return Some("the path holds a character that no normalised path holds");
    }
    if path.contains("//") || path.split('/').any(|segment| segment == "." || segment == "..") {
        return Some("the path is not normalised: it holds //, /./ or /../");
    }
    let encoded = path.split('%').skip(1).map(|after| after.chars().take(2).collect::<String>());
    for digits in encoded {
        let upper = digits.chars().all(|c| c.is_ascii_digit() || ('A'..='F').contains(&c));
        let byte = u8::from_str_radix(&digits, 16).ok().filter(|_| upper && digits.len() == 2);
        match byte {
            Some(b'/' | b'\\' | b';' | 0..0x20 | 0x7f) => {
                return Some("the path hides a separator or control character");
            }
            Some(b'-' | b'.' | b'_' | b'~') => {
                return Some("the path is not normalised: it encodes a plain character");
            }
            Some(byte) if byte.is_ascii_alphanumeric() => {
                return Some("the path is not normalised: it encodes a plain character");
            }
            Some(_) => {}
            None => return Some("% is not followed by two upper-case hexadecimal digits"),
        }
    }
    None
}

/// A path of our own origin (K08): an attacker who could point `login_url` elsewhere would harvest passwords.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::config) struct LocalPath(pub(in crate::config) String);

impl Leaf for LocalPath {
    fn from_text(text: &str) -> Result<Self, Misfit> {
        let query_free = text.split('?').next().unwrap_or_default();
        if fault(query_free).is_some()
            || text.contains(['#', '\\'])
            || text.chars().any(|c| !c.is_ascii_graphic())
        {
            return Err(Misfit::new(
                "this is not a path of the public URL",
                "write a path such as \"/auth/login\" or \"/sign-in\"; another site cannot be named",
            ));
        }
        Ok(Self(text.to_owned()))
    }
}
