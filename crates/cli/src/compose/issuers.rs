//! The keys of other issuers.

use crate::config::{Finding, Issuer};
use anyhow::Context;
use countersign_adapters::IssuerKeySources;
use countersign_core::port::IssuerKeys;

/// Where the keys of each issuer are; nothing is read yet.
///
/// # Errors
/// If there are addresses with `https`, and the system trusts no certificate authority.
pub(crate) fn issuers(entries: &[Issuer]) -> anyhow::Result<IssuerKeySources> {
    IssuerKeySources::new(entries.iter().map(|entry| (entry.issuer.as_str(), entry.keys.clone())))
        .context("issuer.jwks_url")
}

/// Reads the keys of each issuer once, for `check`: what cannot be read, or must not be used.
///
/// # Errors
/// As [`issuers`].
pub(crate) fn probe_issuers(entries: &[Issuer]) -> anyhow::Result<Vec<Finding>> {
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let sources = issuers(entries)?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(sources.read_all());
    let troubles = sources.troubles();
    let of = |entry: &Issuer| troubles.iter().find(|trouble| *trouble.issuer == *entry.issuer);
    Ok(entries
        .iter()
        .filter_map(|entry| {
            let (key, value) = entry.place();
            of(entry).map(|trouble| Finding::keys_of_issuer(key, &value, &trouble.what))
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Level, Sources, read};

    const KEY: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"one"}]}"#;

    fn entries(keys: &str) -> Vec<Issuer> {
        let text = format!(
            "environment = \"development\"\n[[issuer]]\nissuer = \"https://login.example.com\"\n{keys}"
        );
        read(&Sources::from_text("test.toml", &text).unwrap()).unwrap().inspect().issuers.clone()
    }

    /// A04, A18: what `serve` would refuse, `check` does not call safe; and it names the file.
    #[test]
    fn a04_files_are_looked_at() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("jwks.json");
        let entries = entries(&format!("jwks_file = {:?}", path.display().to_string()));
        let found = |jwks: &str| {
            std::fs::write(&path, jwks).unwrap();
            probe_issuers(&entries).unwrap()
        };
        assert!(found(KEY).is_empty());
        for bad in ["", "{}", &KEY.replace("\"x\"", "\"d\":\"AAAA\",\"x\"")] {
            let found = found(bad);
            assert!(found.len() == 1 && found[0].level == Level::Unsafe && found[0].everywhere, "{found:?}");
            assert!(found[0].key == "issuer.jwks_file" && found[0].value.contains("jwks.json"), "{found:?}");
        }
    }

    /// An issuer that is away stops nothing: it may wait for us to start.
    #[test]
    fn an_issuer_that_is_away() {
        // Bound and dropped: nobody listens there.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let found = probe_issuers(&entries(&format!("jwks_url = \"http://127.0.0.1:{port}/jwks\""))).unwrap();
        assert!(found.len() == 1 && found[0].level == Level::Warning, "{found:?}");
        assert!(found[0].message.contains("cannot connect"), "{found:?}");
    }
}
