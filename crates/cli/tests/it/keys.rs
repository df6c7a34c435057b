//! `signing-key` and `master-key`, beside a running server and without one.

use crate::place::{ORIGIN, PASSWORD, PLAIN, Place, Server};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

/// 32 bytes from a generator.
const RANDOM: &str = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8";

fn states(document: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let keys = document["keys"].as_array().unwrap();
    keys.iter().map(|key| (text(&key["state"]), text(&key["kid"]))).collect()
}

fn kid_in(document: &Value, state: &str) -> String {
    let states = states(document);
    let found = states.iter().find(|(of, _)| of == state);
    found.unwrap_or_else(|| panic!("none is {state}: {states:?}")).1.clone()
}

/// Of each master secret: id, whether it is current, sessions, sealed values.
fn masters(document: &Value) -> Vec<(u64, bool, u64, u64)> {
    let keys = document["keys"].as_array().unwrap();
    let number = |value: &Value| value.as_u64().unwrap();
    keys.iter()
        .map(|key| {
            (number(&key["id"]), key["current"] == true, number(&key["sessions"]), number(&key["sealed"]))
        })
        .collect()
}

/// H08: published, refused while verifiers may not know it, forced; the running server follows at once.
#[test]
fn h08_rotate_waits_unless_forced() {
    let place = Place::new(PLAIN);
    let server = place.serve();
    let mut ada = server.browser();
    ada.sign_up("ada@example.com");
    let first = kid_in(&place.run(&["signing-key", "list", "--json"]).json(), "active");
    let out = place.run(&["signing-key", "rotate"]).fine();
    assert!(out.contains("is published. It signs from"), "{out}");
    let listed = place.run(&["signing-key", "list", "--json"]).json();
    let next = kid_in(&listed, "next");
    place.run(&["signing-key", "rotate"]).refused(&[
        "nothing was changed: a rotation is under way already",
        &next,
        "may not know it before then",
        "--force",
    ]);
    assert_eq!(kid_in(&place.run(&["signing-key", "list", "--json"]).json(), "active"), first);

    let forced = place.run(&["signing-key", "rotate", "--force", "--json"]).json();
    assert_eq!(kid_in(&forced, "active"), next);
    assert_eq!(kid_in(&forced, "retired"), first);
    let retired = forced["keys"].as_array().unwrap().iter().find(|key| key["kid"] == *first).unwrap();
    for time in ["created_at", "active_at", "retired_at", "served_until"] {
        assert!(retired[time].as_str().unwrap().ends_with('Z'), "{time}: {retired}");
    }
    let out = place.run(&["signing-key", "list"]).fine();
    assert!(out.contains("SIGNS FROM") && out.contains("served until"), "{out}");
    assert_eq!(ada.get("/auth/session").status, 200, "what the old one signed is good");
    assert_eq!(ada.get("/.well-known/jwks.json").json()["keys"].as_array().unwrap().len(), 2);
}

/// A key that leaked: refused at once, the next one signs, and the session goes on by its refresh token.
#[test]
fn retiring_the_active_key_logs_nobody_out() {
    let place = Place::new(PLAIN);
    let server = place.serve();
    let mut ada = server.browser();
    ada.sign_up("ada@example.com");
    let before = ada.session();
    let first = kid_in(&place.run(&["signing-key", "rotate", "--json"]).json(), "active");
    let out = place.run(&["signing-key", "retire", &first]).fine();
    assert!(out.contains("Sessions live on") && out.contains("revoked"), "{out}");
    assert_eq!(ada.get("/auth/session").status, 401);
    assert_eq!(ada.get("/.well-known/jwks.json").json()["keys"].as_array().unwrap().len(), 1);
    let answer = ada.post("/auth/refresh", &json!({}));
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(ada.session(), before, "the same session");
    // With the server gone the command does the same under the store's lock, and the next start signs with what it made.
    assert_eq!(server.stop(), Some(0));
    let second = kid_in(&place.run(&["signing-key", "list", "--json"]).json(), "active");
    let after = place.run(&["signing-key", "retire", &second, "--json"]).json();
    assert_ne!(kid_in(&after, "active"), second);
    let server = place.serve();
    ada.moved_to(&server.browser());
    assert_eq!(ada.post("/auth/refresh", &json!({})).status, 200);
    assert_eq!(ada.session(), before);
}

/// The whole way: rotate beside the server, sign in with the new secret, remove the old one when it is needed no more.
#[test]
fn a_master_secret_is_rotated_beside_a_running_server() {
    let place = Place::new(PLAIN);
    let server = place.serve();
    let mut ada = server.browser();
    ada.sign_up("ada@example.com");
    assert_eq!(masters(&place.run(&["master-key", "list", "--json"]).json()), [(0, true, 1, 2)]);
    let before = fs::read_to_string(place.path("master.key")).unwrap();

    let out = place.run(&["master-key", "rotate"]).fine();
    for words in [
        "master secret 1",
        "2 values were sealed",
        "Back this up",
        "Backups of the store",
        "master-key remove 0",
    ] {
        assert!(out.contains(words), "{words}:\n{out}");
    }
    let after = fs::read_to_string(place.path("master.key")).unwrap();
    let old = before.lines().find(|line| line.starts_with("0:")).unwrap();
    assert!(after.contains(old) && after.lines().any(|line| line.starts_with("1:")), "both are there");
    assert!(!out.contains(old.get(2..10).unwrap()), "and neither is shown");
    assert_eq!(fs::metadata(place.path("master.key")).unwrap().permissions().mode() & 0o777, 0o600);

    assert_eq!(ada.get("/auth/session").status, 200);
    assert_eq!(
        ada.post("/auth/refresh", &json!({})).status,
        200,
        "its session keeps the secret it was opened with"
    );
    let mut eve = server.browser();
    eve.sign_up("eve@example.com");
    let listed = place.run(&["master-key", "list", "--json"]).json();
    assert_eq!(masters(&listed), [(0, false, 1, 0), (1, true, 1, 2)]);
    place.run(&["master-key", "remove", "0"]).refused(&["1 live session", "master secret 0", "wait"]);
    place.run(&["master-key", "remove", "1"]).refused(&["current", "rotate"]);
    place.run(&["master-key", "remove", "9"]).refused(&["no master secret 9"]);

    place.run(&["revoke", "--user", "ada@example.com"]).fine();
    let out = place.run(&["master-key", "remove", "0"]).fine();
    assert!(out.contains("was removed"), "{out}");
    assert!(!fs::read_to_string(place.path("master.key")).unwrap().contains(old));
    assert_eq!(server.stop(), Some(0));
    let server = place.serve();
    eve.moved_to(&server.browser());
    assert_eq!(eve.get("/auth/session").status, 200);
    assert_eq!(server.browser().log_in("ada@example.com", PASSWORD).status, 200, "passwords still match");
}

/// Without a server, under the store's lock; the next start goes on with what was sealed anew.
#[test]
fn a_master_secret_is_rotated_without_a_server() {
    let place = Place::new(PLAIN);
    let server = place.serve();
    let mut ada = server.browser();
    ada.sign_up("ada@example.com");
    assert_eq!(server.stop(), Some(0));
    let document = place.run(&["master-key", "rotate", "--json"]).json();
    assert_eq!(
        (masters(&document), &document["resealed"]),
        (vec![(0, false, 1, 0), (1, true, 0, 2)], &json!(2))
    );
    let server = place.serve();
    ada.moved_to(&server.browser());
    assert_eq!(ada.post("/auth/refresh", &json!({})).status, 200);
    // An operator who writes the file by hand has the server take it over.
    let file = fs::read_to_string(place.path("master.key")).unwrap();
    fs::write(place.path("master.key"), format!("7:{RANDOM}\n{file}")).unwrap();
    let document = place.run(&["master-key", "reseal", "--json"]).json();
    assert_eq!(masters(&document), [(0, false, 1, 0), (1, false, 0, 0), (7, true, 0, 2)]);
    place.run(&["master-key", "remove", "1"]).fine();
    assert_eq!(ada.get("/auth/session").status, 200);
}

/// Killed at any moment, the store opens again, signs with the same key, and the rest can be done.
#[test]
fn a_rotation_can_be_killed_at_any_moment() {
    let place = Place::new(PLAIN);
    place.run(&["migrate"]).fine();
    for n in 0..3 {
        // Several values to seal, so that a kill may fall between two.
        place.run(&["signing-key", "rotate", "--force"]).fine();
        assert!(n < 3);
    }
    let signer = kid_in(&place.run(&["signing-key", "list", "--json"]).json(), "active");
    let file = || fs::read_to_string(place.path("master.key")).unwrap();
    let mut half_done = 0;
    for step in 0..12u64 {
        let before = file();
        let mut child = place.command(&["master-key", "rotate"]).spawn().unwrap();
        if step < 4 {
            // While it starts, reads and draws.
            std::thread::sleep(Duration::from_millis(step * 12));
        } else {
            // The new secret is in the file: from here on it seals anew, one value after another.
            while file() == before && child.try_wait().unwrap().is_none() {
                std::thread::sleep(Duration::from_micros(100));
            }
            std::thread::sleep(Duration::from_micros((step - 4) * 700));
        }
        drop(child.kill());
        drop(child.wait());
        let listed = place.run(&["signing-key", "list", "--json"]).json();
        assert_eq!(kid_in(&listed, "active"), signer, "step {step}");
        let left = masters(&place.run(&["master-key", "list", "--json"]).json());
        half_done += usize::from(left.iter().any(|(_, current, _, sealed)| !current && *sealed > 0));
    }
    assert!(
        half_done > 0,
        "at least one kill fell between the new secret and the last value sealed under it"
    );
    place.run(&["master-key", "rotate"]).fine();
    let document = place.run(&["master-key", "reseal", "--json"]).json();
    let found = masters(&document);
    assert!(found.iter().all(|(_, current, _, sealed)| (*sealed > 0) == *current), "{found:?}");
    for (id, current, ..) in found {
        if !current {
            place.run(&["master-key", "remove", &id.to_string()]).fine();
        }
    }
    assert_eq!(kid_in(&place.run(&["signing-key", "list", "--json"]).json(), "active"), signer);
    assert_eq!(server_session(&place.serve()), 401);
}

fn server_session(server: &Server) -> u16 {
    server.browser().get("/auth/session").status
}

/// What is sealed under a secret that is not there stops the start, and the message names it.
#[test]
fn a_missing_master_secret_is_named() {
    let place = Place::new(PLAIN);
    place.run(&["migrate"]).fine();
    let before = fs::read_to_string(place.path("master.key")).unwrap();
    place.run(&["master-key", "rotate"]).fine();
    fs::write(place.path("master.key"), before).unwrap();
    place.run(&["serve"]).refused(&["master secret 1", "missing", "backup"]);
}

/// A17: what can be guessed is no key, in the file and in the variable.
#[test]
fn a17_guessable_master_secrets_stop_the_start() {
    let place = Place::new(PLAIN);
    place.run(&["migrate"]).fine();
    let phrase = "636f727265637420686f727365206261747465727920737461706c6520313233";
    for (secret, why) in
        [("00".repeat(32), "few different"), (phrase.to_owned(), "password"), ("ab".repeat(16), "64 digits")]
    {
        fs::write(place.path("master.key"), format!("0:{secret}\n")).unwrap();
        place.run(&["serve"]).refused(&["master.key, line 1", why]);
        let mut command = place.command(&["serve"]);
        let output = command.env("COUNTERSIGN_MASTER_KEY", format!("0:{secret}")).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains("COUNTERSIGN_MASTER_KEY, line 1") && message.contains(why), "{message}");
        assert!(!message.contains(secret.get(..8).unwrap()), "{message}");
    }
}

/// What comes from a variable is the operator's to change: the message says how, and several entries work.
#[test]
fn master_secrets_from_a_variable() {
    let place = Place::new(PLAIN);
    let serve = |value: &str| {
        let mut command = place.command(&["serve", "--json"]);
        command.env("COUNTERSIGN_MASTER_KEY", value);
        Server::start(command)
    };
    let server = serve(&format!("3:{RANDOM}"));
    let mut ada = server.browser();
    ada.sign_up("ada@example.com");
    assert!(!place.path("master.key").exists());
    place.run(&["master-key", "rotate"]).refused(&[
        "COUNTERSIGN_MASTER_KEY",
        "openssl rand -hex 32",
        "restart",
    ]);
    assert_eq!(server.stop(), Some(0));
    let other = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
    let server = serve(&format!("4:{other},3:{RANDOM}"));
    ada.moved_to(&server.browser());
    assert_eq!(ada.post("/auth/refresh", &json!({})).status, 200);
    let document = place.run(&["master-key", "reseal", "--json"]).json();
    assert_eq!(masters(&document), [(3, false, 1, 0), (4, true, 0, 2)]);
    assert_eq!(server.ready()["public_url"], ORIGIN);
}
