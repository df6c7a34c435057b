//! `explain`: alone, beside a running server, and with what is no token.

use crate::place::{PASSWORD, PLAIN, Place};
use serde_json::Value;

/// `{"alg":"none"}` and `{"sub":"ada"}`.
const UNSIGNED: &str = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.";

/// From standard input, without any configuration; the token is nowhere in what is printed.
#[test]
fn i01_a_token_alone() {
    let place = Place::empty();
    let told = place.run_with(&["explain"], &format!("Authorization: Bearer {UNSIGNED}\n")).fine();
    for words in ["JSON Web Token", "not signed", "without end", "critical", "Remedy", "it never ends"] {
        assert!(told.contains(words), "{words}:\n{told}");
    }
    assert!(!told.contains("eyJ"), "{told}");
    let document = place.run(&["explain", UNSIGNED, "--json"]).json();
    assert_eq!(document["kind"], "jwt");
    assert_eq!(document["blast_radius"]["reach"], "endless");
    assert_eq!(document["flaws"][0]["id"], "alg_none");
    assert!(!document.to_string().contains("eyJ"));
}

#[test]
fn what_is_no_token_is_refused() {
    let place = Place::empty();
    let refused = |input: &str, words: &[&str]| place.run_with(&["explain"], input).refused(words);
    refused("", &["no token to read"]);
    refused("two words", &["2 words"]);
    refused("eyJhbGciOiJub25lIn0.eyJzdWIi%.x", &["claims", "cut or changed"]);
    refused(&"x".repeat(70_000), &["70000 bytes"]);
    refused("a\0b", &["control characters"]);
}

/// A key and the tokens of a session, alive and dead, by the running server and by the store alone; looking uses nothing.
#[test]
fn the_server_knows_whether_it_still_works() {
    let place = Place::new(PLAIN);
    place.run(&["migrate"]).fine();
    place.run_with(&["user", "add", "ada@example.com", "--password-stdin"], PASSWORD).fine();
    let create = [
        "api-key",
        "create",
        "ada@example.com",
        "--expires-in",
        "30d",
        "--address",
        "192.0.2.0/24",
        "--json",
    ];
    let made = place.run(&create).json();
    let key = made["key"].as_str().unwrap();
    let explain = |token: &str| place.run_with(&["explain", "--json"], token).json();

    let told = explain(key);
    assert_eq!(
        (&told["kind"], &told["standing"]["active"]),
        (&Value::from("api_key"), &Value::Bool(true)),
        "{told}"
    );
    assert_eq!(told["standing"]["addresses"][0], "192.0.2.0/24");
    assert_eq!(told["blast_radius"]["reach"], "at_most");

    let server = place.serve();
    let mut browser = server.browser();
    browser.log_in("ada@example.com", PASSWORD);
    let refresh = browser.cookie("refresh");
    let access = browser.cookie("access");
    for token in [&access, &refresh] {
        let told = explain(token);
        assert_eq!(told["standing"]["active"], true, "{told}");
        assert!(!told.to_string().contains(token.get(20..60).unwrap()), "{told}");
    }
    assert!(explain(&access)["standing"]["session"].is_string());
    // By another machine, which has nothing but a key.
    let other = Place::empty();
    let asking = place
        .run(&[
            "api-key",
            "create",
            "ada@example.com",
            "--expires-in",
            "1d",
            "--scope",
            "introspect",
            "--json",
        ])
        .json();
    std::fs::write(other.path("key"), asking["key"].as_str().unwrap()).unwrap();
    let url = format!("http://{}", server.ready()["listen"][0].as_str().unwrap());
    let by_key = ["explain", "--json", "--server", &url, "--key-file", "key"];
    let told = other.run_with(&by_key, &refresh).json();
    assert_eq!(
        (&told["standing"]["active"], &told["standing"]["asked"]),
        (&Value::Bool(true), &Value::from(&*url)),
        "{told}"
    );
    std::fs::write(other.path("key"), key).unwrap();
    other.run_with(&by_key, &refresh).refused(&["refused the API key", "scope introspect"]);
    other
        .run_with(&["explain", "--server", "http://app.example.com", "--key-file", "key"], &refresh)
        .refused(&["plain http"]);
    let offline = place.run_with(&["explain", "--json", "--offline"], &refresh).json();
    assert_eq!(
        (&offline["standing"], &offline["blast_radius"]["reach"]),
        (&Value::Null, &Value::from("unknown"))
    );

    place.run(&["revoke", "--user", "ada@example.com"]).fine();
    for token in [&access, &refresh] {
        let told = explain(token);
        assert_eq!(
            (&told["standing"]["active"], &told["blast_radius"]["reach"]),
            (&Value::Bool(false), &Value::from("nothing"))
        );
    }
    // The key was looked at, not used.
    let listed = place.run(&["api-key", "list", "--json"]).json();
    assert_eq!(listed["api_keys"][0]["last_used_at"], Value::Null, "{listed}");
}
