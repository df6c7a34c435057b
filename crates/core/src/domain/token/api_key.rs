//! API keys as text: `csk_<env>_` + 49 base62 digits of (id 12 ‖ secret 24) + checksum (design §4, G01, G02).

use aws_lc_rs::digest;

use super::checksum;
use crate::domain::api_key::ApiKeyId;
use crate::domain::base62;
use crate::domain::environment::Environment;
use crate::domain::secret::{SecretArray, SecretString, equal};

const PREFIX: &str = "csk_";
const DIGITS: usize = 49;
/// Characters of the text that the store keeps, so that people can tell their keys apart.
const TAIL: usize = 4;

/// A well-formed API key. Whether it is good is only known once its secret was compared with the store's hash.
#[derive(Debug)]
pub struct ApiKeyToken {
    id: ApiKeyId,
    secret: SecretArray<24>,
}

/// Text that is no API key of this environment.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiKeyTokenError {
    /// Prefix, length, alphabet or checksum is off: noise, rejected without a look-up (G01).
    #[error("not an API key")]
    Malformed,
    /// Its prefix names another environment.
    #[error("API key of another environment")]
    WrongEnvironment,
}

/// A new key: the text goes to its owner, once; the rest to the store.
#[derive(Debug)]
pub struct Minted {
    /// What its owner presents. Shown once (G03).
    pub text: SecretString,
    /// Look-up id.
    pub id: ApiKeyId,
    /// SHA-256 of the secret.
    pub hash: [u8; 32],
    /// The last characters of the text.
    pub last4: Box<str>,
}

impl ApiKeyToken {
    /// Parses the text form for one environment.
    ///
    /// # Errors
    /// [`ApiKeyTokenError`].
    pub fn parse(text: &str, environment: &Environment) -> Result<Self, ApiKeyTokenError> {
        let malformed = ApiKeyTokenError::Malformed;
        if text.len() > 128 {
            return Err(malformed);
        }
        // By its prefix alone: whoever pasted a key of another environment must read so, damaged or not.
        let claimed = text.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_')).map(|(label, _)| label);
        if claimed.is_some_and(|label| label != environment.as_str() && Environment::parse(label).is_ok()) {
            return Err(ApiKeyTokenError::WrongEnvironment);
        }
        let (_, bytes) = read(text).ok_or(malformed)?;
        let malformed = ApiKeyTokenError::Malformed;
        let Some((id, secret)) = bytes.expose().split_first_chunk::<12>() else { return Err(malformed) };
        let Ok(secret) = <[u8; 24]>::try_from(secret) else { return Err(malformed) };
        Ok(Self { id: ApiKeyId::from_bytes(*id), secret: SecretArray::new(secret) })
    }

    /// The key it names. Unproven.
    #[must_use]
    pub const fn id(&self) -> ApiKeyId {
        self.id
    }

    /// Whether its secret has this hash; in constant time.
    #[must_use]
    pub fn matches(&self, hash: &[u8; 32]) -> bool {
        equal(&sha256(self.secret.expose()), hash)
    }
}

/// Makes a key of 36 random bytes.
#[must_use]
pub fn mint(environment: &Environment, random: &SecretArray<36>) -> Minted {
    let bytes = random.expose();
    let mut text = format!("{PREFIX}{environment}_{}", base62::encode(bytes, DIGITS));
    text.push_str(&checksum::of(&text));
    let last4 = text.get(text.len().saturating_sub(TAIL)..).unwrap_or_default().into();
    let (id, secret) = bytes.split_first_chunk::<12>().map_or(([0; 12], &[][..]), |(id, rest)| (*id, rest));
    Minted { id: ApiKeyId::from_bytes(id), hash: sha256(secret), last4, text: SecretString::new(text) }
}

/// Whether the text is a well-formed API key, and of which environment. Says nothing about it being good.
#[must_use]
pub fn environment_of(text: &str) -> Option<Environment> {
    read(text).map(|(environment, _)| environment)
}

/// Where in a text a well-formed API key stands, whatever is around it, and which key it is.
#[must_use]
pub fn find(text: &str) -> Option<ApiKeyId> {
    text.match_indices(PREFIX).find_map(|(at, _)| {
        let rest = text.get(at..)?;
        let label = rest.get(PREFIX.len()..)?.find('_')?;
        let key = rest.get(..PREFIX.len() + label + 1 + DIGITS + checksum::DIGITS)?;
        let (_, bytes) = read(key)?;
        bytes.expose().first_chunk::<12>().map(|id| ApiKeyId::from_bytes(*id))
    })
}

fn read(text: &str) -> Option<(Environment, SecretArray<36>)> {
    if text.len() > 128 {
        return None;
    }
    let (label, digits) = checksum::strip(text)?.strip_prefix(PREFIX)?.split_once('_')?;
    let environment = Environment::parse(label).ok()?;
    if digits.len() != DIGITS {
        return None;
    }
    Some((environment, SecretArray::new(base62::decode::<36>(digits)?)))
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(digest::digest(&digest::SHA256, bytes).as_ref()) {
        *to = *from;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(label: &str) -> Environment {
        Environment::parse(label).unwrap()
    }

    fn minted(environment: &str) -> Minted {
        mint(&env(environment), &SecretArray::new(std::array::from_fn(|i| u8::try_from(i * 7).unwrap())))
    }

    /// G01, G02: own prefix, environment inside, checksum.
    #[test]
    fn g01_format() {
        let key = minted("staging");
        let text = key.text.expose();
        assert!(text.starts_with("csk_staging_"));
        assert_eq!(text.len(), "csk_staging_".len() + 49 + 6);
        assert_eq!(environment_of(text).unwrap().as_str(), "staging");
        assert_eq!(environment_of(&text.replace("csk", "csr")), None);
        assert_eq!(environment_of("csk_staging_x"), None);
        assert!(text.ends_with(&*key.last4) && key.last4.len() == 4);
    }

    /// G01: noise is rejected before any look-up, another environment is named.
    #[test]
    fn g01_noise_and_other_environments() {
        let key = minted("production");
        let good = key.text.expose();
        let refused = |text: &str| ApiKeyToken::parse(text, &env("production")).unwrap_err();
        assert_eq!(
            ApiKeyToken::parse(good, &env("staging")).unwrap_err(),
            ApiKeyTokenError::WrongEnvironment
        );
        for bad in [
            "",
            "csk_",
            "csk_production_",
            good.get(1..).unwrap(),
            good.get(..good.len() - 1).unwrap(),
            &format!("{good} "),
            &format!("{good}0"),
            &good.replacen("csk_p", "csk_P", 1),
            &"x".repeat(9999),
        ] {
            assert_eq!(refused(bad), ApiKeyTokenError::Malformed, "{bad:?}");
        }
        // Every single changed digit is noise.
        for at in "csk_production_".len()..good.len() {
            let mut bytes = good.as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
            assert_eq!(refused(std::str::from_utf8(&bytes).unwrap()), ApiKeyTokenError::Malformed, "{at}");
        }
    }

    /// G01: of strings that look like keys but for their checksum, none passes: 200,000 of them, by a fixed generator.
    #[test]
    fn g01_no_false_hits() {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut digit = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            char::from(
                b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[(state % 62) as usize],
            )
        };
        for _ in 0..200_000 {
            let text: String =
                "csk_production_".chars().chain(std::iter::repeat_with(&mut digit).take(55)).collect();
            assert_eq!(find(&text), None, "{text}");
        }
    }

    /// G03: the store's hash is of the secret alone, and only the whole secret matches it.
    #[test]
    fn g03_hash_and_secret() {
        let key = minted("production");
        let parsed = ApiKeyToken::parse(key.text.expose(), &env("production")).unwrap();
        assert_eq!(parsed.id(), key.id);
        assert!(parsed.matches(&key.hash));
        let mut other = key.hash;
        other[31] ^= 1;
        assert!(!parsed.matches(&other));
        assert!(!format!("{parsed:?}{key:?}").contains(key.text.expose().get(15..40).unwrap()));
    }

    /// G03: the hash depends on the secret and is the SHA-256 that other programs compute: with one value for all, every secret
    /// would open every key.
    #[test]
    fn g03_the_hash_is_of_this_secret() {
        let same = mint(&env("production"), &SecretArray::new([7; 36]));
        let hex = "bb7a0e284885bdc424db0ab2d59277a2f82735c0f2066e0ce55e7325252e76d9";
        assert_eq!(data_encoding::HEXLOWER.encode(&same.hash), hex);
        // One id, another secret.
        let mut other = [7; 36];
        other[35] = 8;
        let other = mint(&env("production"), &SecretArray::new(other));
        assert_eq!(other.id, same.id);
        let presented = ApiKeyToken::parse(other.text.expose(), &env("production")).unwrap();
        assert!(presented.matches(&other.hash) && !presented.matches(&same.hash));
    }

    /// G01: nothing is said about text that is longer than any key, not even which environment it names.
    #[test]
    fn g01_too_long_is_noise() {
        let of = |length: usize| format!("{:x<length$}", "csk_staging_");
        let refused = |text: &str| ApiKeyToken::parse(text, &env("production")).unwrap_err();
        assert_eq!(refused(&of(128)), ApiKeyTokenError::WrongEnvironment);
        assert_eq!(refused(&of(129)), ApiKeyTokenError::Malformed);
        assert_eq!(refused(&of(500)), ApiKeyTokenError::Malformed);
    }

    /// G06: found wherever it stands.
    #[test]
    fn g06_found_in_text() {
        let key = minted("production");
        let text = key.text.expose();
        for around in
            [format!("a=1&api_key={text}"), format!("{text}&x"), format!("csk_x {text}z"), text.into()]
        {
            assert_eq!(find(&around), Some(key.id), "{around}");
        }
        for none in ["", "api_key=csk_production_nonsense", "csk_", text.get(..text.len() - 1).unwrap()] {
            assert_eq!(find(none), None, "{none}");
        }
    }
}
