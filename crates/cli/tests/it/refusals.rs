//! What stops a start: one clear message that names key, value and remedy.

use crate::place::{PLAIN, Place};
use std::fs;
use std::os::unix::fs::PermissionsExt;

#[test]
fn an_unknown_key() {
    let place = Place::new(&format!("{PLAIN}[tokens]\nacess_ttl = \"10m\""));
    place.run(&["serve"]).refused(&["tokens.acess_ttl", "access_ttl"]);
}

#[test]
fn an_unsafe_value_in_a_hardened_environment() {
    let place = Place::new(
        "public_url = \"https://app.example.com\"\n[listen]\ntrusted_proxies = [\"10.0.0.1\"]\n\
         [tls]\nmode = \"off\"\n[tokens]\naccess_ttl = \"2h\"",
    );
    place.run(&["serve"]).refused(&["tokens.access_ttl", "2h", "remedy:"]);
    // F04: the floor holds in every environment.
    let place = Place::new(&format!("{PLAIN}[passwords]\niterations = 1"));
    place.run(&["serve"]).refused(&["passwords.iterations = 1", "remedy:"]);
}

#[test]
fn an_unreadable_key_file() {
    let text = "public_url = \"https://app.example.com\"\n[listen]\naddress = \"127.0.0.1:0\"\nadmin = \"127.0.0.1:0\"\n\
                [tls]\ncert_file = \"cert.pem\"\nkey_file = \"key.pem\"";
    let place = Place::new(text);
    fs::write(place.path("cert.pem"), "").unwrap();
    fs::create_dir(place.path("key.pem")).unwrap();
    place.run(&["serve"]).refused(&["tls.key_file = \"key.pem\"", "cannot be read", "remedy:"]);
    assert!(!place.path("countersign.db").exists(), "nothing was made before");
}

/// A master secret that others can read is no secret.
#[test]
fn a_master_key_that_everybody_can_read() {
    let place = Place::new(PLAIN);
    place.run(&["migrate"]).fine();
    fs::set_permissions(place.path("master.key"), fs::Permissions::from_mode(0o644)).unwrap();
    place.run(&["serve"]).refused(&["master.key", "600"]);
}

#[test]
fn a_database_of_a_newer_version() {
    let place = Place::new(PLAIN);
    place.run(&["migrate"]).fine();
    // The header's user_version (SQLite file format §1.3.16), as a later program would have set it.
    let path = place.path("countersign.db");
    let mut bytes = fs::read(&path).unwrap();
    bytes[60..64].copy_from_slice(&99u32.to_be_bytes());
    fs::write(&path, bytes).unwrap();
    place.run(&["serve"]).refused(&["version 99", "newer program"]);
}

#[test]
fn a_lock_held_by_another_server() {
    let place = Place::new(PLAIN);
    let server = place.serve();
    let pid = server.ready()["pid"].to_string();
    place.run(&["serve"]).refused(&["in use by process", &pid, "stop that process"]);
    place.run(&["migrate"]).refused(&["in use by process"]);
    // The one that runs is unharmed, its socket included.
    place.run(&["user", "list"]).fine();
}

#[test]
fn another_master_secret_than_the_stores() {
    let place = Place::new(PLAIN);
    place.run(&["migrate"]).fine();
    let other = Place::new(PLAIN);
    other.run(&["migrate"]).fine();
    fs::copy(other.path("master.key"), place.path("master.key")).unwrap();
    place.run(&["serve"]).refused(&["master.key the one that belongs to this store"]);
    fs::remove_file(place.path("master.key")).unwrap();
    place.run(&["serve"]).refused(&["master.key is missing", "COUNTERSIGN_MASTER_KEY"]);
    assert!(!place.path("master.key").exists(), "and no other was made in its place");
}

#[test]
fn a_directory_that_is_not_there_outside_development() {
    let place = Place::new(
        "public_url = \"https://app.example.com\"\nstore = \"sqlite:data/x.db\"\n[listen]\naddress = \"127.0.0.1:0\"\n\
         admin = \"127.0.0.1:0\"\ntrusted_proxies = [\"127.0.0.1\"]\n[tls]\nmode = \"off\"",
    );
    place.run(&["serve"]).refused(&["data"]);
}

#[test]
fn a_kind_of_store_that_does_not_exist_yet() {
    let place = Place::new(&PLAIN.replace("sqlite:countersign.db", "postgres://u:hunter2@localhost/c"));
    let ran = place.run(&["serve"]);
    assert!(!ran.err.contains("hunter2"), "I01: {}", ran.err);
    ran.refused(&["store", "SQLite only"]);
}

/// A directory that is missing is a mistyped path, in development too.
#[test]
fn no_directory_is_made_for_a_store() {
    let place = Place::new(&PLAIN.replace("sqlite:countersign.db", "sqlite:nosuch/deeper/x.db"));
    for command in ["serve", "migrate"] {
        place.run(&[command]).refused(&["the directory of the store nosuch/deeper/x.db does not exist"]);
    }
    assert!(!place.path("nosuch").exists());
}

/// Most often somebody is in another directory than they think.
#[test]
fn nothing_is_configured_here() {
    let place = Place::empty();
    for args in [
        &["serve"][..],
        &["check"],
        &["migrate"],
        &["user", "list"],
        &["events"],
        &["store", "backup", "x.db"],
        &["revoke", "--all"],
    ] {
        let here = place.path("").canonicalize().unwrap().display().to_string();
        place.run(args).refused(&[
            "there is no countersign.toml in",
            &here,
            ".countersign of `dev`",
            "--config PATH",
        ]);
    }
    assert_eq!(fs::read_dir(place.path("")).unwrap().count(), 0, "and nothing was made");
    // Variables are a configuration too.
    let mut command = place.command(&["check"]);
    let ran = command.env("COUNTERSIGN_ENVIRONMENT", "development").output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}
