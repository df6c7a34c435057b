//! The compact serialisation of a JWS (RFC 7515 §7.1), taken apart and put together: exactly three segments of
//! canonical base64url, and nothing else (A06, A07, A16).

use data_encoding::BASE64URL_NOPAD;

use super::jws::JwsRefusal;

/// Longest token in bytes (A16).
pub const MAX_TOKEN: usize = 8 * 1024;
/// Longest header in bytes, decoded (A16).
pub const MAX_HEADER: usize = 1024;

/// A compact JWS, decoded; nothing in it is proven, or even JSON.
#[derive(Debug)]
pub struct Compact<'t> {
    signed: &'t str,
    /// header ‖ payload ‖ signature: one allocation for the three.
    decoded: Vec<u8>,
    payload_at: usize,
    signature_at: usize,
}

impl<'t> Compact<'t> {
    /// Splits and decodes. Length is judged before anything is looked at.
    ///
    /// # Errors
    /// [`JwsRefusal::TooLong`] or [`JwsRefusal::Malformed`].
    pub fn decode(token: &'t str) -> Result<Self, JwsRefusal> {
        if token.len() > MAX_TOKEN {
            return Err(JwsRefusal::TooLong);
        }
        Self::split(token).ok_or(JwsRefusal::Malformed)
    }

    fn split(token: &'t str) -> Option<Self> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        // A JWE has five segments (A07); a dot is no base64url, so that a fourth would be found below, later.
        if payload.contains('.') {
            return None;
        }
        // Refuses padding, white space, foreign characters and trailing bits that are not zero: one token, one spelling.
        let room = |part: &str| BASE64URL_NOPAD.decode_len(part.len()).ok();
        let (header_len, payload_len) = (room(header)?, room(payload)?);
        if header_len > MAX_HEADER {
            return None;
        }
        let (payload_at, signature_at) = (header_len, header_len + payload_len);
        let mut decoded = vec![0; signature_at + room(signature)?];
        let (signed_part, signature_part) = decoded.split_at_mut_checked(signature_at)?;
        let (header_part, payload_part) = signed_part.split_at_mut_checked(payload_at)?;
        for (text, bytes) in [(header, header_part), (payload, payload_part), (signature, signature_part)] {
            BASE64URL_NOPAD.decode_mut(text.as_bytes(), bytes).ok()?;
        }
        Some(Self { signed, decoded, payload_at, signature_at })
    }

    /// The part that is signed, as it came.
    #[must_use]
    pub const fn signed(&self) -> &'t str {
        self.signed
    }

    /// The decoded header.
    #[must_use]
    pub fn header(&self) -> &[u8] {
        self.decoded.get(..self.payload_at).unwrap_or_default()
    }

    /// The decoded payload.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        self.decoded.get(self.payload_at..self.signature_at).unwrap_or_default()
    }

    /// The decoded signature, of any length.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        self.decoded.get(self.signature_at..).unwrap_or_default()
    }
}

/// Whether text has the outward shape of a JWS: three dots-separated segments of which the first starts like a JSON object.
#[must_use]
pub fn looks_like_jws(text: &str) -> bool {
    text.starts_with("eyJ") && text.bytes().filter(|b| *b == b'.').count() == 2
}

/// Puts signature and signed part together.
#[must_use]
pub fn assemble(mut signing_input: String, signature: &[u8]) -> String {
    signing_input.push('.');
    BASE64URL_NOPAD.encode_append(signature, &mut signing_input);
    signing_input
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments() {
        let compact = Compact::decode("e30.Zm9v.AAEC").unwrap();
        assert_eq!(compact.signed(), "e30.Zm9v");
        assert_eq!(
            (compact.header(), compact.payload(), compact.signature()),
            (&b"{}"[..], &b"foo"[..], &[0, 1, 2][..])
        );
        assert!(Compact::decode("..").is_ok(), "emptiness is for whoever reads the segments to refuse");
    }

    /// A06: one spelling only. A07: five segments are no signed token.
    #[test]
    fn a06_a07_one_spelling() {
        for bad in [
            "",
            "e30",
            "e30.Zm9v",
            "e30.Zm9v.AAEC.",
            ".e30.Zm9v.AAEC",
            "e30.Zm9v.AAEC.AAEC",
            "a.b.c.d.e",
            "....",
            "e30=.Zm9v.AAEC",
            "e30.Zm9v.AAEC=",
            "e30.Zm9v.AAE=",
            " e30.Zm9v.AAEC",
            "e30.Zm9v.AAEC\n",
            "e30.Zm 9v.AAEC",
            "e30.Zm9v.AA+C",
            "e30.Zm9v.AA/C",
            "e31.Zm9v.AAEC",
            "e30.Zm9v.AAF",
            "e30.Zm9vA.AAEC",
            "e3?0.Zm9v.AAEC",
        ] {
            assert_eq!(Compact::decode(bad).unwrap_err(), JwsRefusal::Malformed, "{bad:?}");
        }
    }

    /// A16: caps on token and header, judged before decoding.
    #[test]
    fn a16_caps() {
        let header = |bytes: usize| format!("{}.e30.AAEC", BASE64URL_NOPAD.encode(&vec![b' '; bytes]));
        assert!(Compact::decode(&header(MAX_HEADER)).is_ok());
        assert_eq!(Compact::decode(&header(MAX_HEADER + 1)).unwrap_err(), JwsRefusal::Malformed);
        let fits = format!("e30.{}.AAEC", "A".repeat(MAX_TOKEN - 9));
        assert_eq!(fits.len(), MAX_TOKEN);
        assert!(Compact::decode(&fits).is_ok());
        assert_eq!(Compact::decode(&format!("{fits}AAAA")).unwrap_err(), JwsRefusal::TooLong);
    }

    /// G10: what counts as a token by its looks.
    #[test]
    fn g10_the_shape_of_a_jws() {
        for (text, looks) in
            [("eyJh.b.c", true), ("eyJh.b", false), ("eyJh.b.c.d", false), ("abc.b.c", false), ("", false)]
        {
            assert_eq!(looks_like_jws(text), looks, "{text}");
        }
    }
}
