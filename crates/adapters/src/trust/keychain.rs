//! The login keychain of macOS, which Safari and Chrome read.

use std::path::{Path, PathBuf};

use super::run::{quote, quote_path, run};
use super::{Authority, Outcome, Step};

#[derive(Debug)]
pub(super) struct Keychain {
    path: PathBuf,
}

impl Keychain {
    pub(super) fn of(home: &Path) -> Self {
        Self { path: home.join("Library/Keychains/login.keychain-db") }
    }

    pub(super) fn install(&self, authority: &Authority) -> Step {
        let (keychain, file) = (self.path.to_string_lossy(), authority.path.to_string_lossy());
        let done =
            run("security", &["add-trusted-cert", "-r", "trustRoot", "-p", "ssl", "-k", &keychain, &file]);
        let outcome = done.map_or_else(Outcome::Failed, |_| Outcome::Done);
        let undo = (outcome == Outcome::Done).then(|| {
            format!("security delete-certificate -c {} -t {}", quote(&authority.name), quote_path(&self.path))
        });
        Step { store: self.label(), outcome, undo }
    }

    pub(super) fn remove(&self, authority: &Authority) -> Step {
        let keychain = self.path.to_string_lossy();
        let outcome = if run("security", &["find-certificate", "-c", &authority.name, &keychain]).is_err() {
            Outcome::Skipped("it is not in there".into())
        } else {
            run("security", &["delete-certificate", "-c", &authority.name, "-t", &keychain])
                .map_or_else(Outcome::Failed, |_| Outcome::Done)
        };
        Step { store: self.label(), outcome, undo: None }
    }

    fn label(&self) -> String {
        format!("the keychain {}", self.path.display())
    }
}
