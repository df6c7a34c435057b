//! Randomness that a test can repeat.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::digest::{SHA256, digest};
use countersign_core::port::Entropy;

/// SHA-256 of seed and counter: the same seed gives the same sequence, and no value comes twice.
#[derive(Clone, Debug)]
pub struct SeededEntropy {
    seed: u64,
    next: Arc<AtomicU64>,
}

impl SeededEntropy {
    /// The sequence of a seed, from its beginning.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, next: Arc::default() }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(32) {
            let number = self.next.fetch_add(1, Ordering::SeqCst);
            let mut input = self.seed.to_be_bytes().to_vec();
            input.extend_from_slice(&number.to_be_bytes());
            let block = digest(&SHA256, &input);
            for (to, from) in chunk.iter_mut().zip(block.as_ref()) {
                *to = *from;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn repeatable_and_distinct() {
        let (a, b, c) = (SeededEntropy::new(1), SeededEntropy::new(1), SeededEntropy::new(2));
        let draws: HashSet<[u8; 16]> = (0..1000).map(|_| a.bytes()).collect();
        assert_eq!(draws.len(), 1000);
        let (first, other): ([u8; 40], [u8; 40]) = (b.bytes(), c.bytes());
        assert!(draws.contains(&first[..16]));
        assert_ne!(first, other);
        assert!(first[32..].iter().any(|byte| *byte != 0));
    }
}
