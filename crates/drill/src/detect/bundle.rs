//! What a front end's script gives away: the paths that it fetches and the header that it sends its token in.

use std::collections::BTreeSet;

/// Paths and headers found in scripts.
#[derive(Debug, Clone, Default)]
pub struct Hints {
    /// Paths; `{}` stands for what the script fills in: `/notes/{}/delete`.
    pub paths: BTreeSet<String>,
    /// What scripts put before every path: `/api`.
    pub prefixes: BTreeSet<String>,
    /// Header names that sound like tokens.
    pub headers: BTreeSet<String>,
}

/// Longest string that is taken for a path.
const LONGEST: usize = 120;
/// Most paths of one application.
const MOST: usize = 400;

impl Hints {
    /// Reads a script, minified or not.
    pub fn read(&mut self, script: &str) {
        for quote in ['"', '\'', '`'] {
            // Every stretch between two quotes, inside or outside of a string: what is no path drops out below.
            for text in script.split(quote) {
                self.word(text);
            }
        }
    }

    fn word(&mut self, text: &str) {
        if text.is_empty() || text.len() > LONGEST {
            return;
        }
        if let Some(path) = as_path(text) {
            if let Some(prefix) = path.strip_suffix("{}").map(|p| p.trim_end_matches('/'))
                && prefix.len() > 1
                && !prefix.contains("{}")
                && text.ends_with('}')
            {
                self.prefixes.insert(prefix.to_owned());
            }
            if self.paths.len() < MOST {
                self.paths.insert(path);
            }
        }
        let lower = text.to_ascii_lowercase();
        let sounds = lower.starts_with("x-")
            && ["token", "auth", "session", "jwt"].iter().any(|word| lower.contains(word));
        let csrf = lower.contains("csrf") || lower.contains("xsrf");
        if sounds && !csrf && lower.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            self.headers.insert(lower);
        }
    }

    /// Every path as it stands, and behind every prefix.
    #[must_use]
    pub fn resolved(&self) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        for path in &self.paths {
            for prefix in &self.prefixes {
                if !path.starts_with(&**prefix) {
                    all.push(format!("{prefix}{path}"));
                }
            }
            all.push(path.clone());
        }
        all
    }
}

/// The path that a string or template is, with `{}` for its holes.
fn as_path(text: &str) -> Option<String> {
    if !text.starts_with('/') || text.starts_with("//") || text == "/" {
        return None;
    }
    let mut path = String::new();
    let mut rest = text;
    while let Some((before, hole)) = rest.split_once("${") {
        path.push_str(before);
        path.push_str("{}");
        rest = hole.split_once('}')?.1;
    }
    path.push_str(rest);
    let path = path.split(['?', '#']).next().unwrap_or_default().to_owned();
    let is_path = path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-_.{}:~".contains(&b));
    let asset = [".js", ".css", ".svg", ".png", ".ico", ".map", ".woff2", ".jpg"]
        .iter()
        .any(|end| path.ends_with(end));
    (is_path && !asset && path.len() > 1).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minified_bundle() {
        let mut hints = Hints::default();
        hints.read(r#"async function l(e,t){let r=await fetch(`/api${t}`,{headers:{"X-Auth-Token":n}})}l("POST",`/login`);l('GET',"/me");l("GET",`/notes/${e.id}/delete`);a("//x");b("/main.css");h("x-csrf-token")"#);
        let all = hints.resolved();
        for path in ["/api/login", "/api/me", "/api/notes/{}/delete", "/me"] {
            assert!(all.iter().any(|found| found == path), "{path} in {all:?}");
        }
        assert!(!all.iter().any(|found| found.contains("main.css") || found.contains("//")), "{all:?}");
        assert_eq!(hints.headers.iter().collect::<Vec<_>>(), ["x-auth-token"]);
    }
}
