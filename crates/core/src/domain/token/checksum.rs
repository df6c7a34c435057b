//! The checksum that ends our opaque tokens: CRC-32 (IEEE) of all before it, as six base62 digits (G01).
//!
//! It is no protection against forgery; it lets scanners tell a token from noise, and lets us reject noise before
//! any look-up.

use crate::domain::base62;

/// Digits of a checksum.
pub const DIGITS: usize = 6;

/// The checksum of everything before it.
#[must_use]
pub fn of(text: &str) -> String {
    base62::encode(&crc32fast::hash(text.as_bytes()).to_be_bytes(), DIGITS)
}

/// Splits a checked text: `None` if the checksum does not match.
#[must_use]
pub fn strip(text: &str) -> Option<&str> {
    let at = text.len().checked_sub(DIGITS)?;
    let (body, crc) = text.split_at_checked(at)?;
    (of(body) == crc).then_some(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detects_a_changed_character() {
        let good = format!("csr_production_abc{}", of("csr_production_abc"));
        assert_eq!(strip(&good), Some("csr_production_abc"));
        assert_eq!(strip(&good.replace("abc", "abd")), None);
        assert_eq!(strip("abc"), None);
        assert_eq!(strip("ééééé"), None);
    }

    /// The check value of CRC-32/IEEE.
    #[test]
    fn is_the_ieee_polynomial() {
        assert_eq!(crc32fast::hash(b"123456789"), 0xcbf4_3926);
    }
}
