//! `countersign retrofit probe`: where the test account comes from, and what is said of a cookie that was there before it.

use crate::application::{Application, LOGIN, SECRET};
use crate::place::{Place, Ran};
use std::io::{Read, Write};
use std::process::{Command, Stdio};

const TWO_HOURS: &str = "; HttpOnly; SameSite=Lax; Max-Age=7200";

/// The account by the environment.
fn probe(place: &Place, url: &str, account: &str) -> Ran {
    let mut command = place.command(&["retrofit", "probe", url, "--json"]);
    let output = command.env("COUNTERSIGN_PROBE_ACCOUNT", account).output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The cookie of the first page, as Django and PHP set it: its life is said there and nowhere else.
#[test]
fn a_cookie_from_before_the_sign_in_says_how_long_it_is_good() {
    let (place, app) = (Place::empty(), Application::start(TWO_HOURS));
    let found = probe(&place, &app.url, &Application::account()).json();
    assert_eq!(found["found"]["token"], "cookie:sid", "{found}");
    assert_eq!(found["found"]["lifetime"], 7200, "{found}");
    assert!(!found.to_string().contains("does not say how long"), "{found}");
    let silent = Application::start("; HttpOnly");
    let found = probe(&place, &silent.url, &Application::account()).json();
    assert_eq!(found["found"]["lifetime"], serde_json::Value::Null, "{found}");
    assert!(found.to_string().contains("does not say how long"), "{found}");
}

#[test]
fn an_account_that_is_none_is_refused_without_being_repeated() {
    let (place, app) = (Place::empty(), Application::start(TWO_HOURS));
    let ran = probe(&place, &app.url, "topsecretwithoutcolon");
    assert!(!format!("{ran:?}").contains("topsecret"), "{ran:?}");
    ran.refused(&["COUNTERSIGN_PROBE_ACCOUNT", "NAME:PASSWORD"]);
    let wrong = probe(&place, &app.url, "victim@example.test:not this one");
    assert!(!format!("{wrong:?}").contains("not this one"), "{wrong:?}");
    wrong.refused(&["POST /enter → 401"]);
    // Neither terminal nor environment.
    place.run(&["retrofit", "probe", &app.url]).refused(&[
        "no terminal",
        "COUNTERSIGN_PROBE_ACCOUNT",
        "--account-stdin",
    ]);
}

/// At a terminal of its own: `script` makes one. The name shows, the password does not.
#[test]
fn at_a_terminal_the_account_is_asked_for_and_the_password_does_not_show() {
    let (place, app) = (Place::empty(), Application::start(TWO_HOURS));
    let of = place.command(&["retrofit", "probe", &app.url]);
    let line = format!("{} retrofit probe {}", of.get_program().to_str().unwrap(), app.url);
    let mut command = Command::new("script");
    command.args(["--quiet", "--return", "--flush", "--command", &line, "/dev/null"]);
    command.current_dir(of.get_current_dir().unwrap()).env_remove("COUNTERSIGN_PROBE_ACCOUNT");
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let (mut keys, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut shown = read_until(&mut screen, "address: ");
    keys.write_all(format!("{LOGIN}\n").as_bytes()).unwrap();
    // From the question on nothing shows: a program answers at once.
    shown += &read_until(&mut screen, "password: ");
    keys.write_all(format!("{SECRET}\n").as_bytes()).unwrap();
    let mut rest = String::new();
    screen.read_to_string(&mut rest).unwrap();
    shown += &rest;
    assert_eq!(child.wait().unwrap().code(), Some(0), "{shown}");
    assert!(shown.contains(LOGIN) && !shown.contains(SECRET), "{shown}");
    assert!(shown.contains("good for") && shown.contains("2 h") && shown.contains("cookie:sid"), "{shown}");
}

/// What a terminal shows, up to and with these words.
fn read_until(screen: &mut impl Read, words: &str) -> String {
    let (mut shown, mut byte) = (Vec::new(), [0]);
    while screen.read(&mut byte).unwrap() == 1 {
        shown.push(byte[0]);
        if shown.ends_with(words.as_bytes()) {
            return String::from_utf8(shown).unwrap();
        }
    }
    panic!("{words:?} was never asked: {}", String::from_utf8_lossy(&shown))
}
