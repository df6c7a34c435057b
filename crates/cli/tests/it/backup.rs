//! `store backup` and `store restore`.

use crate::place::{PASSWORD, PLAIN, Place};
use std::fs;
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_backup_taken_while_serving_can_be_restored_and_ends_sessions() {
    let place = Place::new(PLAIN);
    let server = place.serve();
    let mut ada = server.browser();
    ada.sign_up("ada@example.com");
    place.run(&["store", "backup", "copy.db"]).fine();
    assert_eq!(fs::metadata(place.path("copy.db")).unwrap().permissions().mode() & 0o777, 0o600);
    place.run(&["store", "backup", "copy.db"]).refused(&["copy.db exists"]);
    server.browser().sign_up("late@example.com");
    place.run(&["store", "restore", "copy.db"]).refused(&["in use by process"]);
    assert_eq!(server.stop(), Some(0));

    let document = place.run(&["store", "restore", "copy.db", "--json"]).json();
    assert_eq!(document["ended"], 1);
    assert!(document["aside"].as_str().unwrap().contains("before-restore"));
    let server = place.serve();
    let address = server.browser();
    let mut again = ada.clone();
    again.moved_to(&address);
    assert_eq!(again.get("/auth/session").status, 401, "sessions of the backup have ended");
    assert_eq!(server.browser().log_in("ada@example.com", PASSWORD).status, 200, "accounts are back");
    assert_eq!(server.browser().log_in("late@example.com", PASSWORD).status, 401, "as of the backup");
    assert_eq!(server.stop(), Some(0));

    let document = place.run(&["store", "restore", "copy.db", "--keep-sessions", "--json"]).json();
    assert_eq!(document["ended"], 0);
    let server = place.serve();
    ada.moved_to(&server.browser());
    assert_eq!(ada.get("/auth/session").status, 200, "unless it is said that they stay");
    place.run(&["store", "restore", "countersign.db"]).refused(&["the store itself"]);
}

#[test]
fn a_backup_without_a_server_needs_no_master_secret() {
    let place = Place::new(PLAIN);
    place.run(&["migrate"]).fine();
    fs::remove_file(place.path("master.key")).unwrap();
    place.run(&["store", "backup", "copy.db"]).fine();
    fs::write(place.path("junk.db"), "not a database at all, but long enough to be looked at as one")
        .unwrap();
    place.run(&["store", "restore", "junk.db"]).refused(&["junk.db is not a Countersign backup"]);
    place.run(&["store", "restore", "nosuch.db"]).refused(&["nosuch.db: no such file"]);
    let mut empty = vec![0; 4096];
    empty[..16].copy_from_slice(b"SQLite format 3\0");
    fs::write(place.path("torn.db"), empty).unwrap();
    place.run(&["store", "restore", "torn.db"]).refused(&["torn.db"]);
    place.run(&["user", "list"]).refused(&["master.key is missing"]);
}
