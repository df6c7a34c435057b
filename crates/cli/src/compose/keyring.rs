//! The master secret: from `COUNTERSIGN_MASTER_KEY`, else from the file.

use super::Presence;
use super::policy::environment;
use crate::config::Settings;
use anyhow::{Context, bail};
use countersign_adapters::files::master_key::{self, VARIABLE};
use countersign_adapters::{MasterKeySource, SystemEntropy};
use countersign_core::domain::key::Keyring;
use countersign_core::domain::secret::SecretString;
use countersign_core::port::MasterKeys;
use std::path::{Path, PathBuf};

/// Where the master secret came from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum MasterKey {
    /// It was there.
    Found,
    /// It was made now: time to say "back this up".
    Created(PathBuf),
}

/// The keyring of these settings, and where its secrets are kept. With [`Presence::Create`], a missing file is made, unless
/// there is a store already: that one was sealed under another secret.
pub(crate) fn keyring(
    settings: &Settings,
    store: &Path,
    presence: Presence,
) -> anyhow::Result<(Keyring, MasterKeySource, MasterKey)> {
    let (source, origin) = source(settings, store, presence)?;
    let keyring = Keyring::new(environment(settings)?, source.load()?)?;
    Ok((keyring, source, origin))
}

fn source(
    settings: &Settings,
    store: &Path,
    presence: Presence,
) -> anyhow::Result<(MasterKeySource, MasterKey)> {
    if let Some(value) = std::env::var_os(VARIABLE) {
        let value = value.into_string().ok().with_context(|| format!("{VARIABLE} is not text"))?;
        let text = SecretString::new(value);
        return Ok((MasterKeySource::Text { origin: VARIABLE, text }, MasterKey::Found));
    }
    let Some(path) = &settings.keys.master_key_file else {
        bail!("there is no master secret: set keys.master_key_file or {VARIABLE}");
    };
    let origin = if path.exists() {
        MasterKey::Found
    } else if store.exists() {
        bail!(
            "the master secret {} is missing, and the store {} cannot be opened with another: put the file back from its backup, or set {VARIABLE}",
            path.display(),
            store.display()
        );
    } else if presence == Presence::Create {
        let (_, created) = master_key::load_or_create(path, &SystemEntropy)?;
        if created { MasterKey::Created(path.clone()) } else { MasterKey::Found }
    } else {
        // Made here, a store in the wrong directory would go unnoticed. The whole path tells which directory it is.
        let place = std::path::absolute(store).unwrap_or_else(|_| store.to_owned());
        bail!(
            "there is no store at {} yet: `countersign migrate` makes it, and so does the first start of the server",
            place.display()
        );
    };
    Ok((MasterKeySource::file(path.clone()), origin))
}
