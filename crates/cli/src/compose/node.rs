//! Opening a store under its exclusive lock, and starting an engine on it.

use super::keyring::{MasterKey, keyring};
use super::outside::Wired;
use super::policy::policy;
use crate::config::{Settings, StoreLocation};
use anyhow::{Context, bail};
use countersign_core::service::Engine;
use countersign_store::{AnyStore, Migrated, OpenMode, SqliteStore};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// Whether a store and a master secret are made where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// Made.
    Create,
    /// They have to be there.
    Required,
}

/// An engine on its store.
#[derive(Debug)]
pub(crate) struct Opened {
    /// Ready to work.
    pub(crate) engine: Engine<Wired>,
    /// Whether the master secret was made now.
    pub(crate) master_key: MasterKey,
    /// What opening the store changed in it.
    pub(crate) migrated: Option<Migrated>,
}

/// Opens the store that the settings name and starts an engine on it.
///
/// # Errors
/// One clear message; [`countersign_store::OpenError`] is in the chain where the store is at fault.
pub(crate) async fn open(settings: &Settings, presence: Presence) -> anyhow::Result<Opened> {
    let path = sqlite_path(settings)?;
    if presence == Presence::Create && !settings.environment.is_hardened() {
        // Elsewhere a directory that is missing is a mistyped path.
        private_directory(path)?;
    }
    let (keyring, master_key) = keyring(settings, path, presence)?;
    let mode = if presence == Presence::Create { OpenMode::Create } else { OpenMode::Existing };
    let store = SqliteStore::open(path, mode)?;
    let migrated = store.migrated().cloned();
    let outside = Wired::new(settings, AnyStore::Sqlite(store))?;
    let engine = Engine::start(outside, keyring, policy(settings)?).await?;
    Ok(Opened { engine, master_key, migrated })
}

/// The file of a SQLite store.
///
/// # Errors
/// For stores of other kinds.
pub(crate) fn sqlite_path(settings: &Settings) -> anyhow::Result<&Path> {
    match &settings.store {
        StoreLocation::Sqlite(path) => Ok(path),
        StoreLocation::Postgres { .. } => bail!(
            "store = \"postgres:…\": this version keeps its state in SQLite only: set store = \"sqlite:countersign.db\""
        ),
    }
}

fn private_directory(store: &Path) -> anyhow::Result<()> {
    let Some(directory) = store.parent().filter(|directory| !directory.as_os_str().is_empty()) else {
        return Ok(());
    };
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .with_context(|| format!("the directory {} cannot be created", directory.display()))
}
