//! `dev`: one command to a working system.

use crate::place::{PLAIN, Place, Server, lines};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

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
    // So do those about its settings and its store.
    assert!(place.run(&["check"]).fine().contains("the settings of `countersign dev`"));
    assert!(place.run(&["migrate"]).fine().contains(".countersign/countersign.db has this version already"));
    place.run(&["serve"]).refused(&["only the .countersign of `dev`", "countersign dev", "--config"]);
}

/// What `dev` says for people, up to its last line.
fn banner(place: &Place, args: &[&str]) -> String {
    let mut command = place.command(&[&["dev"], args].concat());
    command.env("COUNTERSIGN_LISTEN__ADMIN", "127.0.0.1:0").stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut said = Vec::new();
    for line in lines(child.stdout.take().unwrap()) {
        let last = line.contains("Ctrl-C stops");
        said.push(line);
        if last {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    said.join("\n")
}

#[test]
fn an_upstream_for_a_path_gets_that_path_alone() {
    let place = Place::empty();
    let application = TcpListener::bind("127.0.0.1:0").unwrap();
    let api = format!("http://{}", application.local_addr().unwrap());
    let url = format!("http://localhost:{}", free_port());
    let flags = ["--plain-http", "--public-url", &url, "--upstream", &format!("/api={api}")];
    let said = banner(&place, &flags);
    for words in [format!("/api/*  →  {api}"), "/*  →  a demonstration application, http://127.0.0.1:".into()]
    {
        assert!(said.contains(&words), "{words}:\n{said}");
    }
    assert!(!said.contains("Warning"), "{said}");
    let server = dev(&place, &flags);
    let mut ada = server.browser();
    ada.sign_up("ada@example.com");
    assert!(ada.open("/").body.contains("You are"), "the rest is the demonstration application's");
}

#[test]
fn an_application_that_does_not_listen_is_told() {
    let url = format!("http://localhost:{}", free_port());
    let silent = format!("http://127.0.0.1:{}", free_port());
    let said = banner(&Place::empty(), &["--plain-http", "--public-url", &url, "--upstream", &silent]);
    assert!(said.contains(&format!("nothing answers at {silent} yet")), "{said}");
}

#[test]
fn flags_that_contradict_each_other_are_named() {
    let place = Place::empty();
    let run = |args: &[&str]| place.run(&[&["dev"], args].concat());
    run(&["--upstream", "http://localhost:3000", "--upstream", "http://localhost:4000"]).refused(&[
        "--upstream http://localhost:3000 and --upstream http://localhost:4000",
        "every path",
        "--upstream /api=http://localhost:4000",
    ]);
    run(&["--upstream", "/api=http://localhost:3000", "--upstream", "/api=http://localhost:4000"]).refused(
        &[
            "--upstream /api=http://localhost:3000 and --upstream /api=http://localhost:4000",
            "both claim /api",
            "--upstream /api2=http://localhost:4000",
        ],
    );
    run(&["--upstream", "http://localhost:3000", "--upstream", "http://localhost:3000"])
        .refused(&["stands there twice"]);
    for (typed, right) in [
        ("api=http://localhost:3000", "--upstream /api=http://localhost:3000"),
        ("api=localhost:3000", "--upstream /api=http://localhost:3000"),
        ("localhost:3000", "--upstream http://localhost:3000"),
        ("/api=localhost:3000", "--upstream /api=http://localhost:3000"),
        ("3000", "--upstream http://localhost:3000"),
        ("/api", "--upstream /api=http://localhost:3000"),
        ("/auth=http://localhost:3000", "--upstream /app/auth=http://localhost:3000"),
    ] {
        run(&["--upstream", typed]).refused(&[&format!("--upstream {typed}: "), right]);
    }
    run(&["--public-url", "localhost:9000"]).refused(&["did you mean \"https://localhost:9000\"?"]);
    run(&["--plain-http", "--public-url", "https://localhost:9000"])
        .refused(&["--plain-http", "--public-url"]);
    assert!(!place.path(".countersign").exists());
}

#[test]
fn it_does_not_take_a_file_of_another_environment() {
    let place = Place::new("public_url = \"https://app.example.com\"\n[tls]\nmode = \"off\"");
    place.run(&["dev"]).refused(&[
        "countersign.toml says public_url = \"https://app.example.com\"",
        "countersign serve",
        "--config",
    ]);
}

/// Undoing leaves nothing behind that was not there.
#[test]
fn trust_that_never_was_is_not_made_to_be_undone() {
    let place = Place::empty();
    let undo = |args: &[&str]| {
        let mut command = place.command(&[&["trust", "--undo"], args].concat());
        command.env("HOME", place.path("home")).output().unwrap()
    };
    let output = undo(&[]);
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("nothing to undo"), "{output:?}");
    assert!(undo(&["--json"]).status.success());
    assert!(!place.path(".countersign").exists());
}

/// A CA that no server uses is not made, nor installed: it would be a key to this machine's browsers that nobody watches.
#[test]
fn trust_where_there_is_nothing_says_what_to_run_first() {
    let trust = |place: &Place| {
        let mut command = place.command(&["trust"]);
        // An empty directory for programs: nothing on this machine can be told to trust anything.
        command.env("HOME", place.path("home")).env("PATH", place.path("none")).output().unwrap()
    };
    let place = Place::empty();
    let output = trust(&place);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    for words in ["no local CA", "countersign dev", "--config PATH"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!(std::fs::read_dir(place.path("")).unwrap().count(), 0, "and nothing was made");
    // A configuration without one has nothing to trust either.
    let place = Place::new(PLAIN);
    let said = String::from_utf8_lossy(&trust(&place).stderr).into_owned();
    assert!(said.contains("tls.mode = \"local-ca\"") && !place.path("ca").exists(), "{said}");
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
