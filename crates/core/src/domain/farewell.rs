//! What a browser keeps of a session whose cookies were cleared: which one it was, so that the sign-in page can say why it ended.
//!
//! base64url(sid ‖ HMAC-SHA256(key, sid)), under a key of its own. It opens nothing. Only a browser that presented the session's
//! genuine refresh token is given one, and nobody else can make one: the words that a person reads at the door come from the
//! store, never from a link that anybody can write (a parameter such as `?reason=` is a gift to phishers).

use aws_lc_rs::hmac;
use data_encoding::BASE64URL_NOPAD;

use super::id::Sid;
use super::key::Keyring;
use super::secret::SecretString;

/// The cookie value for a session. `None` only for a keyring without secrets, which there is none of.
#[must_use]
pub fn write(keyring: &Keyring, sid: Sid) -> Option<SecretString> {
    let snapshot = keyring.snapshot();
    let key = snapshot.farewell_keys().next()?;
    let mut bytes = sid.as_bytes().to_vec();
    bytes.extend_from_slice(hmac::sign(key, sid.as_bytes()).as_ref());
    Some(SecretString::new(BASE64URL_NOPAD.encode(&bytes)))
}

/// Which session a cookie value speaks of, if we wrote it. Constant-time in the comparison.
#[must_use]
pub fn read(keyring: &Keyring, text: &str) -> Option<Sid> {
    if text.len() != 64 {
        return None;
    }
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
    let (sid, tag) = bytes.split_first_chunk::<16>()?;
    let snapshot = keyring.snapshot();
    let ours = snapshot.farewell_keys().any(|key| hmac::verify(key, sid, tag).is_ok());
    ours.then(|| Sid::from_bytes(*sid))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::csrf::{self, Binding};
    use crate::domain::key::tests::ring;

    #[test]
    fn only_what_we_wrote_is_read() {
        let (ring_a, sid) = (ring("production", 1), Sid::from_bytes([7; 16]));
        let text = write(&ring_a, sid).unwrap();
        assert_eq!(read(&ring_a, text.expose()), Some(sid));
        assert_eq!(read(&ring("production", 2), text.expose()), None, "another master secret");
        assert_eq!(read(&ring("staging", 1), text.expose()), None, "another environment");
        let mut other = BASE64URL_NOPAD.decode(text.expose().as_bytes()).unwrap();
        other[0] ^= 1;
        assert_eq!(read(&ring_a, &BASE64URL_NOPAD.encode(&other)), None, "another session");
        for bad in ["", "A", &"A".repeat(64), text.expose().get(1..).unwrap()] {
            assert_eq!(read(&ring_a, bad), None, "{bad:?}");
        }
    }

    /// Its key signs nothing else, and nothing else passes for it.
    #[test]
    fn it_is_no_csrf_token() {
        let (ring, sid) = (ring("production", 1), Sid::from_bytes([7; 16]));
        let text = write(&ring, sid).unwrap();
        assert!(!csrf::matches(&ring, Binding::Session(sid), text.expose()));
        let csrf = csrf::token(&ring, Binding::Session(sid), *sid.as_bytes()).unwrap();
        assert_eq!(read(&ring, csrf.expose()), None);
    }
}
