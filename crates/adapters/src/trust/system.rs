//! The system's store, which curl, OpenSSL, Python and most servers read. Takes root.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::run::{quote_path, run};
use super::{Authority, Outcome, Step};

/// Directory for authorities of the administrator's, and the command that makes the store from it.
const KNOWN: [(&str, &[&str]); 3] = [
    // Debian, Ubuntu, Alpine
    ("/usr/local/share/ca-certificates", &["update-ca-certificates"]),
    // Fedora, RHEL
    ("/etc/pki/ca-trust/source/anchors", &["update-ca-trust", "extract"]),
    // Arch
    ("/etc/ca-certificates/trust-source/anchors", &["trust", "extract-compat"]),
];

#[derive(Debug)]
pub(super) struct SystemStore {
    pub(super) directory: PathBuf,
    pub(super) update: Vec<String>,
}

impl SystemStore {
    pub(super) fn find() -> Option<Self> {
        let known = KNOWN.iter().find(|(directory, _)| Path::new(directory).is_dir())?;
        Some(Self { directory: known.0.into(), update: known.1.iter().copied().map(String::from).collect() })
    }

    pub(super) fn install(&self, authority: &Authority) -> Step {
        let target = self.target(authority);
        let by_hand = format!(
            "sudo cp {} {} && {}",
            quote_path(&authority.path),
            quote_path(&target),
            self.update_by_hand()
        );
        let copied = std::fs::copy(&authority.path, &target)
            .and_then(|_bytes| std::fs::set_permissions(&target, Permissions::from_mode(0o644)))
            .map_err(|e| e.to_string());
        self.step(authority, copied.and_then(|()| self.update()), &by_hand, true)
    }

    pub(super) fn remove(&self, authority: &Authority) -> Step {
        let target = self.target(authority);
        if !target.exists() {
            return Step {
                store: self.label(),
                outcome: Outcome::Skipped("it is not in there".into()),
                undo: None,
            };
        }
        let removed = std::fs::remove_file(&target).map_err(|e| e.to_string());
        self.step(authority, removed.and_then(|()| self.update()), &self.removal(authority), false)
    }

    fn step(&self, authority: &Authority, done: Result<(), String>, by_hand: &str, undoable: bool) -> Step {
        let outcome = match done {
            Ok(()) => Outcome::Done,
            Err(why) => Outcome::Failed(format!("{why}; run: {by_hand}")),
        };
        let undo = (undoable && outcome == Outcome::Done).then(|| self.removal(authority));
        Step { store: self.label(), outcome, undo }
    }

    fn update(&self) -> Result<(), String> {
        let Some((program, arguments)) = self.update.split_first() else { return Ok(()) };
        run(program, arguments).map(drop)
    }

    fn update_by_hand(&self) -> String {
        format!("sudo {}", self.update.join(" "))
    }

    fn removal(&self, authority: &Authority) -> String {
        format!("sudo rm {} && {}", quote_path(&self.target(authority)), self.update_by_hand())
    }

    fn target(&self, authority: &Authority) -> PathBuf {
        self.directory.join(authority.file_name())
    }

    fn label(&self) -> String {
        format!("the system's store ({})", self.directory.display())
    }
}
