//! Compressed answers, for upstreams that compress without being asked.

use std::io::Read;

use bytes::Bytes;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::header::{CONTENT_ENCODING, HeaderMap, HeaderValue};

/// The plain body of an answer, if it can be had. Of two codings, in one line or two, none is undone: readers differ on what is left.
pub(super) fn plain(headers: &HeaderMap, body: &Bytes, limit: usize) -> Option<Bytes> {
    let mut codings = headers.get_all(CONTENT_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => Some(body.clone()),
        (Some(coding), None) => decode(coding, body, limit),
        (Some(_), Some(_)) => None,
    }
}

/// The plain body, if it is compressed in one way that we know and no longer than `limit` then.
fn decode(coding: &HeaderValue, body: &[u8], limit: usize) -> Option<Bytes> {
    let coding = coding.to_str().ok()?.trim().to_ascii_lowercase();
    match coding.as_str() {
        "" | "identity" => Some(Bytes::copy_from_slice(body)),
        "gzip" | "x-gzip" => read(MultiGzDecoder::new(body), limit),
        // With the header of zlib (RFC 9110 §8.4.1.2), or, as some send it, without.
        "deflate" => read(ZlibDecoder::new(body), limit).or_else(|| read(DeflateDecoder::new(body), limit)),
        "br" => read(brotli_decompressor::Decompressor::new(body, 4096), limit),
        _ => None,
    }
}

fn read(decoder: impl Read, limit: usize) -> Option<Bytes> {
    let mut plain = Vec::new();
    // One more than is good: a small body may hold a large one.
    decoder.take(limit as u64 + 1).read_to_end(&mut plain).ok()?;
    (plain.len() <= limit).then(|| plain.into())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    const PLAIN: &[u8] = br#"{"token":"abc"}"#;

    fn decoded(coding: &'static str, body: &[u8], limit: usize) -> Option<Vec<u8>> {
        decode(&HeaderValue::from_static(coding), body, limit).map(|plain| plain.to_vec())
    }

    #[test]
    fn each_coding() {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(PLAIN).unwrap();
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(PLAIN).unwrap();
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::default());
        raw.write_all(PLAIN).unwrap();
        // One uncompressed metablock and the end (RFC 7932 §9.2).
        let mut brotli = vec![0x0b, 0x07, 0x80];
        brotli.extend_from_slice(PLAIN);
        brotli.push(0x03);
        for (coding, body) in [
            ("gzip", gzip.finish().unwrap()),
            ("deflate", zlib.finish().unwrap()),
            ("deflate", raw.finish().unwrap()),
            ("br", brotli),
            ("identity", PLAIN.to_vec()),
        ] {
            assert_eq!(decoded(coding, &body, 100).as_deref(), Some(PLAIN), "{coding}");
            assert_eq!(
                decoded(coding, &body, PLAIN.len() - 1).filter(|_| coding != "identity"),
                None,
                "{coding}"
            );
        }
        for coding in ["zstd", "gzip, br", "compress", "gzip"] {
            assert_eq!(decoded(coding, b"nonsense", 100), None, "{coding}");
        }
    }

    /// A few bytes that become a gigabyte end where the limit is.
    #[test]
    fn a_bomb_is_bounded() {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        for _ in 0..64 {
            gzip.write_all(&[0; 1 << 16]).unwrap();
        }
        assert_eq!(decoded("gzip", &gzip.finish().unwrap(), 1 << 20), None);
    }
}
