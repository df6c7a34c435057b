//! `events`.

use crate::place::{PLAIN, Place, Server, lines};
use countersign_core::domain::event::EventName;
use serde_json::Value;

/// I05: each event has its fields, in UTC, one JSON object a line.
#[test]
fn i05_events_have_their_fields() {
    let place = Place::new(PLAIN);
    let server = place.serve();
    let mut ada = server.browser();
    ada.sign_up("ada@example.com");
    assert_eq!(server.browser().log_in("ada@example.com", "certainly not the password").status, 401);
    let out = place.run(&["events", "--json"]).fine();
    let events: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<_> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(names, ["sys_startup", "user_created", "session_created", "authn_login_fail"]);
    for event in &events {
        for field in [
            "row",
            "id",
            "at",
            "event",
            "severity",
            "outcome",
            "user",
            "email",
            "session",
            "ip",
            "request_id",
            "reason",
        ] {
            assert!(event.get(field).is_some(), "{field} is missing in {event}");
        }
        assert!(event["at"].as_str().unwrap().ends_with('Z'), "{event}");
        // "None" is said in one way.
        assert!(event.as_object().unwrap().values().all(|value| value != ""), "{event}");
    }
    let failed = &events[3];
    assert_eq!((&failed["outcome"], &failed["severity"]), (&"refused".into(), &"warn".into()));
    assert_eq!(failed["email"], "ada@example.com");
    assert_eq!(failed["ip"], "127.0.0.1");
    assert_eq!(failed["reason"], "wrong_password");

    let request = failed["request_id"].as_str().unwrap();
    let of_request = place.run(&["events", "--request", request, "--json"]).fine();
    assert_eq!(of_request.lines().count(), 1);
    let session = ada.session();
    assert_eq!(place.run(&["events", "--session", &session, "--json"]).fine().lines().count(), 1);
    assert_eq!(place.run(&["events", "--user", "ada@example.com", "--json"]).fine().lines().count(), 3);
    assert_eq!(place.run(&["events", "--since", "1h", "--limit", "2", "--json"]).fine().lines().count(), 2);
    place.run(&["events", "--session", "nosuch"]).refused(&["no session \"nosuch\"", "session list --all"]);
    place.run(&["events", "--since", "yesterday"]).refused(&["yesterday", "2h"]);
    assert!(place.run(&["events"]).fine().contains("sign-in failed (wrong password)"));
}

/// The log line of an event says the same words as the stored one, and leaves out what has no value.
#[test]
fn i05_the_log_speaks_of_events_in_the_same_words() {
    let place = Place::new(&format!("{PLAIN}[log]\nformat = \"json\""));
    let mut command = place.command(&["serve", "--json"]);
    let log = std::fs::File::create(place.path("log")).unwrap();
    let server = Server::start_with_log(&mut command, log);
    server.browser().sign_up("ada@example.com");
    assert_eq!(server.browser().log_in("ada@example.com", "certainly not the password").status, 401);
    let stored = place.run(&["events", "--json"]).fine();
    assert_eq!(server.stop(), Some(0));
    let log = std::fs::read_to_string(place.path("log")).unwrap();
    let logged: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(stored.lines().count(), 4);
    for event in stored.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let line = logged.iter().find(|line| line["id"] == event["id"]);
        let line = line.unwrap_or_else(|| panic!("{event} is not in\n{log}"));
        for (field, value) in event.as_object().unwrap() {
            match field.as_str() {
                "row" | "at" | "email" => {}
                _ if value.is_null() => assert!(line.get(field).is_none(), "{field}: {line}"),
                _ => assert_eq!(&line[field], value, "{field}: {line}"),
            }
        }
        assert_eq!(line["target"], "countersign::event");
        let level = if event["severity"] == "warn" { "WARN" } else { "INFO" };
        assert_eq!(line["level"], level);
    }
}

/// Each name and its severity is documented.
#[test]
fn docs_events_lists_every_event() {
    let document = include_str!("../../../../docs/events.md");
    let rows: Vec<_> = document.lines().filter(|line| line.starts_with("| `")).collect();
    for name in EventName::ALL {
        let row = format!("| `{}` | {} | ", name.as_str(), name.severity().as_str());
        assert!(rows.iter().any(|line| line.starts_with(&row)), "{row}");
    }
    let names = rows.iter().filter(|row| row.split('|').count() == 5).count();
    assert_eq!(names, EventName::ALL.len(), "and none that is not there");
}

#[test]
fn following_shows_events_as_they_come() {
    let place = Place::new(PLAIN);
    let server = place.serve();
    let mut follower = place.command(&["events", "--follow", "--json"]).spawn().unwrap();
    let mut lines = lines(follower.stdout.take().unwrap());
    assert!(lines.next().unwrap().contains("sys_startup"));
    server.browser().sign_up("ada@example.com");
    let names: Vec<_> = lines.take(2).collect();
    assert!(names[0].contains("user_created") && names[1].contains("session_created"), "{names:?}");
    follower.kill().unwrap();
    follower.wait().unwrap();
    server.stop();
    place.run(&["events", "--follow"]).refused(&["no server runs"]);
    // Without a server the store itself is read; the stop is in it.
    assert!(place.run(&["events"]).fine().contains("node stopped"));
}
