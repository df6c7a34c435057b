//! The master secret: from `COUNTERSIGN_MASTER_KEY`, else from the file.

use super::Presence;
use super::policy::environment;
use crate::config::Settings;
use anyhow::{Context, bail};
use countersign_adapters::SystemEntropy;
use countersign_adapters::files::master_key;
use countersign_core::domain::key::Keyring;
use std::path::{Path, PathBuf};

const VARIABLE: &str = "COUNTERSIGN_MASTER_KEY";

/// Where the master secret came from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum MasterKey {
    /// It was there.
    Found,
    /// It was made now: time to say "back this up".
    Created(PathBuf),
}

/// The keyring of these settings. With [`Presence::Create`], a missing file is made, unless there is a store
/// already: that one was sealed under another secret.
pub(crate) fn keyring(
    settings: &Settings,
    store: &Path,
    presence: Presence,
) -> anyhow::Result<(Keyring, MasterKey)> {
    let (secrets, origin) = if let Some(value) = std::env::var_os(VARIABLE) {
        let value = value.into_string().ok().with_context(|| format!("{VARIABLE} is not text"))?;
        (master_key::parse(&value, VARIABLE)?, MasterKey::Found)
    } else {
        let Some(path) = &settings.keys.master_key_file else {
            bail!("there is no master secret: set keys.master_key_file or {VARIABLE}");
        };
        if path.exists() {
            (master_key::load(path)?, MasterKey::Found)
        } else if store.exists() {
            bail!(
                "the master secret {} is missing, and the store {} cannot be opened with another: put the file back from its backup, or set {VARIABLE}",
                path.display(),
                store.display()
            );
        } else if presence == Presence::Create {
            let (secrets, created) = master_key::load_or_create(path, &SystemEntropy)?;
            let origin = if created { MasterKey::Created(path.clone()) } else { MasterKey::Found };
            (secrets, origin)
        } else {
            // Made here, a store in the wrong directory would go unnoticed. The whole path tells which directory it is.
            let place = std::path::absolute(store).unwrap_or_else(|_| store.to_owned());
            bail!(
                "there is no store at {} yet: `countersign migrate` makes it, and so does the first start of the server",
                place.display()
            );
        }
    };
    Ok((Keyring::new(environment(settings)?, secrets)?, origin))
}
