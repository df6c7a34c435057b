//! The proxy that may ask.

use crate::config::{ForwardingProxy, Settings, shared_secret};
use anyhow::Context;
use countersign_core::domain::secret::SecretString;
use countersign_http as http_front;

/// The proxy that may ask, with the secret that it shows.
///
/// # Errors
/// If the file cannot be read, or holds no secret.
pub(super) fn forward_auth(settings: &Settings) -> anyhow::Result<Option<http_front::ForwardAuth>> {
    let Some(forward_auth) = &settings.forward_auth else { return Ok(None) };
    let path = &forward_auth.secret_file;
    let secret = shared_secret(path)
        .with_context(|| format!("forward_auth.secret_file = {:?}", path.display().to_string()))?;
    let proxy = match forward_auth.proxy {
        ForwardingProxy::Nginx => http_front::ForwardingProxy::Nginx,
        ForwardingProxy::Caddy => http_front::ForwardingProxy::Caddy,
        ForwardingProxy::Haproxy => http_front::ForwardingProxy::Haproxy,
        ForwardingProxy::Traefik => http_front::ForwardingProxy::Traefik,
        ForwardingProxy::Envoy => http_front::ForwardingProxy::Envoy,
    };
    Ok(Some(http_front::ForwardAuth::new(proxy, SecretString::new(secret.expose().to_owned()))))
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

    /// I01, I03: what is configured can be printed, and the secret cannot.
    #[test]
    fn i03_the_secret_is_not_shown() {
        let shown = format!("{:?}", composed(&"kAnArIe0".repeat(8)).unwrap().unwrap());
        assert!(shown.contains("Caddy") && !shown.contains("kAnArIe"), "{shown}");
        let refused = format!("{:#}", composed("kAnArIe0").unwrap_err());
        assert!(refused.contains("forward_auth.secret_file") && !refused.contains("kAnArIe"), "{refused}");
    }
}
