//! API keys (G05).

use super::quoted;
use crate::config::Settings;
use crate::config::finding::Findings;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

pub(super) fn lint(settings: &Settings, found: &mut Findings) {
    let max = settings.api_keys.max_ttl;
    let key = "api_keys.max_ttl";
    if max < MINUTE {
        found.refuse(key, quoted(max), "no key would live long enough to be used", "set 90d");
    } else if max > DAY * 400 {
        let message = "a key that leaked and was not noticed opens the door for more than a year";
        found.harden(key, quoted(max), message, "set 400d or less; 90d is the default");
    } else if max > DAY * 90 {
        let message = "a key that leaked and was not noticed opens the door this long";
        found.note(key, quoted(max), message, "set 90d, and make the next key before the last one expires");
    }
}
