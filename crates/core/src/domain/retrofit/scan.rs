//! A JWT in an answer that should hold none: looked for as the bytes pass by, in bounded memory.

use memchr::memmem;

use crate::domain::recognise::{TokenShape, shape};

/// How a JWT begins: `{"` in base64url.
const BEGINNING: &[u8] = b"eyJ";
/// Bytes of the longest run that is kept to look at.
const LONGEST: usize = 16 * 1024;

/// Looks for a JWT in a stream. The retrofit's placeholder is none.
#[derive(Default)]
pub struct JwtScan {
    /// What could still become one: it starts with a beginning, or is the start of that.
    run: Vec<u8>,
    found: bool,
}

impl std::fmt::Debug for JwtScan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JwtScan").field("found", &self.found).finish_non_exhaustive()
    }
}

impl JwtScan {
    /// Takes the next bytes. Whether one was found now: true once.
    pub fn feed(&mut self, bytes: &[u8]) -> bool {
        if self.found {
            return false;
        }
        let mut rest = bytes;
        while !self.found && !rest.is_empty() {
            rest = if self.run.is_empty() { self.begin(rest) } else { self.go_on(rest) };
        }
        self.found
    }

    /// The stream has ended. Whether its last bytes were one.
    pub fn end(&mut self) -> bool {
        !self.found && self.judge()
    }

    fn begin<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        if let Some(at) = memmem::find(bytes, BEGINNING) {
            let (_, from) = bytes.split_at_checked(at).unwrap_or((bytes, &[]));
            return self.go_on(from);
        }
        // A beginning may be cut in two.
        for kept in [2, 1] {
            let tail = bytes.get(bytes.len().saturating_sub(kept)..).unwrap_or_default();
            if tail.len() == kept && BEGINNING.starts_with(tail) {
                self.run.extend_from_slice(tail);
                break;
            }
        }
        &[]
    }

    fn go_on<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        let length = bytes.iter().position(|b| !part(b)).unwrap_or(bytes.len());
        let (run, rest) = bytes.split_at_checked(length).unwrap_or((bytes, &[]));
        let room = LONGEST.saturating_sub(self.run.len());
        self.run.extend_from_slice(run.get(..room.min(run.len())).unwrap_or_default());
        if !rest.is_empty() {
            self.found = self.judge();
            self.run.clear();
        }
        rest
    }

    fn judge(&self) -> bool {
        let Ok(mut text) = std::str::from_utf8(&self.run) else { return false };
        // What was cut in two may have become something else.
        while let Some(at) = text.find("eyJ") {
            text = text.get(at..).unwrap_or_default();
            let end = text.match_indices('.').nth(2).map_or(text.len(), |(at, _)| at);
            if text.get(..end).and_then(shape) == Some(TokenShape::Jwt) {
                return true;
            }
            // Behind its first dot: the claims of what was no token begin like one too.
            text = text.find('.').and_then(|dot| text.get(dot + 1..)).unwrap_or_default();
            if !text.starts_with("eyJ") {
                return false;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0.c2lnbmF0dXJl";

    fn found(text: &str, step: usize) -> bool {
        let mut scan = JwtScan::default();
        let mut times = 0;
        for chunk in text.as_bytes().chunks(step) {
            times += usize::from(scan.feed(chunk));
        }
        times += usize::from(scan.end());
        assert!(times < 2, "told once");
        times == 1
    }

    /// D19: however the stream is cut.
    #[test]
    fn d19_found_however_it_is_cut() {
        for step in [1, 2, 3, 5, 7, 50, 1000] {
            for text in [
                format!(r#"{{"token":"{JWT}","x":1}}"#),
                JWT.to_owned(),
                format!("e ey eyJ {JWT}"),
                format!(r#"{{"a":"{JWT}","b":"{JWT}"}}"#),
                format!("\"Bearer {JWT}\""),
            ] {
                assert!(found(&text, step), "{step}: {text}");
            }
            for text in [
                "",
                "ey",
                "eyJ",
                "eyJhbGciOiJIUzI1NiJ9",
                "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0.countersign",
                "{\"key\":\"eyJ.a.b\"}",
            ] {
                assert!(!found(text, step), "{step}: {text}");
            }
        }
    }

    #[test]
    fn memory_is_bounded() {
        let mut scan = JwtScan::default();
        scan.feed(b"eyJ");
        for _ in 0..100 {
            scan.feed(&[b'a'; 4096]);
        }
        assert!(scan.run.len() <= LONGEST && !scan.end());
    }
}
