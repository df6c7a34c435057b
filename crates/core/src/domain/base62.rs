//! Base62 of big-endian numbers, alphabet `0-9A-Za-z`, left-padded with `0` to a fixed number of digits.

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 62^10, the largest power that leaves room for a carry in `u128` arithmetic on 64-bit limbs.
const CHUNK: u64 = 839_299_365_868_340_224;
const CHUNK_DIGITS: usize = 10;

/// Writes `bytes`, read as one big-endian number, as exactly `digits` base62 digits.
///
/// Digits that do not fit are cut from the left; callers choose `digits` so that every value fits
/// (72 for 53 bytes, 49 for 36 bytes, 22 for 16 bytes, 6 for 4 bytes).
#[must_use]
pub fn encode(bytes: &[u8], digits: usize) -> String {
    if bytes.len() <= 16 {
        return encode_short(bytes, digits);
    }
    // Limbs of 32 bits, most significant first, so that a division step fits u128 comfortably.
    let mut limbs: Vec<u32> = Vec::with_capacity(bytes.len().div_ceil(4));
    for chunk in bytes.rchunks(4).rev() {
        limbs.push(chunk.iter().fold(0, |n, b| (n << 8) | u32::from(*b)));
    }
    let mut out: Vec<u8> = Vec::with_capacity(digits + CHUNK_DIGITS);
    while out.len() < digits {
        let mut remainder: u128 = 0;
        for limb in &mut limbs {
            let value = (remainder << 32) | u128::from(*limb);
            // The first limbs of each step are small: a division of 128 bits costs ten times one of 64.
            let (quotient, rest) = match u64::try_from(value) {
                Ok(value) => (u128::from(value / CHUNK), u128::from(value % CHUNK)),
                Err(_) => (value / u128::from(CHUNK), value % u128::from(CHUNK)),
            };
            *limb = u32::try_from(quotient).unwrap_or(u32::MAX);
            remainder = rest;
        }
        let mut low = u64::try_from(remainder).unwrap_or(0);
        for _ in 0..CHUNK_DIGITS {
            out.push(digit(low % 62));
            low /= 62;
        }
    }
    out.truncate(digits);
    out.reverse();
    out.into_iter().map(char::from).collect()
}

/// Up to 128 bits: every request has an id of that size, and two wide divisions do instead of twelve.
fn encode_short(bytes: &[u8], digits: usize) -> String {
    let mut rest = bytes.iter().fold(0u128, |n, b| (n << 8) | u128::from(*b));
    let mut out = vec![b'0'; digits];
    let mut low = 0;
    for (place, slot) in out.iter_mut().rev().enumerate() {
        if place.is_multiple_of(CHUNK_DIGITS) {
            low = u64::try_from(rest % u128::from(CHUNK)).unwrap_or(0);
            rest /= u128::from(CHUNK);
        }
        *slot = digit(low % 62);
        low /= 62;
    }
    out.into_iter().map(char::from).collect()
}

fn digit(value: u64) -> u8 {
    usize::try_from(value).ok().and_then(|i| ALPHABET.get(i)).copied().unwrap_or(b'0')
}

fn value(digit: u8) -> Option<u32> {
    Some(match digit {
        b'0'..=b'9' => u32::from(digit - b'0'),
        b'A'..=b'Z' => u32::from(digit - b'A') + 10,
        b'a'..=b'z' => u32::from(digit - b'a') + 36,
        _ => return None,
    })
}

/// Reads base62 digits into exactly `N` bytes. `None` for a foreign character or a number that does not fit.
#[must_use]
pub fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0u8; N];
    for c in text.bytes() {
        let mut carry = value(c)?;
        for byte in bytes.iter_mut().rev() {
            carry += u32::from(*byte) * 62;
            *byte = u8::try_from(carry & 0xff).unwrap_or(0);
            carry >>= 8;
        }
        if carry != 0 {
            return None;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_values() {
        assert_eq!(encode(&[0, 0, 0, 61], 6), "00000z");
        assert_eq!(encode(&[0, 0, 0, 62], 6), "000010");
        assert_eq!(encode(&[0xff; 4], 6), "4gfFC3");
        assert_eq!(decode::<4>("4gfFC3"), Some([0xff; 4]));
        assert_eq!(decode::<4>("4gfFC4"), None, "one more than fits");
        assert_eq!(decode::<4>("00-000"), None);
    }

    #[test]
    fn largest_values_fit_their_lengths() {
        assert_eq!(decode::<53>(&encode(&[0xff; 53], 72)), Some([0xff; 53]));
        assert_eq!(decode::<36>(&encode(&[0xff; 36], 49)), Some([0xff; 36]));
        assert_eq!(decode::<16>(&encode(&[0xff; 16], 22)), Some([0xff; 16]));
    }

    proptest! {
        #[test]
        fn round_trip(bytes in any::<[u8; 32]>()) {
            let text = encode(&bytes, 43);
            prop_assert_eq!(text.len(), 43);
            prop_assert_eq!(decode::<32>(&text), Some(bytes));
        }

        /// The short way says the same as the long one.
        #[test]
        fn short_and_long_agree(bytes in any::<[u8; 16]>(), digits in 1usize..30) {
            let mut padded = [0; 20];
            padded[4..].copy_from_slice(&bytes);
            prop_assert_eq!(encode(&bytes, digits), encode(&padded, digits));
        }
    }
}
