//! `dev`: one command to a working system.

use crate::place::{Place, Server};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn dev(place: &Place, args: &[&str]) -> Server {
    let mut command = place.command(&[&["dev", "--json"], args].concat());
    command.env("COUNTERSIGN_LISTEN__ADMIN", "127.0.0.1:0");
    Server::start(command)
}

/// D19, B09: the demonstration application knows its visitor, and sees no cookie of ours.
#[test]
fn d19_b09_the_demonstration_application_knows_its_visitor() {
    let place = Place::empty();
    let url = format!("http://localhost:{}", free_port());
    let server = dev(&place, &["--plain-http", "--public-url", &url]);
    let mut ada = server.browser();
    let stranger = ada.open("/");
    assert_eq!(stranger.status, 303);
    assert!(stranger.head.contains("location: /auth/login"), "{}", stranger.head);
    ada.sign_up("ada@example.com");
    let page = ada.open("/");
    assert_eq!(page.status, 200);
    for words in ["You are", "ada@example.com", "Run the theft script", "x-auth-user", "no cookie at all"] {
        assert!(page.body.contains(words), "{words}:\n{}", page.body);
    }
    assert!(!page.body.contains("eyJ"), "no token in the page");
    // In the same directory the operator's commands find it without any configuration.
    assert!(place.run(&["session", "list"]).fine().contains("ada@example.com"));
    place.run(&["revoke", "--all"]).fine();
    assert_eq!(ada.get("/auth/session").code(), "session_revoked");
    let mode = std::fs::metadata(place.path(".countersign")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    assert!(place.path(".countersign/.gitignore").exists());
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn https_is_the_default_with_a_ca_of_its_own() {
    let place = Place::empty();
    let url = format!("https://localhost:{}", free_port());
    let server = dev(&place, &["--public-url", &url]);
    assert_eq!(server.ready()["public_url"], url.as_str());
    let key = place.path(".countersign/ca/ca-key.pem");
    assert_eq!(std::fs::metadata(key).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(server.admin().get("/readyz").status, 200);
}

#[test]
fn a_taken_port_is_said_with_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://localhost:{}", taken.local_addr().unwrap().port());
    let place = Place::empty();
    place.run(&["dev", "--plain-http", "--public-url", &url]).refused(&[
        "listen.address",
        "another program",
        "--public-url",
    ]);
}

/// B14: development stays on this machine.
#[test]
fn b14_it_serves_nobody_else() {
    let place = Place::empty();
    place.run(&["dev", "--public-url", "https://app.example.com"]).refused(&["public_url", "remedy:"]);
}
