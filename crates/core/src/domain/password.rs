//! Password policy (F01-F03). Hashing is a port (F04, F05).

use std::collections::HashSet;

use unicode_normalization::UnicodeNormalization;

use super::secret::SecretString;
use super::user::Email;

/// Longest password in bytes: long enough for any passphrase, short enough that hashing cannot be abused.
pub const MAX_BYTES: usize = 1024;

/// A password in NFC (F02): the same characters typed on another keyboard are the same password.
#[derive(Debug)]
pub struct Password(SecretString);

/// Input that is no password at all.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPassword {
    /// Empty.
    #[error("the password is empty")]
    Empty,
    /// More than [`MAX_BYTES`].
    #[error("the password is longer than 1024 bytes")]
    TooLong,
}

impl Password {
    /// Normalises what was typed. Spaces are kept: they are part of a passphrase.
    ///
    /// # Errors
    /// [`InvalidPassword`].
    pub fn parse(typed: &str) -> Result<Self, InvalidPassword> {
        if typed.is_empty() {
            return Err(InvalidPassword::Empty);
        }
        // Before normalising, so that a megabyte of combining marks costs nothing.
        if typed.len() > MAX_BYTES {
            return Err(InvalidPassword::TooLong);
        }
        let normal: String = typed.nfc().collect();
        if normal.len() > MAX_BYTES {
            return Err(InvalidPassword::TooLong);
        }
        Ok(Self(SecretString::new(normal)))
    }

    /// The text, for hashing.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// Why a password may not be chosen. Each says what to do.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Too few code points.
    #[error("Use at least {minimum} characters; several words in a row are easy to remember.")]
    TooShort {
        /// The minimum in force.
        minimum: usize,
    },
    /// In the list of common passwords.
    #[error("This password is on the lists that attackers try first; choose another.")]
    Common,
    /// Made of the address, the product or the site.
    #[error("The password contains your address or the name of this site; choose another.")]
    Context,
    /// One or two characters over and over, or a plain sequence.
    #[error("The password repeats or counts up; choose another.")]
    Pattern,
}

/// What a new password must satisfy. No composition rules (NIST SP 800-63B §3.1.1.2).
#[derive(Debug, Clone)]
pub struct PasswordPolicy {
    minimum: usize,
    common: HashSet<Box<str>>,
    context: Vec<Box<str>>,
}

impl PasswordPolicy {
    /// The policy for a password that is the only factor: at least 15 code points (F01), none of the `common` ones, none made of `context` words.
    #[must_use]
    pub fn single_factor<'a>(
        common: impl IntoIterator<Item = &'a str>,
        context: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        Self {
            minimum: 15,
            common: common.into_iter().map(fold).filter(|w| !w.is_empty()).map(Into::into).collect(),
            context: context
                .into_iter()
                .map(fold)
                .filter(|w| w.chars().count() >= 4)
                .map(Into::into)
                .collect(),
        }
    }

    /// The same with another minimum, in code points.
    #[must_use]
    pub fn with_minimum(self, minimum: usize) -> Self {
        Self { minimum, ..self }
    }

    /// Fewest code points.
    #[must_use]
    pub const fn minimum(&self) -> usize {
        self.minimum
    }

    /// Judges a password that somebody wants to use.
    ///
    /// # Errors
    /// [`WeakPassword`] with the reason (F03: say why).
    pub fn judge(&self, password: &Password, email: &Email) -> Result<(), WeakPassword> {
        let text = password.expose();
        if text.chars().count() < self.minimum {
            return Err(WeakPassword::TooShort { minimum: self.minimum });
        }
        let folded = fold(text);
        let letters: String = folded.chars().filter(|c| c.is_alphanumeric()).collect();
        if self.common.contains(folded.as_str())
            || self.common.contains(letters.as_str())
            || self.is_common_repeated(&letters)
        {
            return Err(WeakPassword::Common);
        }
        if is_pattern(&folded) {
            return Err(WeakPassword::Pattern);
        }
        // What is left once the known words are taken out must stand on its own.
        let mut rest = letters.clone();
        let local = email.as_str().rsplit_once('@').map_or("", |(l, _)| l);
        for word in self.context.iter().map(|w| &**w).chain([email.as_str(), local]) {
            let word: String = fold(word).chars().filter(|c| c.is_alphanumeric()).collect();
            if word.chars().count() >= 4 {
                rest = rest.replace(&word, "");
            }
        }
        if rest.len() < letters.len() && rest.chars().count() < 8 {
            return Err(WeakPassword::Context);
        }
        Ok(())
    }

    /// `passwordpassword`: a common password twice is as easy as once.
    fn is_common_repeated(&self, letters: &str) -> bool {
        let chars: Vec<char> = letters.chars().collect();
        (2..=4).any(|times| {
            chars.len() >= 2 * times && chars.len().is_multiple_of(times) && {
                let mut parts = chars.chunks(chars.len() / times);
                let first = parts.next();
                parts.all(|p| Some(p) == first)
                    && first.is_some_and(|f| self.common.contains(f.iter().collect::<String>().as_str()))
            }
        })
    }
}

fn fold(text: &str) -> String {
    text.trim().to_lowercase()
}

fn is_pattern(text: &str) -> bool {
    let distinct: HashSet<char> = text.chars().collect();
    if distinct.len() <= 2 {
        return true;
    }
    let codes: Vec<u32> = text.chars().map(u32::from).collect();
    let steps = |step: i64| {
        codes.windows(2).filter(|w| matches!(w, [a, b] if i64::from(*b) - i64::from(*a) == step)).count()
    };
    let pairs = codes.len().saturating_sub(1);
    pairs > 0 && (steps(1) * 10 >= pairs * 8 || steps(-1) * 10 >= pairs * 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(text: &str) -> Result<(), WeakPassword> {
        let policy = PasswordPolicy::single_factor(
            ["password", "iloveyou", "correcthorsebatterystaple"],
            ["countersign", "example"],
        );
        policy.judge(&Password::parse(text).unwrap(), &Email::parse("adalovelace@example.com").unwrap())
    }

    /// F01: 15 code points, 64 and more allowed, emoji and spaces count, no composition rules.
    #[test]
    fn f01_length_in_code_points() {
        assert_eq!(judge("short"), Err(WeakPassword::TooShort { minimum: 15 }));
        assert_eq!(judge("fourteen chars"), Err(WeakPassword::TooShort { minimum: 15 }));
        assert_eq!(judge("fifteen chars !"), Ok(()));
        assert_eq!(judge("only lower case words here"), Ok(()));
        assert_eq!(judge("🦀🐙🦑🐠🐡🐬🦈🐳🐋🦭🐊🐢🦎🐍🐲"), Ok(()));
        assert_eq!(judge(&"long words go on ".repeat(20)), Ok(()));
        assert_eq!(Password::parse(&"x".repeat(1025)).unwrap_err(), InvalidPassword::TooLong);
        assert_eq!(Password::parse("").unwrap_err(), InvalidPassword::Empty);
    }

    /// F02: NFC and NFD spellings are the same password.
    #[test]
    fn f02_normalisation() {
        let nfc = Password::parse("Am\u{e9}lie").unwrap();
        let nfd = Password::parse("Ame\u{301}lie").unwrap();
        assert_eq!(nfc.expose(), nfd.expose());
    }

    /// F03: common and context words, and the reason is said.
    #[test]
    fn f03_blocklist() {
        assert_eq!(judge("Correct Horse Battery Staple"), Err(WeakPassword::Common));
        assert_eq!(judge("passwordpassword"), Err(WeakPassword::Common));
        assert_eq!(judge("adalovelace@example.com"), Err(WeakPassword::Context));
        assert_eq!(judge("Countersign2026!!"), Err(WeakPassword::Context));
        assert_eq!(judge("aaaaaaaaaaaaaaaaa"), Err(WeakPassword::Pattern));
        assert_eq!(judge("abcdefghijklmnop"), Err(WeakPassword::Pattern));
        assert_eq!(judge("countersign tastes of violet rain"), Ok(()));
        assert!(WeakPassword::Common.to_string().contains("attackers try first"));
    }
}
