//! The databases of Chromium and Firefox on Linux, and of Firefox elsewhere, through `certutil` of NSS.

use std::ffi::OsString;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::run::{quote, quote_path, run};
use super::{Authority, Outcome, Step};

/// Below the user's home: directories that are a database.
const DATABASES: [&str; 2] = [".pki/nssdb", "snap/chromium/current/.pki/nssdb"];
/// Below the user's home: directories whose subdirectories are Firefox profiles.
const PROFILES: [&str; 4] = [
    ".mozilla/firefox",
    "snap/firefox/common/.mozilla/firefox",
    ".var/app/org.mozilla.firefox/.mozilla/firefox",
    "Library/Application Support/Firefox/Profiles",
];

#[derive(Debug, PartialEq, Eq)]
pub(super) struct NssDatabase {
    directory: PathBuf,
    /// Chromium reads this one and makes it at its first start; we may make it before.
    may_create: bool,
}

impl NssDatabase {
    /// Every database of the user, and Chromium's even if it is not there yet (Linux).
    pub(super) fn find(home: &Path) -> Vec<Self> {
        let fixed = DATABASES.iter().enumerate().filter_map(|(index, below)| {
            let directory = home.join(below);
            let may_create = index == 0 && cfg!(target_os = "linux");
            (may_create || is_database(&directory)).then_some(Self { directory, may_create })
        });
        let profiles = PROFILES.iter().flat_map(|below| {
            let entries = std::fs::read_dir(home.join(below)).into_iter().flatten().flatten();
            let mut found: Vec<_> =
                entries.map(|entry| entry.path()).filter(|path| is_database(path)).collect();
            found.sort();
            found.into_iter().map(|directory| Self { directory, may_create: false })
        });
        fixed.chain(profiles).collect()
    }

    pub(super) fn install(&self, authority: &Authority) -> Step {
        let done = self.prepare().and_then(|()| {
            // "C,,": an authority for servers; not for mail, not for programs.
            let file = authority.path.as_os_str();
            self.certutil(&[
                "-A".as_ref(),
                "-t".as_ref(),
                "C,,".as_ref(),
                "-n".as_ref(),
                authority.name.as_ref(),
                "-i".as_ref(),
                file,
            ])
        });
        let outcome = done.map_or_else(Outcome::Failed, |_| Outcome::Done);
        let undo = (outcome == Outcome::Done).then(|| {
            format!(
                "certutil -d {} -D -n {}",
                quote(&self.address().to_string_lossy()),
                quote(&authority.name)
            )
        });
        Step { store: self.label(), outcome, undo }
    }

    pub(super) fn remove(&self, authority: &Authority) -> Step {
        let outcome =
            if !is_database(&self.directory) || self.certutil(&["-L", "-n", &authority.name]).is_err() {
                Outcome::Skipped("it is not in there".into())
            } else {
                self.certutil(&["-D", "-n", &authority.name]).map_or_else(Outcome::Failed, |_| Outcome::Done)
            };
        Step { store: self.label(), outcome, undo: None }
    }

    fn prepare(&self) -> Result<(), String> {
        if is_database(&self.directory) || !self.may_create {
            return Ok(());
        }
        let made: io::Result<()> =
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.directory);
        made.map_err(|e| format!("{}: {e}", quote_path(&self.directory)))?;
        self.certutil(&["-N", "--empty-password"]).map(drop)
    }

    fn certutil<A: AsRef<std::ffi::OsStr>>(&self, arguments: &[A]) -> Result<String, String> {
        let mut all: Vec<OsString> = vec!["-d".into(), self.address()];
        all.extend(arguments.iter().map(|argument| argument.as_ref().to_owned()));
        run("certutil", &all).map_err(|why| {
            if why.contains("No such file or directory (os error 2)") {
                "certutil is not installed; run: sudo apt-get install libnss3-tools (or nss-tools, or brew install nss)"
                    .into()
            } else {
                why
            }
        })
    }

    fn address(&self) -> OsString {
        let mut address = OsString::from("sql:");
        address.push(&self.directory);
        address
    }

    fn label(&self) -> String {
        format!("the browser database {}", self.directory.display())
    }
}

fn is_database(directory: &Path) -> bool {
    directory.join("cert9.db").is_file()
}
