//! `check`.

use crate::place::{PLAIN, Place};

const HARDENED: &str = r#"
public_url = "https://app.example.com"
[listen]
trusted_proxies = ["10.0.0.0/8"]
[tls]
mode = "off"
"#;

#[test]
fn a_safe_configuration_is_exit_code_0() {
    let place = Place::new(PLAIN);
    assert!(place.run(&["check"]).fine().contains("Safe to serve"));
    let document = place.run(&["check", "--json"]).json();
    assert_eq!(document["unsafe"], false);
    assert_eq!(document["environment"], "development");
}

/// D15: a deviation is printed with what to do about it; an unsafe one is a finding, not a failure.
#[test]
fn d15_an_unsafe_value_is_exit_code_1_with_its_remedy() {
    let place = Place::new(&format!("{HARDENED}[tokens]\naccess_ttl = \"2h\"\nabsolute_ttl = \"60d\""));
    let ran = place.run(&["check"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    for word in ["Unsafe (1)", "tokens.access_ttl", "Warnings", "tokens.absolute_ttl", "remedy:", "Not safe"]
    {
        assert!(ran.out.contains(word), "{word}:\n{}", ran.out);
    }
    let ran = place.run(&["check", "--json"]);
    assert_eq!(ran.code, 1);
    let document: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let unsafe_ones: Vec<_> = document["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["level"] == "unsafe")
        .map(|finding| finding["key"].as_str().unwrap())
        .collect();
    assert_eq!(unsafe_ones, ["tokens.access_ttl"]);
}

#[test]
fn files_are_looked_at() {
    let place = Place::new(
        "public_url = \"https://app.example.com\"\n[tls]\ncert_file = \"none.pem\"\nkey_file = \"none.key\"",
    );
    let ran = place.run(&["check"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("tls.key_file = \"none.key\""), "{}", ran.out);
}
