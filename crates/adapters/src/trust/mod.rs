//! Telling this machine to trust the local CA, and to stop. Nothing here runs unless it is called; each step says what
//! it did and how to undo it.

mod keychain;
mod nss;
mod run;
mod system;

use std::path::{Path, PathBuf};

use crate::tls::LocalCa;
use keychain::Keychain;
use nss::NssDatabase;
use system::SystemStore;

/// One thing that was tried.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// Which store: "the system's store (/usr/local/share/ca-certificates)".
    pub store: String,
    /// How it went.
    pub outcome: Outcome,
    /// A command that undoes it by hand, where something was done.
    pub undo: Option<String>,
}

/// How a step went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Done.
    Done,
    /// Nothing to do.
    Skipped(String),
    /// Did not work; the text says why and what to do.
    Failed(String),
}

/// The stores of this machine and this user.
#[derive(Debug)]
pub struct TrustStores {
    system: Option<SystemStore>,
    keychain: Option<Keychain>,
    nss: Vec<NssDatabase>,
}

/// What is put into stores: the certificate's file and name.
#[derive(Debug)]
struct Authority {
    path: PathBuf,
    name: String,
}

impl TrustStores {
    /// Looks for stores: the system's, the user's NSS databases (Chromium and Firefox), the keychain on macOS.
    #[must_use]
    pub fn find(home: &Path) -> Self {
        let mac = cfg!(target_os = "macos");
        Self {
            system: if mac { None } else { SystemStore::find() },
            keychain: mac.then(|| Keychain::of(home)),
            nss: NssDatabase::find(home),
        }
    }

    /// Makes all stores trust the CA. Blocks while other programs run.
    #[must_use]
    pub fn install(&self, ca: &LocalCa) -> Vec<Step> {
        let authority = Authority::of(ca);
        let system = self.system.iter().map(|store| store.install(&authority));
        let keychain = self.keychain.iter().map(|keychain| keychain.install(&authority));
        let nss = self.nss.iter().map(|database| database.install(&authority));
        or_none(system.chain(keychain).chain(nss).collect())
    }

    /// Makes all stores forget the CA.
    #[must_use]
    pub fn remove(&self, ca: &LocalCa) -> Vec<Step> {
        let authority = Authority::of(ca);
        let system = self.system.iter().map(|store| store.remove(&authority));
        let keychain = self.keychain.iter().map(|keychain| keychain.remove(&authority));
        let nss = self.nss.iter().map(|database| database.remove(&authority));
        or_none(system.chain(keychain).chain(nss).collect())
    }
}

impl Authority {
    fn of(ca: &LocalCa) -> Self {
        Self { path: ca.certificate_path(), name: ca.name() }
    }

    /// A file name that is ours and differs between CAs.
    fn file_name(&self) -> String {
        format!("{}.crt", self.name.to_lowercase().replace(' ', "-"))
    }
}

fn or_none(steps: Vec<Step>) -> Vec<Step> {
    if !steps.is_empty() {
        return steps;
    }
    let why = "no store that we know was found on this machine; import the certificate by hand";
    vec![Step { store: "trust stores".into(), outcome: Outcome::Skipped(why.into()), undo: None }]
}

#[cfg(test)]
mod tests;
