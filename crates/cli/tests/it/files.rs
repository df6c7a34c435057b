//! The limit on open files.

use crate::place::{PLAIN, Place, Server};
use std::process::{Command, Stdio};

/// The binary in the directory of a test, under limits as a shell sets them.
fn limited(place: &Place, limits: &str, args: &[&str]) -> Command {
    let of = place.command(args);
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit {limits} && exec \"$0\" \"$@\"")]).arg(of.get_program()).args(args);
    command.current_dir(of.get_current_dir().unwrap());
    for (name, value) in of.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn check(place: &Place, limits: &str) -> String {
    let output = limited(place, limits, &["check"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn connections_that_would_not_fit_are_told() {
    let place = Place::new(PLAIN);
    let told = check(&place, "-n 1024");
    for words in ["limits.connections = 4096", "1024 files", "768 clients", "LimitNOFILE"] {
        assert!(told.contains(words), "{words}:\n{told}");
    }
    let place = Place::new(&format!("{PLAIN}[limits]\nconnections = 500\n"));
    let told = check(&place, "-n 1024");
    assert!(!told.contains("limits.connections"), "{told}");
}

/// A soft limit is for others: 1024 would be used up by a thousand idle clients.
#[cfg(target_os = "linux")]
#[test]
fn a_server_takes_all_that_it_may() {
    let place = Place::new(&format!("{PLAIN}[limits]\nconnections = 500\n"));
    let server = Server::start(limited(&place, "-Sn 512 && ulimit -Hn 1024", &["serve", "--json"]));
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.ready()["pid"])).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let words: Vec<_> = line.split_whitespace().collect();
    assert_eq!(words[3..5], ["1024", "1024"], "{line}");
}
