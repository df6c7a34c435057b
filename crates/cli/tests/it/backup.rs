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

    // That restore has ended it, so it stays ended; unless the backup is to be taken as it is.
    let document = place.run(&["store", "restore", "copy.db", "--keep-sessions", "--json"]).json();
    assert_eq!((&document["ended"], &document["ended_since"]["sessions"]), (&0.into(), &1.into()));
    let server = place.serve();
    ada.moved_to(&server.browser());
    assert_eq!(ada.clone().get("/auth/session").status, 401);
    assert_eq!(server.stop(), Some(0));
    let document =
        place.run(&["store", "restore", "copy.db", "--keep-sessions", "--as-it-is", "--json"]).json();
    assert_eq!(document["ended"], 0);
    let server = place.serve();
    ada.moved_to(&server.browser());
    assert_eq!(ada.get("/auth/session").status, 200);
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

/// H04, D11, G08: what was ended since the backup stays ended, and is told; or lives again, if that is what was asked.
#[test]
fn what_was_ended_since_the_backup_stays_ended() {
    let place = Place::new(PLAIN);
    let server = place.serve();
    for email in ["ada@example.com", "eve@example.com", "bob@example.com", "dan@example.com"] {
        server.browser().sign_up(email);
    }
    place.run(&["user", "scope", "dan@example.com", "--add", "admin"]).fine();
    let key = place
        .run(&[
            "api-key",
            "create",
            "ada@example.com",
            "--name",
            "ci",
            "--scope",
            "introspect",
            "--expires-in",
            "30d",
            "--json",
        ])
        .json();
    let kid =
        place.run(&["signing-key", "list", "--json"]).json()["keys"][0]["kid"].as_str().unwrap().to_owned();
    place.run(&["store", "backup", "copy.db"]).fine();
    let other = "seven green kettles sing at dawn";
    place.run(&["user", "disable", "eve@example.com"]).fine();
    place.run(&["user", "remove", "bob@example.com"]).fine();
    place.run_with(&["user", "password", "ada@example.com", "--password-stdin"], other).fine();
    place.run(&["user", "scope", "dan@example.com", "--remove", "admin"]).fine();
    place.run(&["api-key", "revoke", key["api_key"]["id"].as_str().unwrap()]).fine();
    place.run(&["signing-key", "retire", &kid]).fine();
    assert_eq!(server.stop(), Some(0));

    let out = place.run(&["store", "restore", "copy.db"]).fine();
    for words in [
        "Ended after the backup was made, and so it stays:",
        &format!("{kid} retired"),
        "eve@example.com disabled",
        "bob@example.com erased",
        "ada@example.com has another since",
        "dan@example.com lost admin",
        "\"ci\" of ada@example.com revoked",
    ] {
        assert!(out.contains(words), "{words}:\n{out}");
    }
    let told = place.run(&["events", "--json"]).fine();
    let told =
        told.lines().find(|line| line.contains("cs_store_restored")).unwrap_or_else(|| panic!("{told}"));
    assert!(
        told.contains("ended_since_stays_ended") && told.contains("signing keys 1, erased users 1"),
        "{told}"
    );
    let server = place.serve();
    let status = |email: &str, password: &str| server.browser().log_in(email, password).status;
    assert_eq!((status("ada@example.com", PASSWORD), status("ada@example.com", other)), (401, 200));
    assert_eq!((status("eve@example.com", PASSWORD), status("bob@example.com", PASSWORD)), (401, 401));
    let keys = place.run(&["signing-key", "list", "--json"]).json();
    let retired = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == *kid).unwrap();
    assert_eq!(retired["state"], "revoked");
    let keys = place.run(&["api-key", "list", "--json"]).json();
    assert!(keys["api_keys"][0]["revoked_at"].is_string(), "{keys}");
    assert_eq!(server.stop(), Some(0));

    let document = place.run(&["store", "restore", "copy.db", "--as-it-is", "--json"]).json();
    assert_eq!((&document["replaced"], &document["stays_ended"]), (&"compared".into(), &false.into()));
    assert_eq!(document["ended_since"]["disabled_users"], serde_json::json!(["eve@example.com"]));
    let server = place.serve();
    assert_eq!(server.browser().log_in("eve@example.com", PASSWORD).status, 200, "as it is");
    assert_eq!(server.stop(), Some(0));
}

/// The usual reason of a restore: nobody can say what had ended, so the operator is told what to look through.
#[test]
fn a_store_that_cannot_be_read_is_told_with_what_to_review() {
    let place = Place::new(PLAIN);
    place.run(&["migrate"]).fine();
    place.run(&["store", "backup", "copy.db"]).fine();
    let mut bytes = fs::read(place.path("countersign.db")).unwrap();
    bytes[4096..4096 * 8].fill(0x5a);
    fs::write(place.path("countersign.db"), bytes).unwrap();
    let out = place.run(&["store", "restore", "copy.db"]).fine();
    for words in [
        "could not be read",
        "lives again",
        "signing-key list",
        "user list",
        "api-key list",
        "user disable EMAIL",
    ] {
        assert!(out.contains(words), "{words}:\n{out}");
    }
    assert!(
        place.run(&["events"]).fine().contains("store restored from a backup (replaced store unreadable)")
    );
    fs::remove_file(place.path("countersign.db")).unwrap();
    let document = place.run(&["store", "restore", "copy.db", "--json"]).json();
    assert_eq!(document["replaced"], "nothing");
}
