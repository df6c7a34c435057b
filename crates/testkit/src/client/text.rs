//! Percent-encoding, both ways.

use std::fmt::Write as _;

/// Encodes everything but unreserved characters (RFC 3986 §2.3).
pub(crate) fn percent_encode(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("writing to a String");
        }
    }
    out
}

/// Decodes `%XX` and `+`.
pub(crate) fn percent_decode(text: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let digit =
            |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16)).expect("two hexadecimal digits");
        out.push(match byte {
            b'%' => {
                let high = digit(bytes.next());
                u8::try_from(high * 16 + digit(bytes.next())).expect("a byte")
            }
            b'+' => b' ',
            other => other,
        });
    }
    String::from_utf8(out).expect("UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let text = "a b&c=é/%?";
        assert_eq!(percent_decode(&percent_encode(text)), text);
        assert_eq!(percent_encode("a@b"), "a%40b");
    }
}
