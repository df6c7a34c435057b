//! Requests whose end two servers could see in two places (K07, RFC 9112 §6).

use http::Version;
use http::header::{CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};

use crate::BadRequest;

/// Refuses Content-Length beside Transfer-Encoding, several Content-Lengths, one that is not a number, and a
/// Transfer-Encoding that is not exactly `chunked`.
///
/// The answer is 400 and the connection closes. hyper repairs some of these before a handler sees them;
/// [`StrictHeads`](crate::StrictHeads) refuses those on the wire.
///
/// # Errors
/// [`BadRequest`] says which.
pub fn check(headers: &HeaderMap, version: Version) -> Result<(), BadRequest> {
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let length = lengths.next();
    if let Some(length) = length {
        let digits = !length.is_empty() && length.as_bytes().iter().all(u8::is_ascii_digit);
        if !digits || lengths.next().is_some() {
            return Err(BadRequest::ContentLength);
        }
    }
    let mut encodings = headers.get_all(TRANSFER_ENCODING).iter();
    if let Some(encoding) = encodings.next() {
        if length.is_some() {
            return Err(BadRequest::LengthAndEncoding);
        }
        let chunked = encoding.as_bytes().eq_ignore_ascii_case(b"chunked");
        if !chunked || encodings.next().is_some() || version != Version::HTTP_11 {
            return Err(BadRequest::TransferEncoding);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn judge(lines: &[(&'static str, &'static str)], version: Version) -> Result<(), BadRequest> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_static(value));
        }
        check(&headers, version)
    }

    /// K07: each ambiguity is named.
    #[test]
    fn k07_ambiguous_framing_is_refused() {
        const CL: &str = "content-length";
        const TE: &str = "transfer-encoding";
        for (lines, expected) in [
            (&[][..], Ok(())),
            (&[(CL, "5")], Ok(())),
            (&[(TE, "chunked")], Ok(())),
            (&[(TE, "Chunked")], Ok(())),
            (&[(CL, "5"), (TE, "chunked")], Err(BadRequest::LengthAndEncoding)),
            (&[(CL, "5"), (CL, "6")], Err(BadRequest::ContentLength)),
            (&[(CL, "5"), (CL, "5")], Err(BadRequest::ContentLength)),
            (&[(CL, "5, 5")], Err(BadRequest::ContentLength)),
            (&[(CL, "+5")], Err(BadRequest::ContentLength)),
            (&[(CL, "-1")], Err(BadRequest::ContentLength)),
            (&[(CL, "0x5")], Err(BadRequest::ContentLength)),
            (&[(CL, "")], Err(BadRequest::ContentLength)),
            (&[(TE, "gzip, chunked")], Err(BadRequest::TransferEncoding)),
            (&[(TE, "identity")], Err(BadRequest::TransferEncoding)),
            (&[(TE, "chunked, chunked")], Err(BadRequest::TransferEncoding)),
            (&[(TE, "chunked"), (TE, "chunked")], Err(BadRequest::TransferEncoding)),
            (&[(TE, "xchunked")], Err(BadRequest::TransferEncoding)),
            (&[(TE, "chunked;q=1")], Err(BadRequest::TransferEncoding)),
        ] {
            assert_eq!(judge(lines, Version::HTTP_11), expected, "{lines:?}");
        }
        assert_eq!(judge(&[(TE, "chunked")], Version::HTTP_10), Err(BadRequest::TransferEncoding));
        assert_eq!(judge(&[(TE, "chunked")], Version::HTTP_2), Err(BadRequest::TransferEncoding));
    }
}
