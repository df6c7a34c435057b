//! Every secret that the drill has seen, so that none of them can get into a report.

use std::sync::{Mutex, PoisonError};

use countersign_core::domain::recognise;

use crate::secret::Secret;

/// Shorter values are words of the page rather than secrets; taking them out would make evidence unreadable.
const SHORTEST: usize = 8;

/// Longest piece of evidence, in bytes.
const LONGEST: usize = 600;

/// Knows all tokens, cookie values and passwords of a run.
#[derive(Debug, Default)]
pub struct Vault {
    known: Mutex<Vec<Secret>>,
    /// Those of which a thief could make something: they must stand in no log.
    stolen: Mutex<Vec<Secret>>,
}

impl Vault {
    /// Remembers a secret.
    pub fn keep(&self, secret: &Secret) {
        if secret.expose().len() < SHORTEST {
            return;
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.iter().any(|other| other.same(secret)) {
            known.push(secret.clone());
            // Longest first: a token may hold another.
            known.sort_by_key(|secret| std::cmp::Reverse(secret.expose().len()));
        }
    }

    /// Remembers a credential: a secret that a thief could use.
    pub fn steal(&self, secret: &Secret) {
        self.keep(secret);
        let mut stolen = self.stolen.lock().unwrap_or_else(PoisonError::into_inner);
        if secret.expose().len() >= SHORTEST && !stolen.iter().any(|other| other.same(secret)) {
            stolen.push(secret.clone());
        }
    }

    /// The fingerprints of the credentials that stand in a text.
    #[must_use]
    pub fn stolen_within(&self, text: &str) -> Vec<String> {
        let stolen = self.stolen.lock().unwrap_or_else(PoisonError::into_inner);
        stolen.iter().filter(|secret| text.contains(secret.expose())).map(Secret::fingerprint).collect()
    }

    /// The text without any known secret, nor anything that looks like a token or stands behind a secret's name.
    #[must_use]
    pub fn scrub(&self, text: &str) -> String {
        let mut text = text.to_owned();
        {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            for secret in known.iter() {
                if text.contains(secret.expose()) {
                    text = text.replace(secret.expose(), &format!("[{}]", secret.fingerprint()));
                }
            }
        }
        recognise::redact_and_cut(&text, LONGEST).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// I01: a report is a log too.
    #[test]
    fn i01_no_secret_gets_out() {
        let vault = Vault::default();
        let (token, longer) =
            (Secret::new("opaque-session-value"), Secret::new("s:opaque-session-value.sig"));
        vault.keep(&token);
        vault.keep(&longer);
        let text = vault.scrub(
            "sid=s:opaque-session-value.sig and opaque-session-value, eyJhbGciOiJub25lIn0.eyJzdWIiOjF9.AAAA",
        );
        assert!(!text.contains("opaque") && !text.contains(".sig") && !text.contains("eyJ"), "{text}");
        assert!(text.contains(&token.fingerprint()) && text.contains(&longer.fingerprint()), "{text}");
    }

    #[test]
    fn short_words_stay() {
        let vault = Vault::default();
        vault.keep(&Secret::new("1"));
        assert_eq!(vault.scrub("HTTP/1.1 200"), "HTTP/1.1 200");
    }
}
