//! What script can read in a page, and what of it is worth stealing.

use countersign_core::domain::recognise;
use serde::Deserialize;

use super::BrowserError;
use super::tab::Tab;
use crate::client::Device;
use crate::credential::{Carrier, CredentialKind};
use crate::detect::{alone_value, seen};
use crate::scene::{Broken, Scene};
use crate::secret::Secret;

/// Something that script can read.
#[derive(Clone, Deserialize)]
struct Raw {
    #[serde(rename = "where")]
    place: String,
    name: String,
    value: String,
}

/// A token that script can read.
#[derive(Debug, Clone)]
pub(super) struct Readable {
    /// `localStorage`, under which name: never its value.
    pub(super) place: String,
    pub(super) secret: Secret,
    pub(super) worth: Worth,
}

/// What it is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Worth {
    /// It looks like a token, but was not accepted when it was tried.
    Refused,
    /// It is exchanged for access.
    Renews,
    /// From another device it is the victim.
    Opens,
}

/// Most values that are tried: each costs a request.
const TRIED: usize = 20;

/// The tokens that script can read in a signed-in page, the most valuable first.
pub(super) async fn tokens(scene: &Scene, tab: &Tab) -> Result<Vec<Readable>, BrowserError> {
    let all = tab.evaluate(include_str!("script/readable.js")).await?;
    let all: Vec<Raw> =
        serde_json::from_value(all).map_err(|error| BrowserError::Script(error.to_string()))?;
    let known_looks: Vec<(usize, bool)> = scene
        .session(0)
        .await?
        .credentials()
        .iter()
        .filter(|credential| credential.kind == CredentialKind::Access)
        .map(|credential| looks(credential.secret.expose()))
        .collect();
    let mut candidates: Vec<(Raw, bool)> = Vec::new();
    for raw in all {
        let shaped = recognise::shape(&raw.value).is_some();
        let known = candidates.iter().any(|(other, _)| other.value == raw.value && other.place == raw.place);
        if !known && (shaped || could_be_a_token(&raw)) {
            candidates.push((raw, shaped));
        }
    }
    // Those that look like tokens are tried first; then those of the looks of what a login hands out, those whose name says so, and
    // last whatever is long enough: an opaque token may be kept under any name.
    candidates.sort_by_key(|(raw, shaped)| match () {
        () if *shaped => 0,
        () if known_looks.contains(&looks(&raw.value)) => 1,
        () if sounds_like_a_token(raw) => 2,
        () => 3,
    });
    let mut found = Vec::new();
    for (raw, shaped) in candidates.into_iter().take(TRIED) {
        let secret = Secret::new(raw.value.clone());
        let renews = sounds_like_a_refresh_token(&raw);
        let worth = match opens(scene, &secret).await? {
            true => Worth::Opens,
            false if renews => Worth::Renews,
            // What only has a name that sounds like it, and opens nothing, is no token.
            false if !shaped => continue,
            false => Worth::Refused,
        };
        scene.vault.keep(&secret);
        found.push(Readable { place: format!("{} “{}”", raw.place, raw.name), secret, worth });
    }
    found.sort_by_key(|readable| std::cmp::Reverse(readable.worth));
    Ok(found)
}

/// Whether a value alone, on another device, is the victim.
pub(super) async fn opens(scene: &Scene, secret: &Secret) -> Result<bool, Broken> {
    let app = scene.app()?;
    let mut carriers: Vec<Carrier> = Vec::new();
    for held in app.held.iter().filter(|held| held.kind == CredentialKind::Access) {
        if !carriers.contains(&held.carrier) {
            carriers.push(held.carrier.clone());
        }
    }
    for carrier in carriers {
        // A cookie's value may not hold what would end it.
        if secret.expose().contains([';', ' ', ',', '\r', '\n', '"']) || !secret.expose().is_ascii() {
            continue;
        }
        let ask = alone_value(app.who.method(), app.who.url.clone(), &carrier, secret.expose());
        let (who, _answer) = seen(scene, &scene.agent(Device::Other), ask).await?;
        if who.is_somebody() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn lower(raw: &Raw) -> String {
    raw.name.to_ascii_lowercase()
}

/// Length, and whether it is hexadecimal.
fn looks(value: &str) -> (usize, bool) {
    (value.len(), value.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Unbroken, 16 characters at least, and neither an address nor what is known to open nothing.
fn could_be_a_token(raw: &Raw) -> bool {
    let name = lower(raw);
    let csrf = name.contains("csrf") || name.contains("xsrf");
    let unbroken = raw.value.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>\\{}".contains(&b));
    let placeholder = raw.value == "countersign" || raw.value.ends_with(".countersign");
    let address = raw.value.contains("://") || raw.value.starts_with('/');
    !csrf && !placeholder && !address && unbroken && raw.value.len() >= 16
}

fn sounds_like_a_token(raw: &Raw) -> bool {
    let name = lower(raw);
    let sounds = [
        "token",
        "jwt",
        "auth",
        "session",
        "sid",
        "bearer",
        "access",
        "refresh",
        "key",
        "ticket",
        "credential",
    ];
    could_be_a_token(raw) && sounds.iter().any(|word| name.contains(word))
}

fn sounds_like_a_refresh_token(raw: &Raw) -> bool {
    // When it expires has a name that sounds like it too.
    let is_time = raw.value.len() < 40 && raw.value.contains(':');
    lower(raw).contains("refresh") && sounds_like_a_token(raw) && !is_time
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_sound_like_tokens() {
        let raw =
            |name: &str, value: &str| Raw { place: String::new(), name: name.into(), value: value.into() };
        let secret = "0123456789abcdef0123";
        assert!(sounds_like_a_token(&raw("user.authToken", secret)));
        assert!(sounds_like_a_refresh_token(&raw("refreshToken", secret)));
        for (name, value) in [
            ("theme", secret),
            ("csrf_token", secret),
            ("token", "short"),
            ("token", "two words of some length"),
            ("token", "countersign"),
        ] {
            assert!(!sounds_like_a_token(&raw(name, value)), "{name}={value}");
        }
        assert!(
            could_be_a_token(&raw("t", secret)) && !could_be_a_token(&raw("t", "https://cdn.example/x.js"))
        );
        assert!(!could_be_a_token(&raw("csrf", secret)));
        assert!(!sounds_like_a_refresh_token(&raw("refresh_expires_at", "2026-01-01T00:00:00Z")));
    }
}
