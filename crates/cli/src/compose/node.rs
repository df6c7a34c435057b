//! Opening a store under its exclusive lock, and starting an engine on it.

use super::keyring::{MasterKey, keyring};
use super::outside::Wired;
use super::policy::policy;
use crate::config::{SQLITE_ONLY, SQLITE_ONLY_REMEDY, Settings, StoreLocation};
use anyhow::{Context, bail};
use countersign_core::service::Engine;
use countersign_store::{AnyStore, Migrated, OpenError, OpenMode, SqliteStore};
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// Where the store of `dev` is, beside its keys and its CA.
const DEV_DIRECTORY: &str = ".countersign";

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
    if presence == Presence::Create {
        if !settings.environment.is_hardened() {
            directory_of_dev(path)?;
        }
        if !directory_of(path).is_dir() {
            // Before the master secret is made beside it.
            return Err(OpenError::NoDirectory { path: path.to_owned() }.into());
        }
    }
    let (keyring, master_keys, master_key) = keyring(settings, path, presence)?;
    let mode = if presence == Presence::Create { OpenMode::Create } else { OpenMode::Existing };
    let store = SqliteStore::open(path, mode)?;
    let migrated = store.migrated().cloned();
    let outside = Wired::new(settings, AnyStore::Sqlite(store), master_keys)?;
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
        StoreLocation::Postgres => bail!("store = \"postgres:…\": {SQLITE_ONLY}: {SQLITE_ONLY_REMEDY}"),
    }
}

fn directory_of(store: &Path) -> &Path {
    store.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

/// Makes `.countersign`, where `dev` keeps everything unless told otherwise, with a `.gitignore`: keys and people's
/// data have no place in a repository. Any other directory that is missing is a mistyped path.
///
/// # Errors
/// If the system refuses.
pub(crate) fn directory_of_dev(store: &Path) -> anyhow::Result<()> {
    let directory = directory_of(store);
    if directory != Path::new(DEV_DIRECTORY) {
        return Ok(());
    }
    let made = || -> std::io::Result<()> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        match std::fs::OpenOptions::new().write(true).create_new(true).open(directory.join(".gitignore")) {
            Ok(mut file) => file.write_all(b"*\n"),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
        }
    };
    made().with_context(|| format!("the directory {} cannot be created", directory.display()))
}
