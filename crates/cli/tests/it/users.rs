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
