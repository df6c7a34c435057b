//! Secrets behind percent-encoding.

use std::borrow::Cow;

/// How often a text is decoded one level at a time; what is left is decoded at once.
const LEVELS: usize = 3;

/// Whether percent-decoding, however often, brings something to light that `is_secret` knows.
///
/// After each of the first levels: a value may be a secret as long as its `&` is escaped. Then decoded to the end, which loses no
/// token, and costs one pass: `%252525…` has half as many levels as bytes.
pub(super) fn hides(text: &str, is_secret: impl Fn(&str) -> bool) -> bool {
    let mut decoded = Cow::Borrowed(text);
    for _ in 0..LEVELS {
        if !decoded.contains('%') {
            return false;
        }
        let once = percent_encoding::percent_decode_str(&decoded).decode_utf8_lossy().into_owned();
        if once == *decoded {
            return false;
        }
        if is_secret(&once) {
            return true;
        }
        decoded = Cow::Owned(once);
    }
    decoded.contains('%') && is_secret(&decode_fully(&decoded))
}

/// Percent-decodes until nothing is left to decode, in one pass: a decoded byte may complete an escape that began before it.
fn decode_fully(text: &str) -> String {
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    for byte in text.bytes() {
        out.push(byte);
        // Each round takes two bytes away for good.
        while let [.., b'%', high, low] = *out.as_slice()
            && let Some(decoded) = hex(high).zip(hex(low)).map(|(high, low)| high << 4 | low)
        {
            out.truncate(out.len() - 3);
            out.push(decoded);
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As decoding again and again, until nothing changes.
    #[test]
    fn decoding_to_the_end_is_decoding_often() {
        for text in [
            "%63sr",
            "%2563sr",
            "%25252563sr",
            "%%36%33",
            "%25%32%35",
            "100%",
            "%2",
            "%zz%41",
            "%2%35%36%33",
            "%C3%A4%ff",
        ] {
            let mut slowly = text.as_bytes().to_vec();
            for _ in 0..20 {
                slowly = percent_encoding::percent_decode(&slowly).collect();
            }
            assert_eq!(decode_fully(text), String::from_utf8_lossy(&slowly), "{text}");
        }
        assert_eq!(decode_fully(&format!("%{}41", "25".repeat(50_000))), "A");
    }
}
