//! `revoke`, `session` and `signing-key` beside a running server.

use crate::place::{PASSWORD, PLAIN, Place};

/// D12, H04: a user's sessions, one session, everybody's: each is dead for the very next request.
#[test]
fn d12_h04_revocation_is_in_effect_when_the_command_returns() {
    let place = Place::new(PLAIN);
    let server = place.serve();
    let mut ada = server.browser();
    ada.sign_up("ada@example.com");
    let mut eve = server.browser();
    eve.sign_up("eve@example.com");
    // A verified principal is remembered: the revocation has to reach that memory too.
    assert_eq!((ada.get("/auth/session").status, eve.get("/auth/session").status), (200, 200));

    let out = place.run(&["revoke", "--user", "ada@example.com"]).fine();
    assert!(out.contains("1 session ended"), "{out}");
    let answer = ada.get("/auth/session");
    assert_eq!((answer.status, answer.code().as_str()), (401, "session_revoked"));
    assert_eq!(eve.get("/auth/session").status, 200, "others stay");

    let id = eve.session();
    let document = place.run(&["revoke", "--session", &id, "--json"]).json();
    assert_eq!(document["ended"], 1);
    assert_eq!(eve.get("/auth/session").code(), "session_revoked");

    assert_eq!(ada.log_in("ada@example.com", PASSWORD).status, 200);
    assert_eq!(ada.get("/auth/session").status, 200);
    place.run(&["revoke", "--all"]).fine();
    assert_eq!(ada.get("/auth/session").code(), "session_revoked");
    place.run(&["revoke", "--user", "bob@example.com"]).refused(&["no user \"bob@example.com\""]);
}

/// "Why was I logged out?"
#[test]
fn session_show_explains_the_end() {
    let place = Place::new(PLAIN);
    let server = place.serve();
    let mut ada = server.browser();
    ada.sign_up("ada@example.com");
    let first = ada.session();
    assert!(place.run(&["session", "show", &first]).fine().contains("This session is live until"));

    assert_eq!(ada.post("/auth/logout", &serde_json::json!({})).status, 204);
    let out = place.run(&["session", "show", &first]).fine();
    for words in
        ["because the user signed out on this device", "It came from 127.0.0.1 in request", "session opened"]
    {
        assert!(out.contains(words), "{words}:\n{out}");
    }

    ada.log_in("ada@example.com", PASSWORD);
    let second = ada.session();
    place.run(&["session", "revoke", &second]).fine();
    let document = place.run(&["session", "show", &second, "--json"]).json();
    assert_eq!(document["session"]["state"], "ended");
    assert_eq!(document["session"]["end_reason"], "ended_by_operator");
    let events = document["events"].as_array().unwrap();
    assert!(events.iter().any(|event| event["event"] == "authz_admin"), "{events:?}");

    let listed = place.run(&["session", "list", "--json"]).json();
    assert_eq!(listed["sessions"].as_array().unwrap().len(), 0);
    let listed = place.run(&["session", "list", "--all", "--user", "ada@example.com", "--json"]).json();
    assert_eq!(listed["sessions"].as_array().unwrap().len(), 2);
}

/// H08: the next key is published before it signs; tokens of the old one stay good until it is retired.
#[test]
fn h08_signing_keys_rotate_under_a_running_server() {
    let place = Place::new(PLAIN);
    let server = place.serve();
    let mut ada = server.browser();
    ada.sign_up("ada@example.com");
    let states = |document: serde_json::Value| -> Vec<(String, String)> {
        let keys = document["keys"].as_array().unwrap().clone();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        keys.iter().map(|key| (text(&key["state"]), text(&key["kid"]))).collect()
    };
    let before = states(place.run(&["signing-key", "list", "--json"]).json());
    assert_eq!(before.len(), 1);
    let after = states(place.run(&["signing-key", "rotate", "--json"]).json());
    assert_eq!(after.iter().filter(|(state, _)| state == "next").count(), 1);
    let jwks = ada.get("/.well-known/jwks.json").json();
    assert_eq!(jwks["keys"].as_array().unwrap().len(), 2, "published at once");
    assert_eq!(ada.get("/auth/session").status, 200);

    place.run(&["signing-key", "retire", &before[0].1]).fine();
    assert_eq!(ada.get("/auth/session").status, 401, "nothing that it signed is accepted");
    let again = place.run(&["signing-key", "retire", &before[0].1]).fine();
    assert!(again.contains("Nothing was changed"), "{again}");
    assert_eq!(place.run(&["signing-key", "retire", &before[0].1, "--json"]).json()["changed"], false);
    place.run(&["signing-key", "retire", "-hyphen"]).refused(&["no signing key", "\"-hyphen\""]);
    place.run(&["signing-key", "retire", "nonsense"]).refused(&["nonsense", "signing-key list"]);
}
