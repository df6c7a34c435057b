//! What a browser keeps of a session whose cookies were cleared: which one it was, so that the sign-in page can say why it ended.
//!
//! base64url(sid ‖ written ‖ HMAC-SHA256(key, sid ‖ written)), under a key of its own; `written` is the moment in milliseconds, eight
//! bytes, big-endian. It opens nothing, and says nothing after [`FAREWELL_TTL`], whatever a browser keeps: the next person at a shared
//! computer is not told what became of somebody else's session. Only a browser that presented the session's
//! genuine refresh token is given one, and nobody else can make one: the words that a person reads at the door come from the
//! store, never from a link that anybody can write (a parameter such as `?reason=` is a gift to phishers).

use aws_lc_rs::hmac;
use data_encoding::BASE64URL_NOPAD;

use super::cookie::FAREWELL_TTL;
use super::id::Sid;
use super::key::Keyring;
use super::secret::SecretString;
use super::time::Timestamp;

/// Bytes under the MAC.
const SPOKEN: usize = 16 + 8;
/// Characters of SPOKEN and a tag of 32 bytes.
const LENGTH: usize = 75;

/// The cookie value for a session. `None` only for a keyring without secrets, which there is none of.
#[must_use]
pub fn write(keyring: &Keyring, sid: Sid, now: Timestamp) -> Option<SecretString> {
    let snapshot = keyring.snapshot();
    let key = snapshot.farewell_keys().next()?;
    let mut bytes = sid.as_bytes().to_vec();
    bytes.extend_from_slice(&now.as_millis().to_be_bytes());
    let tag = hmac::sign(key, &bytes);
    bytes.extend_from_slice(tag.as_ref());
    Some(SecretString::new(BASE64URL_NOPAD.encode(&bytes)))
}

/// Which session a cookie value speaks of, if we wrote it less than [`FAREWELL_TTL`] ago. Constant-time in the comparison.
#[must_use]
pub fn read(keyring: &Keyring, text: &str, now: Timestamp) -> Option<Sid> {
    if text.len() != LENGTH {
        return None;
    }
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
    let (spoken, tag) = bytes.split_first_chunk::<SPOKEN>()?;
    let (sid, written) = spoken.split_first_chunk::<16>()?;
    let written = Timestamp::from_millis(i64::from_be_bytes(written.try_into().ok()?));
    let snapshot = keyring.snapshot();
    let ours = snapshot.farewell_keys().any(|key| hmac::verify(key, spoken, tag).is_ok());
    (ours && now.since(written) < FAREWELL_TTL).then(|| Sid::from_bytes(*sid))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::csrf::{self, Binding};
    use crate::domain::key::tests::ring;

    const NOW: Timestamp = Timestamp::from_secs(1_000_000);

    #[test]
    fn only_what_we_wrote_is_read() {
        let (ring_a, sid) = (ring("production", 1), Sid::from_bytes([7; 16]));
        let text = write(&ring_a, sid, NOW).unwrap();
        assert_eq!(read(&ring_a, text.expose(), NOW), Some(sid));
        assert_eq!(read(&ring("production", 2), text.expose(), NOW), None, "another master secret");
        assert_eq!(read(&ring("staging", 1), text.expose(), NOW), None, "another environment");
        let mut other = BASE64URL_NOPAD.decode(text.expose().as_bytes()).unwrap();
        other[0] ^= 1;
        assert_eq!(read(&ring_a, &BASE64URL_NOPAD.encode(&other), NOW), None, "another session");
        for bad in ["", "A", &"A".repeat(64), &"A".repeat(LENGTH), text.expose().get(1..).unwrap()] {
            assert_eq!(read(&ring_a, bad, NOW), None, "{bad:?}");
        }
    }

    /// A jar that keeps it beyond its Max-Age gets no words for it, and its moment cannot be moved.
    #[test]
    fn it_says_nothing_after_a_quarter_of_an_hour() {
        let (ring, sid) = (ring("production", 1), Sid::from_bytes([7; 16]));
        let text = write(&ring, sid, NOW).unwrap();
        let last = NOW.plus(FAREWELL_TTL).minus(std::time::Duration::from_millis(1));
        assert_eq!(read(&ring, text.expose(), last), Some(sid));
        assert_eq!(read(&ring, text.expose(), NOW.plus(FAREWELL_TTL)), None);
        let mut later = BASE64URL_NOPAD.decode(text.expose().as_bytes()).unwrap();
        later[21] ^= 1;
        assert_eq!(read(&ring, &BASE64URL_NOPAD.encode(&later), NOW), None);
    }

    /// Its key signs nothing else, and nothing else passes for it.
    #[test]
    fn it_is_no_csrf_token() {
        let (ring, sid) = (ring("production", 1), Sid::from_bytes([7; 16]));
        let text = write(&ring, sid, NOW).unwrap();
        assert!(!csrf::matches(&ring, Binding::Session(sid), text.expose()));
        let csrf = csrf::token(&ring, Binding::Session(sid), *sid.as_bytes()).unwrap();
        assert_eq!(read(&ring, csrf.expose(), NOW), None);
    }
}
