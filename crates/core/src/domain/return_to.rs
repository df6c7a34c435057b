//! `return_to`: where to go after a page that stood in between. Own origin only (K08).

use url::Url;

/// Longest target in bytes, percent-encoded: it has to fit into a `Location` and a query.
pub const LONGEST_RETURN_TO: usize = 2048;

/// A path with query on our own origin, safe to put into `Location`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReturnTo(String);

impl Default for ReturnTo {
    fn default() -> Self {
        Self(String::from("/"))
    }
}

impl ReturnTo {
    /// Parses with a WHATWG parser, as a browser would, against the public origin. Anything that leaves it, or that two
    /// parsers could read differently, becomes `/`.
    #[must_use]
    pub fn parse(text: &str, public_origin: &str) -> Self {
        Self::try_parse(text, public_origin).unwrap_or_default()
    }

    fn try_parse(text: &str, public_origin: &str) -> Option<Self> {
        // Browsers drop tabs and newlines and read `\` as `/`: refuse instead of guessing.
        if text.len() > LONGEST_RETURN_TO
            || !text.starts_with('/')
            || text.chars().any(|c| c.is_control() || c == '\\')
        {
            return None;
        }
        if names_host(text) {
            return None;
        }
        let base = Url::parse(public_origin).ok()?;
        let url = base.join(text).ok()?;
        if url.origin() != base.origin() || !url.username().is_empty() || url.password().is_some() {
            return None;
        }
        let path = url.path();
        // Once more: dot segments are gone now, and may have hidden what stood behind them (`/..//e`, `/../%2fe`).
        if names_host(path) || path.contains('\\') {
            return None;
        }
        let mut out = path.to_owned();
        for (mark, part) in [('?', url.query()), ('#', url.fragment())] {
            if let Some(part) = part {
                out.push(mark);
                out.push_str(part);
            }
        }
        // Encoding makes three bytes of one.
        (out.len() <= LONGEST_RETURN_TO).then_some(Self(out))
    }

    /// The path, with query and fragment.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The second character decides between a path and a host, also when it is percent-encoded and a proxy decodes it.
fn names_host(path: &str) -> bool {
    let second = path.get(1..).unwrap_or_default().to_ascii_lowercase();
    ["/", "%2f", "%5c", "%09", "%0a", "%0d"].iter().any(|bad| second.starts_with(bad))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// K08: the list of the requirement, and its relatives.
    #[test]
    fn k08_open_redirects() {
        let parse = |t: &str| ReturnTo::parse(t, "https://app.example.com").0;
        for bad in [
            "//e",
            "/\\e",
            "/%09/e",
            "https:e",
            "/%5ce",
            "/..//e",
            "javascript:alert(1)",
            "https://evil.example/",
            "",
            "e",
            "\\/e",
            "/\t/e",
            "/\n/e",
            "///e",
            "/%2fe",
            "/%2F%2Fe",
            "/./..//e",
            " //e",
            "http:///e",
            "/\u{0}",
        ] {
            assert_eq!(parse(bad), "/", "{bad:?}");
        }
        assert_eq!(parse("/a/b?c=d&e=https://x#f"), "/a/b?c=d&e=https://x#f");
        assert_eq!(parse("/a/../b"), "/b");
        assert_eq!(parse("/ü"), "/%C3%BC");
        assert_eq!(parse("/@evil.example"), "/@evil.example");
    }
}
