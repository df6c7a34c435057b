//! The secret that a proxy and we share.

use crate::config::{ForwardingProxy, Settings};
use anyhow::{Context, bail};
use countersign_core::domain::secret::SecretString;
use countersign_http as http_front;
use std::io::Read;
use std::ops::RangeInclusive;

/// Hexadecimal, 32 characters are 128 bits. Longer than 256 is some other file.
const LENGTH: RangeInclusive<usize> = 32..=256;
/// As much of a file as is read: enough to see that it is too long.
const MOST: u64 = 512;

/// The proxy that may ask, with its secret.
///
/// # Errors
/// If the file cannot be read, or holds no secret.
pub(super) fn forward_auth(settings: &Settings) -> anyhow::Result<Option<http_front::ForwardAuth>> {
    let Some(forward_auth) = &settings.forward_auth else { return Ok(None) };
    let path = &forward_auth.secret_file;
    let named = || format!("forward_auth.secret_file = {:?}", path.display().to_string());
    // Room for all of it: growing would leave copies behind that are not wiped.
    let mut text = String::with_capacity(600);
    let file = std::fs::File::open(path).with_context(named)?;
    file.take(MOST).read_to_string(&mut text).with_context(named)?;
    // One line; what editors and `openssl` put at its end is not part of it.
    let end = text.trim_end_matches(['\r', '\n']).len();
    text.truncate(end);
    let fits = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    let long_enough = LENGTH.contains(&text.len());
    let secret = SecretString::new(text);
    if !fits || !long_enough {
        bail!(
            "{}: a secret is one line of {} to {} letters, digits, `-` and `_`, such as `openssl rand -hex 32` prints",
            named(),
            LENGTH.start(),
            LENGTH.end()
        );
    }
    let proxy = match forward_auth.proxy {
        ForwardingProxy::Nginx => http_front::ForwardingProxy::Nginx,
        ForwardingProxy::Caddy => http_front::ForwardingProxy::Caddy,
        ForwardingProxy::Haproxy => http_front::ForwardingProxy::Haproxy,
        ForwardingProxy::Traefik => http_front::ForwardingProxy::Traefik,
        ForwardingProxy::Envoy => http_front::ForwardingProxy::Envoy,
    };
    Ok(Some(http_front::ForwardAuth::new(proxy, secret)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Sources, read};

    fn composed(secret: &str) -> anyhow::Result<Option<http_front::ForwardAuth>> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        std::fs::write(&path, secret).unwrap();
        let text = format!(
            "public_url = \"https://app.example.com\"\n[tls]\nmode = \"off\"\n[listen]\ntrusted_proxies = [\"127.0.0.1\"]\n\
             [forward_auth]\nproxy = \"caddy\"\nsecret_file = {:?}",
            path.display().to_string()
        );
        forward_auth(read(&Sources::from_text("test.toml", &text).unwrap()).unwrap().inspect())
    }

    #[test]
    fn one_line_of_enough_characters() {
        let good = "0123456789abcdef0123456789ABC-_f";
        for text in [good.to_owned(), format!("{good}\n"), format!("{good}\r\n"), "x".repeat(256)] {
            assert!(composed(&text).unwrap().is_some(), "{text:?}");
        }
        for text in [
            String::new(),
            "\n".repeat(40),
            "x".repeat(31),
            "x".repeat(257),
            "x".repeat(5000),
            format!("{good} x"),
            format!("{good}\n{good}"),
            format!("{good}\""),
            format!("{good}ü"),
        ] {
            let error = format!("{:#}", composed(&text).unwrap_err());
            assert!(error.contains("forward_auth.secret_file") && !error.contains(good), "{error}");
        }
    }

    /// I01, I03: what is configured can be printed, and the secret cannot.
    #[test]
    fn i03_the_secret_is_not_shown() {
        let composed = composed(&"kAnArIe0".repeat(8)).unwrap().unwrap();
        let shown = format!("{composed:?}");
        assert!(shown.contains("Caddy") && !shown.contains("kAnArIe"), "{shown}");
    }
}
