//! The operating system's random bytes, through the cryptographic library's generator.

use countersign_core::port::Entropy;

/// Random bytes from aws-lc-rs.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::disallowed_methods, reason = "this is the Entropy port")]
    fn fill(&self, buffer: &mut [u8]) {
        // Going on with predictable bytes would hand out guessable tokens; no caller could repair that.
        if aws_lc_rs::rand::fill(buffer).is_err() {
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_draws_differ_and_fill_everything() {
        let (a, b): ([u8; 64], [u8; 64]) = (SystemEntropy.bytes(), SystemEntropy.bytes());
        assert_ne!(a, b);
        assert!(a.chunks(8).all(|part| part.iter().any(|byte| *byte != 0)));
    }
}
