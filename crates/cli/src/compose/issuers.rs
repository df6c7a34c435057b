//! The keys of other issuers, from files.

use crate::config::Issuer;
use anyhow::Context;
use countersign_core::domain::token::jwks::{self, MAX_JWKS};
use countersign_core::domain::token::trust::Issuers;
use std::io::Read;

/// Reads the JWK set of each issuer.
///
/// # Errors
/// If one cannot be read, or must not be used (A18): names the file.
pub(crate) fn issuers(entries: &[Issuer]) -> anyhow::Result<Issuers> {
    let mut issuers = Issuers::default();
    for entry in entries {
        let path = &entry.jwks_file;
        let named = || format!("issuer.jwks_file = {:?}", path.display().to_string());
        let mut text = Vec::new();
        let most = u64::try_from(MAX_JWKS).unwrap_or(u64::MAX).saturating_add(1);
        std::fs::File::open(path)
            .with_context(named)?
            .take(most)
            .read_to_end(&mut text)
            .with_context(named)?;
        let keys = jwks::parse(&text).with_context(named)?;
        issuers.trust(&entry.issuer, keys);
    }
    Ok(issuers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Sources, read};

    const KEY: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"one"}]}"#;

    fn composed(jwks: &str) -> anyhow::Result<Issuers> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("jwks.json");
        std::fs::write(&path, jwks).unwrap();
        let text = format!(
            "environment = \"development\"\n[[issuer]]\nissuer = \"https://login.example.com\"\njwks_file = {:?}",
            path.display().to_string()
        );
        issuers(&read(&Sources::from_text("test.toml", &text).unwrap()).unwrap().inspect().issuers)
    }

    /// A04, A18: by file; what must not be used stops the start, and the message names the file.
    #[test]
    fn a04_keys_come_from_files() {
        assert!(!composed(KEY).unwrap().is_empty());
        for bad in ["", "{}", &KEY.replace("\"x\"", "\"d\":\"AAAA\",\"x\""), &" ".repeat(MAX_JWKS + 1)] {
            let error = format!("{:#}", composed(bad).unwrap_err());
            assert!(error.contains("issuer.jwks_file") && error.contains("jwks.json"), "{error}");
        }
    }
}
