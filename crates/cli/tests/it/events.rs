//! `events`.

use crate::place::{PLAIN, Place, lines};
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
            "level",
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
    }
    let failed = &events[3];
    assert_eq!((&failed["outcome"], &failed["level"]), (&"refused".into(), &"warn".into()));
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
