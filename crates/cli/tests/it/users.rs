//! `user`.

use crate::place::{PASSWORD, PLAIN, Place};
use crate::web::Browser;

/// Who signs in with what: the password's own newlines are part of it, the one that `echo` adds is not.
#[test]
fn password_stdin_drops_one_final_newline() {
    let place = Place::new(PLAIN);
    place.run(&["migrate"]).fine();
    let add = ["user", "add", "--password-stdin"];
    place.run_with(&[&add[..], &["ada@example.com"]].concat(), &format!("{PASSWORD}\n")).fine();
    place.run_with(&[&add[..], &["eve@example.com"]].concat(), &format!("{PASSWORD}\n\n")).fine();
    let server = place.serve();
    let status = |email: &str, password: &str| server.browser().log_in(email, password).status;
    assert_eq!(status("ada@example.com", PASSWORD), 200);
    assert_eq!(status("eve@example.com", PASSWORD), 401);
    assert_eq!(status("eve@example.com", &format!("{PASSWORD}\n")), 200);
}

/// F01, F03: the policy holds at the command line too, and says why.
#[test]
fn f01_f03_weak_passwords_and_nonsense_are_refused() {
    let place = Place::new(PLAIN);
    place.run(&["migrate"]).fine();
    let add =
        |email: &str, password: &str| place.run_with(&["user", "add", email, "--password-stdin"], password);
    add("ada@example.com", "short\n").refused(&["at least 15 characters"]);
    add("ada@example.com", "passwordpassword\n").refused(&["attackers try first"]);
    add("nobody", PASSWORD).refused(&["\"nobody\"", "e-mail"]);
    add("ada@example.com", PASSWORD).fine();
    add("ADA@example.com", PASSWORD).refused(&["already", "user password"]);
    place.run(&["user", "add", "bob@example.com"]).refused(&["--password-stdin"]);
    // The address is looked at before anybody is asked for a password.
    place.run(&["user", "add", "notanaddress"]).refused(&["\"notanaddress\"", "e-mail"]);
    assert_eq!(place.run(&["user", "disable", "ada@example.com", "--json"]).json()["changed"], true);
    let again = place.run(&["user", "disable", "ada@example.com"]).fine();
    assert_eq!(again, "ada@example.com was disabled already\n");
    assert_eq!(place.run(&["user", "disable", "ada@example.com", "--json"]).json()["changed"], false);
    place.run(&["user", "enable", "ada@example.com"]).fine();
    assert!(place.run(&["user", "enable", "ada@example.com"]).fine().contains("was enabled already"));
    place.run(&["user", "disable", "bob@example.com"]).refused(&["no user \"bob@example.com\"", "user list"]);
}

/// D11: beside a running server, disabling and a new password end all sessions at once.
#[test]
fn d11_disabling_and_a_new_password_end_sessions_at_once() {
    let place = Place::new(PLAIN);
    let server = place.serve();
    let signed_in = |email: &str| -> Browser {
        let mut browser = server.browser();
        browser.sign_up(email);
        assert_eq!(browser.get("/auth/session").status, 200);
        browser
    };
    let mut ada = signed_in("ada@example.com");
    place.run(&["user", "disable", "ada@example.com"]).fine();
    assert_eq!(ada.get("/auth/session").code(), "session_revoked");
    assert_eq!(server.browser().log_in("ada@example.com", PASSWORD).status, 401);
    place.run(&["user", "enable", "ada@example.com"]).fine();
    assert_eq!(server.browser().log_in("ada@example.com", PASSWORD).status, 200);

    let mut eve = signed_in("eve@example.com");
    let other = "seven green kettles sing at dawn";
    place.run_with(&["user", "password", "eve@example.com", "--password-stdin"], other).fine();
    assert_eq!(eve.get("/auth/session").code(), "session_revoked");
    assert_eq!(server.browser().log_in("eve@example.com", other).status, 200);

    let listed = place.run(&["user", "list", "--json"]).json();
    let emails: Vec<_> =
        listed["users"].as_array().unwrap().iter().map(|user| user["email"].clone()).collect();
    assert_eq!(emails, ["ada@example.com", "eve@example.com"]);
}

/// G04, D07: who loses a scope is judged by the new ones on the very next request; who gains one signs in again for it.
#[test]
fn g04_a_demotion_counts_on_the_next_request() {
    let place = Place::new(PLAIN);
    let server = place.serve();
    let mut ada = server.browser();
    ada.sign_up("ada@example.com");
    let scopes = |document: &serde_json::Value| document["user"]["scope"].to_string();
    let given =
        place.run(&["user", "scope", "ada@example.com", "--add", "admin", "--add", "read", "--json"]).json();
    assert_eq!(scopes(&given), r#"["admin","read"]"#);
    assert_eq!((&given["changed"], &given["ended"]), (&true.into(), &serde_json::Value::Null));
    assert_eq!(ada.get("/auth/session").status, 200, "nothing was taken");
    assert_eq!(ada.log_in("ada@example.com", PASSWORD).status, 200);
    let session = ada.session();
    let of_session = || place.run(&["session", "show", &session, "--json"]).json()["session"].clone();
    assert_eq!(of_session()["scope"].to_string(), r#"["admin","read"]"#);

    let out = place.run(&["user", "scope", "ada@example.com", "--remove", "admin"]).fine();
    assert!(out.contains("ada@example.com has now: read. 1 session ended"), "{out}");
    assert_eq!(ada.get("/auth/session").code(), "session_revoked", "its tokens still say admin");
    assert_eq!(of_session()["end_reason"], "scope_reduced");
    assert!(place.run(&["session", "show", &session]).fine().contains("took a scope from the user"));
    assert_eq!(ada.log_in("ada@example.com", PASSWORD).status, 200);
    let again = ada.session();
    assert_eq!(
        place.run(&["session", "show", &again, "--json"]).json()["session"]["scope"].to_string(),
        r#"["read"]"#
    );

    let same = place.run(&["user", "scope", "ada@example.com", "--remove", "admin"]).fine();
    assert!(same.contains("had these scopes already: read"), "{same}");
    assert_eq!(ada.get("/auth/session").status, 200);
    place
        .run(&["user", "scope", "ada@example.com", "--add", "x", "--remove", "x"])
        .refused(&["\"x\"", "leave one"]);
    place.run(&["user", "scope", "ada@example.com"]).refused(&["--add", "--remove"]);
    place.run(&["user", "scope", "ada@example.com", "--add", "a b"]).refused(&["scope \"a b\""]);
    place.run(&["user", "scope", "no@example.com", "--add", "a"]).refused(&["no user \"no@example.com\""]);
    let events = place.run(&["events", "--user", "ada@example.com", "--json"]).fine();
    assert!(events.contains("scope_extended") && events.contains("scope_reduced"), "{events}");
}

/// The account is gone with all that could be presented; what happened stays on record, under an id that names nobody.
#[test]
fn a_removed_user_is_erased_beside_a_running_server() {
    let place = Place::new(PLAIN);
    let server = place.serve();
    let mut ada = server.browser();
    ada.sign_up("ada@example.com");
    server.browser().sign_up("eve@example.com");
    assert_eq!(ada.get("/auth/session").status, 200);
    let removed = place.run(&["user", "remove", "ada@example.com", "--json"]).json();
    assert_eq!((&removed["ended"], &removed["api_keys"]), (&1.into(), &0.into()));
    let id = removed["removed"]["id"].as_str().unwrap();
    assert_eq!(ada.get("/auth/session").code(), "session_revoked");
    assert_eq!(ada.post("/auth/refresh", &serde_json::json!({})).status, 401);
    assert_eq!(server.browser().log_in("ada@example.com", PASSWORD).status, 401);
    let listed = place.run(&["user", "list", "--json"]).fine();
    assert!(!listed.contains("ada@") && listed.contains("eve@"), "{listed}");
    let events = place.run(&["events", "--json"]).fine();
    assert!(events.contains(id) && events.contains("user_deleted") && !events.contains("ada@"), "{events}");
    place.run(&["user", "remove", "ada@example.com"]).refused(&["no user \"ada@example.com\""]);
    // After a restart nothing of it is in memory, and an access token of the erased user is still no good.
    assert_eq!(server.stop(), Some(0));
    let server = place.serve();
    ada.moved_to(&server.browser());
    assert_eq!(ada.get("/auth/session").status, 401);
    let mut heir = server.browser();
    heir.sign_up("ada@example.com");
    assert_ne!(
        place.run(&["user", "list", "--json"]).json()["users"][0]["id"],
        id,
        "the address is another person's"
    );
}

#[test]
fn disabled_users_are_listed_apart() {
    let place = Place::new(PLAIN);
    place.run(&["migrate"]).fine();
    for email in ["ada@example.com", "eve@example.com"] {
        place.run_with(&["user", "add", email, "--password-stdin"], PASSWORD).fine();
    }
    assert!(place.run(&["user", "list", "--disabled"]).fine().contains("No user is disabled"));
    place.run(&["user", "disable", "eve@example.com"]).fine();
    let listed = place.run(&["user", "list", "--disabled", "--json"]).json();
    assert_eq!(listed["users"].as_array().unwrap().len(), 1);
    assert_eq!(listed["users"][0]["email"], "eve@example.com");
}
