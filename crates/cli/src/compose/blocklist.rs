//! Passwords that attackers try first (F03).
//!
//! Half of what people choose is one of a few hundred words with something behind it, or two of them. With fifteen
//! characters asked for, those combinations are what is left to block; they are made here instead of shipped.

/// One word or phrase a line.
const WORDS: &str = include_str!("common-passwords.txt");

/// The words and phrases themselves. Repetitions (`wordword`) and sequences are found by the policy.
pub(super) fn words<'a>() -> impl Iterator<Item = &'a str> {
    WORDS.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_list_is_large_clean_and_has_long_entries() {
        let all: Vec<_> = words().collect();
        assert!(all.len() > 1000, "{}", all.len());
        assert!(all.iter().filter(|word| word.chars().count() >= 15).count() > 500);
        let distinct: HashSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
        assert!(all.iter().all(|word| *word == word.to_lowercase() && !word.contains('\t')));
    }
}
