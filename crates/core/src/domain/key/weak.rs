//! Secrets that were not drawn at random (A17): a password, a pattern or an example from a manual, which can be guessed.

/// Why 32 bytes are no secret. Random ones fall under any of these less than once in 10^12 times.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WeakSecret {
    /// A pattern of few values, such as zeros.
    #[error("it has few different bytes")]
    FewValues,
    /// A password or a phrase.
    #[error("all of its bytes are printable characters, as of a password")]
    Text,
    /// `000102…`, as in examples.
    #[error("its bytes count up or down in equal steps")]
    Sequence,
    /// One half twice.
    #[error("its two halves are equal")]
    Repeated,
}

/// 32 random bytes have 30 different values on average; fewer than this come once in 10^12 times.
const FEWEST_VALUES: usize = 18;

/// Refuses raw key bytes that no generator of random bytes would give.
///
/// # Errors
/// [`WeakSecret`] says what gives them away, and holds nothing of them.
pub fn require_random(secret: &[u8; 32]) -> Result<(), WeakSecret> {
    let mut seen = [false; 256];
    for byte in secret {
        if let Some(seen) = seen.get_mut(usize::from(*byte)) {
            *seen = true;
        }
    }
    if secret.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ') {
        return Err(WeakSecret::Text);
    }
    let (first, second) = secret.split_at(16);
    if first == second && seen.iter().filter(|seen| **seen).count() > 1 {
        return Err(WeakSecret::Repeated);
    }
    let mut steps = secret.iter().zip(secret.iter().skip(1)).map(|(a, b)| b.wrapping_sub(*a));
    let step = steps.next();
    if step != Some(0) && steps.all(|next| Some(next) == step) {
        return Err(WeakSecret::Sequence);
    }
    if seen.iter().filter(|seen| **seen).count() < FEWEST_VALUES {
        return Err(WeakSecret::FewValues);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A17: passwords and patterns are no keys; what a generator gives is.
    #[test]
    fn a17_patterns_and_passwords_are_refused() {
        let phrase = *b"correct horse battery staple 123";
        assert_eq!(require_random(&phrase), Err(WeakSecret::Text));
        assert_eq!(require_random(&[0; 32]), Err(WeakSecret::FewValues));
        let mut nearly = [7; 32];
        nearly[3] = 1;
        assert_eq!(require_random(&nearly), Err(WeakSecret::FewValues));
        let up: [u8; 32] = std::array::from_fn(|i| u8::try_from(i).unwrap());
        let down: [u8; 32] = std::array::from_fn(|i| 255 - u8::try_from(i).unwrap() * 3);
        for sequence in [up, down] {
            assert_eq!(require_random(&sequence), Err(WeakSecret::Sequence));
        }
        let mut twice = [0; 32];
        for (i, byte) in twice.iter_mut().enumerate() {
            *byte = (u8::try_from(i % 16).unwrap() + 3).wrapping_mul(u8::try_from(i % 16).unwrap() + 101);
        }
        assert_eq!(require_random(&twice), Err(WeakSecret::Repeated));
    }

    #[test]
    fn a17_random_bytes_pass() {
        for n in 0u16..2000 {
            let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &n.to_be_bytes());
            assert_eq!(require_random(digest.as_ref().try_into().unwrap()), Ok(()), "{n}");
        }
    }
}
