//! `api-key`, beside a running server and without one.

use crate::place::{PASSWORD, PLAIN, Place};
use serde_json::Value;

fn with_ada() -> Place {
    let place = Place::new(PLAIN);
    place.run(&["migrate"]).fine();
    let add = ["user", "add", "ada@example.com", "--password-stdin", "--scope", "reports:read"];
    place.run_with(&add, PASSWORD).fine();
    place
}

fn create(place: &Place, more: &[&str]) -> Value {
    let base = ["api-key", "create", "ada@example.com", "--expires-in", "30d", "--json"];
    place.run(&[&base[..], more].concat()).json()
}

/// G03, G04, G05, G08: made with the server down, used with it up, revoked beside it: dead for the very next request.
#[test]
fn g08_a_key_from_its_making_to_its_end() {
    let place = with_ada();
    let made = create(&place, &["--name", "ci", "--scope", "introspect", "--scope", "reports:read"]);
    let key = made["key"].as_str().unwrap();
    assert!(key.starts_with("csk_development_"), "{made}");
    assert_eq!(made["api_key"]["effective_scope"], serde_json::json!(["introspect", "reports:read"]));
    let id = made["api_key"]["id"].as_str().unwrap();

    let server = place.serve();
    let asks = || server.browser().introspect(key, key);
    assert_eq!((asks().status, asks().json()["active"].clone()), (200, Value::Bool(true)));
    let second = create(&place, &["--scope", "introspect"]);
    let second = second["key"].as_str().unwrap();
    assert_eq!(server.browser().introspect(second, key).status, 200, "made beside the server");

    let out = place.run(&["api-key", "list", "--user", "ada@example.com"]).fine();
    for words in [
        "ci",
        "ada@example.com",
        "live",
        "introspect reports:read",
        made["api_key"]["last4"].as_str().unwrap(),
    ] {
        assert!(out.contains(words), "{words}:\n{out}");
    }
    assert!(!out.contains(key));
    assert!(place.run(&["api-key", "revoke", id]).fine().contains("1 key revoked"));
    assert_eq!(asks().code(), "token_invalid");
    assert_eq!(server.browser().introspect(second, second).status, 200);
    assert_eq!(place.run(&["api-key", "revoke", "--user", "ada@example.com", "--json"]).json()["revoked"], 1);
    assert_eq!(server.browser().introspect(second, second).code(), "token_invalid");
    let listed = place.run(&["api-key", "list", "--json"]).json();
    let states: Vec<_> =
        listed["api_keys"].as_array().unwrap().iter().map(|key| key["state"].clone()).collect();
    assert_eq!(states, ["revoked", "revoked"]);
    assert!(!listed.to_string().contains(key.get(20..60).unwrap()));
}

/// What cannot be granted is refused with what to do.
#[test]
fn g04_g05_refusals() {
    let place = with_ada();
    let create = |more: &[&str]| place.run(&[&["api-key", "create", "ada@example.com"][..], more].concat());
    create(&[]).refused(&["--expires-in"]);
    create(&["--expires-in", "soon"]).refused(&["30d"]);
    create(&["--expires-in", "91d"]).refused(&["within 90 days"]);
    create(&["--expires-in", "0s"]).refused(&["within 90 days"]);
    create(&["--expires-in", "1d", "--scope", "admin"]).refused(&["does not have", "admin"]);
    create(&["--expires-in", "1d", "--scope", "sessions:open"]).refused(&["list of addresses"]);
    let both =
        ["--expires-in", "1d", "--address", "192.0.2.1", "--scope", "sessions:open", "--scope", "introspect"];
    create(&both).refused(&["only one"]);
    create(&["--expires-in", "1d", "--address", "nowhere"]).refused(&["\"nowhere\"", "192.0.2.0/24"]);
    place
        .run(&["api-key", "create", "bob@example.com", "--expires-in", "1d"])
        .refused(&["no user", "user list"]);
    place.run(&["api-key", "revoke", "nonsense"]).refused(&["nonsense", "api-key list"]);
    place.run(&["api-key", "revoke"]).refused(&["--user"]);
    assert!(place.run(&["api-key", "list"]).fine().contains("no API keys"));
    create(&["--expires-in", "1d", "--address", "192.0.2.1", "--scope", "sessions:open"]).fine();
}

/// `api_keys.max_ttl` holds for operators too.
#[test]
fn g05_the_maximum_is_configured() {
    let place = Place::new(&format!("{PLAIN}\n[api_keys]\nmax_ttl = \"2d\"\nmax_per_user = 1\n"));
    place.run(&["migrate"]).fine();
    place.run_with(&["user", "add", "ada@example.com", "--password-stdin"], PASSWORD).fine();
    let create = |ttl: &str| place.run(&["api-key", "create", "ada@example.com", "--expires-in", ttl]);
    create("3d").refused(&["within 2 days"]);
    let out = create("2d").fine();
    assert!(out.contains("csk_development_") && out.contains("no scope"), "{out}");
    create("1d").refused(&["as many keys as allowed (1)", "revoke one"]);
}
