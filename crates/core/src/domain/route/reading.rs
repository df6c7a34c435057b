//! The ways in which upstreams read one path.

/// Whether every reader agrees on what the path is.
pub(super) fn is_plain(path: &str) -> bool {
    let odd = |b: &u8| matches!(b, b'%' | b'\\' | b';') || b.is_ascii_control();
    !path.as_bytes().iter().any(odd) && !path.contains("//") && !path.contains("/.")
}

/// What readers without regard to case and to a final slash may take a path for, in lower case.
pub(super) fn variants(path: &str) -> impl Iterator<Item = String> {
    let lower = path.to_lowercase();
    let slash = match lower.strip_suffix('/') {
        Some("") => None,
        Some(shorter) => Some(shorter.to_owned()),
        None => Some(format!("{lower}/")),
    };
    slash.into_iter().chain([lower])
}

/// The path as the most eager upstream would read it: decoded, parameters dropped, slashes collapsed, dot segments resolved. `None` if it
/// does not start with `/` or holds control characters once decoded.
#[must_use]
pub fn normalise(raw: &str) -> Option<String> {
    Reader { decodes: 2, drops_parameters: true, merges_slashes: true, backslash: true }.read(raw)
}

/// One way of reading a path. Upstreams differ in each of these.
#[derive(Clone, Copy)]
pub(super) struct Reader {
    /// How often percent-encoding is undone: some stacks do it twice.
    decodes: u8,
    /// Whether `;x` is cut off before dot segments are resolved (servlets).
    drops_parameters: bool,
    /// Whether empty segments vanish (nginx) or count (RFC 3986 §5.2.4).
    merges_slashes: bool,
    /// Whether `\` is a slash (WHATWG URL, Windows).
    backslash: bool,
}

impl Reader {
    pub(super) fn all() -> impl Iterator<Item = Self> {
        (0..24u8).map(|n| Self {
            decodes: n / 8,
            drops_parameters: n & 1 != 0,
            merges_slashes: n & 2 != 0,
            backslash: n & 4 != 0,
        })
    }

    pub(super) fn read(self, raw: &str) -> Option<String> {
        let mut text = raw.to_owned();
        for _ in 0..self.decodes {
            // Bytes that are no UTF-8 (older file names) decide between no two routes.
            text = percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned();
        }
        if self.backslash {
            text = text.replace('\\', "/");
        }
        if text.chars().any(char::is_control) {
            return None;
        }
        let mut segments = text.strip_prefix('/')?.split('/').peekable();
        let mut kept: Vec<&str> = Vec::new();
        while let Some(segment) = segments.next() {
            let last = segments.peek().is_none();
            let name =
                if self.drops_parameters { segment.split(';').next().unwrap_or_default() } else { segment };
            if name == ".." {
                kept.pop();
            }
            match name {
                "." | ".." if last => kept.push(""),
                "." | ".." => {}
                "" if self.merges_slashes && !last => {}
                name => kept.push(name),
            }
        }
        Some(format!("/{}", kept.join("/")))
    }
}
