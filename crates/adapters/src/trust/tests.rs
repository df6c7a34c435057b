//! In directories of the tests' own: nothing of the machine is changed. `certutil` is the real one.

use super::*;
use crate::clock::SystemClock;
use crate::entropy::SystemEntropy;
use countersign_core::port::Clock;
use tempfile::TempDir;

fn ca(place: &TempDir) -> LocalCa {
    LocalCa::open_or_create(&place.path().join("ca"), &SystemEntropy, SystemClock.now()).unwrap()
}

/// Only a system store in the test's directory, with a command that succeeds or fails.
fn system(place: &TempDir, update: &str) -> TrustStores {
    let directory = place.path().join("anchors");
    std::fs::create_dir_all(&directory).unwrap();
    let system = SystemStore { directory, update: vec![update.to_owned()] };
    TrustStores { system: Some(system), keychain: None, nss: Vec::new() }
}

#[test]
fn the_system_store_gets_a_copy_and_loses_it() {
    let place = tempfile::tempdir().unwrap();
    let ca = ca(&place);
    let stores = system(&place, "true");
    let files = || std::fs::read_dir(place.path().join("anchors")).unwrap().flatten().collect::<Vec<_>>();
    let steps = stores.install(&ca);
    assert_eq!(steps.len(), 1);
    assert_eq!(steps[0].outcome, Outcome::Done);
    let installed = files();
    assert_eq!(installed.len(), 1);
    let path = installed[0].path();
    assert_eq!(std::fs::read(&path).unwrap(), std::fs::read(ca.certificate_path()).unwrap());
    assert!(steps[0].undo.as_ref().unwrap().contains(&format!("sudo rm {}", path.display())), "{steps:?}");
    assert_eq!(stores.remove(&ca)[0].outcome, Outcome::Done);
    assert!(files().is_empty());
    assert!(matches!(stores.remove(&ca)[0].outcome, Outcome::Skipped(_)));
}

#[test]
fn failures_say_what_to_run() {
    let place = tempfile::tempdir().unwrap();
    let ca = ca(&place);
    let steps = system(&place, "false").install(&ca);
    let Outcome::Failed(why) = &steps[0].outcome else { panic!("{steps:?}") };
    assert!(why.contains("run: sudo cp ") && why.contains("&& sudo false"), "{why}");
    assert_eq!(steps[0].undo, None);
}

/// A home with Chromium's database yet to be made and one Firefox profile.
#[test]
fn browser_databases_are_found_filled_and_emptied() {
    let place = tempfile::tempdir().unwrap();
    let ca = ca(&place);
    let home = place.path().join("home");
    let profile = home.join(".mozilla/firefox/abc.default");
    std::fs::create_dir_all(&profile).unwrap();
    std::fs::create_dir_all(home.join(".mozilla/firefox/no-profile")).unwrap();
    let address = |directory: &Path| format!("sql:{}", directory.display());
    run::run("certutil", &["-N", "--empty-password", "-d", &address(&profile)]).unwrap();
    let stores = TrustStores { system: None, keychain: None, nss: NssDatabase::find(&home) };
    let databases = [home.join(".pki/nssdb"), profile];
    assert_eq!(stores.nss.len(), databases.len());
    let listed = |directory: &Path| run::run("certutil", &["-L", "-d", &address(directory)]).unwrap();
    // Twice: a second time changes nothing.
    for _ in 0..2 {
        for step in stores.install(&ca) {
            assert_eq!(step.outcome, Outcome::Done, "{step:?}");
            assert!(step.undo.unwrap().contains("certutil -d sql:"));
        }
    }
    for database in &databases {
        let list = listed(database);
        let line = list.lines().find(|line| line.contains(&ca.name())).unwrap();
        assert!(line.trim_end().ends_with("C,,"), "{line}");
    }
    for step in stores.remove(&ca) {
        assert_eq!(step.outcome, Outcome::Done, "{step:?}");
    }
    for database in &databases {
        assert!(!listed(database).contains("Countersign"));
    }
    assert!(stores.remove(&ca).iter().all(|step| matches!(step.outcome, Outcome::Skipped(_))));
}

#[test]
fn a_machine_without_stores_is_told_so() {
    let place = tempfile::tempdir().unwrap();
    let stores = TrustStores { system: None, keychain: None, nss: Vec::new() };
    let steps = stores.install(&ca(&place));
    assert!(matches!(&steps[..], [Step { outcome: Outcome::Skipped(_), .. }]));
}

#[test]
fn shown_commands_can_be_copied() {
    assert_eq!(run::quote("/a/b-c.pem"), "/a/b-c.pem");
    assert_eq!(run::quote("/a b/it's"), r"'/a b/it'\''s'");
}
