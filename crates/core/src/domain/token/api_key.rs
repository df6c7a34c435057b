//! API keys: `csk_<env>_` + 49 base62 digits of (id 12 ‖ secret 24) + checksum (design §4, G01).

use super::checksum;
use crate::domain::base62;
use crate::domain::environment::Environment;

const PREFIX: &str = "csk_";
const DIGITS: usize = 49;

/// Whether the text is a well-formed API key, and of which environment. Says nothing about it being good.
#[must_use]
pub fn environment_of(text: &str) -> Option<Environment> {
    if text.len() > 128 {
        return None;
    }
    let (label, digits) = checksum::strip(text)?.strip_prefix(PREFIX)?.split_once('_')?;
    let environment = Environment::parse(label).ok()?;
    (digits.len() == DIGITS && base62::decode::<36>(digits).is_some()).then_some(environment)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// G01, G02: own prefix, environment inside, checksum.
    #[test]
    fn g01_format() {
        let mut key = format!("csk_staging_{}", base62::encode(&[0xab; 36], 49));
        key.push_str(&checksum::of(&key));
        assert_eq!(environment_of(&key).unwrap().as_str(), "staging");
        assert_eq!(environment_of(&key.replace("csk", "csr")), None);
        assert_eq!(environment_of("csk_staging_x"), None);
    }
}
