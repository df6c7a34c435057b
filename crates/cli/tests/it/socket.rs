//! `admin.sock`.

use crate::place::{PLAIN, Place};
use rustix::process::Signal;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};

#[test]
fn only_the_servers_user_may_open_it() {
    let place = Place::new(PLAIN);
    let _server = place.serve();
    for (name, mode) in [("admin.sock", 0o600), ("countersign.db", 0o600), ("master.key", 0o600)] {
        let metadata = fs::metadata(place.path(name)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, mode, "{name}");
    }
    assert!(fs::metadata(place.path("admin.sock")).unwrap().file_type().is_socket());
}

#[test]
fn a_socket_of_a_server_that_was_killed_is_replaced() {
    let place = Place::new(PLAIN);
    let mut server = place.serve();
    server.signal(Signal::KILL);
    assert_eq!(server.ended(), None);
    assert!(place.path("admin.sock").exists());
    // Nobody answers there, and the lock went with the process: the command opens the store itself.
    place.run(&["user", "list"]).fine();
    let _server = place.serve();
    place.run(&["user", "list"]).fine();
}

#[test]
fn what_is_not_ours_is_left_alone() {
    let place = Place::new(PLAIN);
    fs::write(place.path("admin.sock"), "precious").unwrap();
    place.run(&["serve"]).refused(&["admin.sock", "not a socket", "move it away"]);
    assert_eq!(fs::read_to_string(place.path("admin.sock")).unwrap(), "precious");
    fs::remove_file(place.path("admin.sock")).unwrap();
    let _other = UnixListener::bind(place.path("admin.sock")).unwrap();
    place.run(&["serve"]).refused(&["another process serves", "admin.sock"]);
}

#[test]
fn both_ends_must_be_of_one_version() {
    let place = Place::new(PLAIN);
    let server = place.serve();
    let ask = |line: &str| {
        let mut stream = UnixStream::connect(place.path("admin.sock")).unwrap();
        stream.write_all(line.as_bytes()).unwrap();
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).unwrap();
        answer
    };
    let answer = ask("{\"version\":\"99.0.0\",\"request\":{\"command\":\"fly\"}}\n");
    assert!(answer.contains("99.0.0") && answer.contains("use the same program"), "{answer}");
    assert!(ask("nonsense\n").contains("cannot be read"));
    let long = ask(&format!("{}\n", "x".repeat(64 * 1024)));
    assert!(long.contains("too long"), "{long}");
    server.stop();

    // And the other way round: a server that we do not understand.
    let place = Place::new(PLAIN);
    place.run(&["migrate"]).fine();
    let listener = UnixListener::bind(place.path("admin.sock")).unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut line = String::new();
        BufReader::new(stream.try_clone().unwrap()).read_line(&mut line).unwrap();
        stream.write_all(b"{\"version\":\"99.0.0\",\"answer\":{\"Maybe\":1}}\n").unwrap();
    });
    place.run(&["user", "list"]).refused(&["countersign 99.0.0", "restart the server"]);
}

/// H04: those who watch, and those who connected and went for lunch, do not keep a revocation waiting.
#[test]
fn h04_silent_connections_hold_up_no_revocation() {
    let place = Place::new(PLAIN);
    let server = place.serve();
    let mut ada = server.browser();
    ada.sign_up("ada@example.com");
    let connect = || UnixStream::connect(place.path("admin.sock")).unwrap();
    let mut silent: Vec<_> = (0..40).map(|_| connect()).collect();
    let out = place.run(&["revoke", "--user", "ada@example.com"]).fine();
    assert!(out.contains("1 session ended"), "{out}");
    assert_eq!(ada.get("/auth/session").code(), "session_revoked");

    // There is an end to it, and it is told.
    silent.extend((40..128).map(|_| connect()));
    place.run(&["revoke", "--all"]).refused(&["128 operators are connected already"]);
    silent.clear();
    crate::place::until("places", || (place.run(&["revoke", "--all"]).code == 0).then_some(()));
}

/// Two configurations in one directory share the socket's name, but not the store: what is meant for one is never done to the
/// other, by a running server least of all.
#[test]
fn a_command_for_another_store_is_refused() {
    let place = Place::new(PLAIN);
    fs::write(place.path("staging.toml"), PLAIN.replace("countersign.db", "staging.db")).unwrap();
    let _server = place.serve();
    place.run_with(&["user", "add", "ada@example.test", "--password-stdin"], crate::place::PASSWORD).fine();
    place
        .run_with(
            &["--config", "staging.toml", "user", "add", "bob@example.test", "--password-stdin"],
            crate::place::PASSWORD,
        )
        .refused(&["countersign.db", "staging.db", "nothing was done", "--config"]);
    place.run(&["--config", "staging.toml", "revoke", "--all"]).refused(&["staging.db"]);
    assert!(!place.run(&["user", "list"]).fine().contains("bob@"));
    // The same store by another name is the same.
    let directory = place.path("countersign.db");
    let absolute = PLAIN.replace("countersign.db", directory.to_str().unwrap());
    fs::write(place.path("absolute.toml"), absolute).unwrap();
    assert!(place.run(&["--config", "absolute.toml", "user", "list"]).fine().contains("ada@"));
}
