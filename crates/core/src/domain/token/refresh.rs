//! Refresh tokens: `csr_<env>_` + 72 base62 digits + checksum (design §4).
//!
//! The token of a generation is derived, not stored: it is always the same string, so rotation is idempotent, and
//! the store holds nothing that can be presented (D08, P3).

use aws_lc_rs::hmac;

use super::checksum;
use crate::domain::base62;
use crate::domain::environment::Environment;
use crate::domain::id::{Generation, KeyId, Sid};
use crate::domain::key::Keyring;
use crate::domain::secret::{SecretArray, SecretString};

const PREFIX: &str = "csr_";
const DIGITS: usize = 72;
const LABEL: &[u8] = b"countersign refresh v1";

/// A well-formed refresh token. Whether it is genuine is only known once its tag was checked against the session's salt.
#[derive(Debug)]
pub struct RefreshToken {
    key: KeyId,
    sid: Sid,
    generation: Generation,
    tag: SecretArray<32>,
}

/// Text that is no refresh token of this environment.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefreshTokenError {
    /// Prefix, length, alphabet or checksum is off: noise, rejected without a look-up.
    #[error("not a refresh token")]
    Malformed,
    /// Well-formed, but its prefix names another environment.
    #[error("refresh token of another environment")]
    WrongEnvironment,
}

impl RefreshToken {
    /// Parses the text form for one environment.
    ///
    /// # Errors
    /// [`RefreshTokenError`].
    pub fn parse(text: &str, environment: &Environment) -> Result<Self, RefreshTokenError> {
        let malformed = RefreshTokenError::Malformed;
        if text.len() > 128 {
            return Err(malformed);
        }
        // By its prefix alone: whoever pasted a token of another environment must read so, damaged or not.
        let claimed = text.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_')).map(|(label, _)| label);
        if claimed.is_some_and(|label| label != environment.as_str() && Environment::parse(label).is_ok()) {
            return Err(RefreshTokenError::WrongEnvironment);
        }
        let Some(body) = checksum::strip(text) else { return Err(malformed) };
        let Some((label, digits)) = body.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_')) else {
            return Err(malformed);
        };
        if digits.len() != DIGITS || Environment::parse(label).is_err() {
            return Err(malformed);
        }
        let Some(bytes) = base62::decode::<53>(digits) else { return Err(malformed) };
        if label != environment.as_str() {
            return Err(RefreshTokenError::WrongEnvironment);
        }
        let (Some(key), Some(sid), Some(generation), Some(tag)) =
            (bytes.first(), array(&bytes, 1), array(&bytes, 17), array(&bytes, 21))
        else {
            return Err(malformed);
        };
        Ok(Self {
            key: KeyId(*key),
            sid: Sid::from_bytes(sid),
            generation: Generation(u32::from_be_bytes(generation)),
            tag: SecretArray::new(tag),
        })
    }

    /// The session it names. Unproven.
    #[must_use]
    pub const fn sid(&self) -> Sid {
        self.sid
    }

    /// Checks the tag against the session's salt and master secret. The generation of a genuine token, else `None`:
    /// forging changes nothing, so it cannot log anybody out.
    #[must_use]
    pub fn authenticate(&self, keyring: &Keyring, master_key: KeyId, salt: &[u8; 16]) -> Option<Generation> {
        if self.key != master_key {
            return None;
        }
        let snapshot = keyring.snapshot();
        let key = snapshot.refresh_key(self.key)?;
        let message = message(keyring.environment(), self.sid, salt, self.generation);
        hmac::verify(key, &message, self.tag.expose()).ok()?;
        Some(self.generation)
    }
}

/// The token of one generation of a session. `None` if the master secret is gone.
#[must_use]
pub fn derive(
    keyring: &Keyring,
    master_key: KeyId,
    sid: Sid,
    salt: &[u8; 16],
    generation: Generation,
) -> Option<SecretString> {
    let snapshot = keyring.snapshot();
    let key = snapshot.refresh_key(master_key)?;
    let tag = hmac::sign(key, &message(keyring.environment(), sid, salt, generation));
    let mut bytes = Vec::with_capacity(53);
    bytes.push(master_key.0);
    bytes.extend_from_slice(sid.as_bytes());
    bytes.extend_from_slice(&generation.0.to_be_bytes());
    bytes.extend_from_slice(tag.as_ref());
    let mut text = format!("{PREFIX}{}_{}", keyring.environment(), base62::encode(&bytes, DIGITS));
    text.push_str(&checksum::of(&text));
    Some(SecretString::new(text))
}

/// label ‖ env ‖ sid ‖ salt ‖ generation; the environment is length-prefixed because it alone varies in length.
fn message(environment: &Environment, sid: Sid, salt: &[u8; 16], generation: Generation) -> Vec<u8> {
    let env = environment.as_str().as_bytes();
    let mut message = Vec::with_capacity(LABEL.len() + env.len() + 37);
    message.extend_from_slice(LABEL);
    message.push(u8::try_from(env.len()).unwrap_or(u8::MAX));
    message.extend_from_slice(env);
    message.extend_from_slice(sid.as_bytes());
    message.extend_from_slice(salt);
    message.extend_from_slice(&generation.0.to_be_bytes());
    message
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::key::tests::ring;

    fn token(ring: &Keyring, generation: u32) -> SecretString {
        derive(ring, ring.current(), Sid::from_bytes([9; 16]), &[3; 16], Generation(generation)).unwrap()
    }

    #[test]
    fn format_is_fixed() {
        let ring = ring("production", 1);
        let text = token(&ring, 1);
        assert!(text.expose().starts_with("csr_production_"));
        assert_eq!(text.expose().len(), "csr_production_".len() + 72 + 6);
    }

    /// P3: one string per generation; another for the next.
    #[test]
    fn p3_a_generation_has_exactly_one_token() {
        let ring = ring("production", 1);
        assert_eq!(token(&ring, 4).expose(), token(&ring, 4).expose());
        assert_ne!(token(&ring, 4).expose(), token(&ring, 5).expose());
    }

    #[test]
    fn genuine_tokens_authenticate_and_others_do_not() {
        let ring = ring("production", 1);
        let env = ring.environment().clone();
        let parsed = RefreshToken::parse(token(&ring, 7).expose(), &env).unwrap();
        assert_eq!(parsed.sid(), Sid::from_bytes([9; 16]));
        assert_eq!(parsed.authenticate(&ring, ring.current(), &[3; 16]), Some(Generation(7)));
        assert_eq!(parsed.authenticate(&ring, ring.current(), &[4; 16]), None, "other salt");
        assert_eq!(parsed.authenticate(&ring, KeyId(9), &[3; 16]), None, "other master secret");
    }

    /// G01: noise is rejected before any look-up. A13: the environment is in prefix and key.
    #[test]
    fn noise_and_other_environments_are_refused() {
        let ring = ring("production", 1);
        let good = token(&ring, 1);
        let good = good.expose();
        let production = Environment::parse("production").unwrap();
        let staging = Environment::parse("staging").unwrap();
        assert_eq!(RefreshToken::parse(good, &staging).unwrap_err(), RefreshTokenError::WrongEnvironment);
        let flipped = good.replacen("csr_p", "csr_P", 1);
        let relabelled = good.replacen("csr_p", "csr_q", 1);
        assert_eq!(
            RefreshToken::parse(&relabelled, &production).unwrap_err(),
            RefreshTokenError::WrongEnvironment
        );
        for bad in [
            "",
            "csr_",
            good.get(1..).unwrap(),
            good.get(..good.len() - 1).unwrap(),
            &flipped,
            &format!("{good} "),
            &"x".repeat(9999),
        ] {
            assert_eq!(RefreshToken::parse(bad, &production).unwrap_err(), RefreshTokenError::Malformed);
        }
    }
}
