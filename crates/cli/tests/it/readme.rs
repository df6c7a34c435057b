//! What README.md says under "In production" works as it stands there.

use crate::place::{PASSWORD, Place, Ran, Server};
use std::fs;
use std::os::unix::fs::PermissionsExt;

const README: &str = include_str!("../../../../README.md");
const HERE: &str = "\n[listen]\naddress = \"127.0.0.1:0\"\nadmin = \"127.0.0.1:0\"\n";

/// The blocks of one language in the section.
fn blocks(language: &str) -> Vec<String> {
    let section = README.split("\n## In production\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let fence = format!("```{language}\n");
    let fences = section.split(&fence).skip(1);
    fences.map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

/// The configuration, with its certificate in the directory of the test.
fn configured() -> Place {
    let text = blocks("toml").remove(0);
    assert_eq!(text.matches("/etc/countersign/").count(), 2, "{text}");
    let place = Place::new(&text.replace("/etc/countersign/", ""));
    let made = rcgen::generate_simple_self_signed(["app.example.com".to_owned()]).unwrap();
    fs::write(place.path("fullchain.pem"), made.cert.pem()).unwrap();
    fs::write(place.path("privkey.pem"), made.signing_key.serialize_pem()).unwrap();
    fs::set_permissions(place.path("privkey.pem"), fs::Permissions::from_mode(0o600)).unwrap();
    place
}

fn run(place: &Place, args: &[&str]) -> Ran {
    match args {
        ["user", "add", ..] => place.run_with(&[args, &["--password-stdin"]].concat(), PASSWORD),
        _ => place.run(args),
    }
}

/// Every command in its order, up to one that needs the id of a session.
#[test]
fn the_commands_work_in_their_order() {
    let place = configured();
    let commands = blocks("console").concat();
    let mut server = None;
    for line in commands.lines() {
        let line = line.strip_prefix("$ countersign ").unwrap().split('#').next().unwrap();
        let args: Vec<_> = line.split_whitespace().collect();
        match &args[..] {
            ["serve"] => {
                // A port that needs no privilege.
                let text = fs::read_to_string(place.path("countersign.toml")).unwrap();
                let (listen, free) = ("\n[listen]\naddress = \"0.0.0.0:443\"\n", HERE);
                assert!(text.contains(listen), "{text}");
                fs::write(place.path("countersign.toml"), text.replace(listen, free)).unwrap();
                server = Some(Server::start(place.command(&["serve", "--json"])));
            }
            ["session", "show", "ID"] => run(&place, &args).refused(&["\"ID\"", "session list"]),
            ["check"] => {
                let told = run(&place, &args).fine();
                assert!(told.contains("Safe to serve"), "{told}");
            }
            _ => drop(run(&place, &args).fine()),
        }
    }
    assert_eq!(server.unwrap().ready()["environment"], "production");
    for secret in ["countersign.db", "master.key"] {
        let mode = fs::metadata(place.path(secret)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{secret}");
    }
    let users = place.run(&["user", "list"]).fine();
    assert!(users.contains("ada@example.com"), "{users}");
}

/// A command in the wrong directory makes no second store: it says where it looked.
#[test]
fn without_a_store_commands_say_what_to_do() {
    let place = configured();
    let directory = place.path("countersign.db").canonicalize();
    assert!(directory.is_err(), "there is no store");
    let told =
        [&place.path("").display().to_string(), "countersign.db", "countersign migrate"].map(str::to_owned);
    let told: Vec<_> = told.iter().map(String::as_str).collect();
    run(&place, &["user", "add", "ada@example.com"]).refused(&told);
    run(&place, &["user", "list"]).refused(&told);
    assert!(!place.path("countersign.db").exists() && !place.path("master.key").exists());
}
