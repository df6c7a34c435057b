//! `check`.

use crate::place::{PLAIN, Place};
use std::fs;
use std::os::unix::fs::PermissionsExt;

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

/// What `serve` would refuse, `check` does not call safe.
#[test]
fn a_pair_that_serve_refuses_is_unsafe() {
    let place = Place::new(
        "public_url = \"https://app.example.com\"\n[listen]\naddress = \"127.0.0.1:0\"\nadmin = \"127.0.0.1:0\"\n\
         [tls]\ncert_file = \"cert.pem\"\nkey_file = \"key.pem\"",
    );
    let pair = || {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(vec!["www.example.com".to_owned()]).unwrap();
        (certificate.self_signed(&key).unwrap().pem(), key.serialize_pem())
    };
    let (certificate, key) = pair();
    fs::write(place.path("cert.pem"), "no certificate").unwrap();
    fs::write(place.path("key.pem"), &key).unwrap();
    fs::set_permissions(place.path("key.pem"), fs::Permissions::from_mode(0o600)).unwrap();
    let ran = place.run(&["check"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(
        ran.out.contains("tls.cert_file = \"cert.pem\"") && ran.out.contains("holds no certificate"),
        "{}",
        ran.out
    );
    place.run(&["serve"]).refused(&["tls.cert_file", "holds no certificate", "remedy:"]);

    fs::write(place.path("cert.pem"), pair().0).unwrap();
    let ran = place.run(&["check"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("does not belong to the first certificate"), "{}", ran.out);
    place.run(&["serve"]).refused(&["tls.key_file", "does not belong", "remedy:"]);

    fs::write(place.path("cert.pem"), certificate).unwrap();
    let out = place.run(&["check"]).fine();
    assert!(out.contains("not for the host of public_url") && out.contains("Safe to serve"), "{out}");
}

#[test]
fn a_kind_of_store_that_serve_refuses_is_unsafe() {
    let place = Place::new(&PLAIN.replace("sqlite:countersign.db", "postgres://u:hunter2@localhost/c"));
    let ran = place.run(&["check"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("SQLite only") && !ran.out.contains("hunter2"), "{}", ran.out);
    place.run(&["serve"]).refused(&["SQLite only", "sqlite:countersign.db"]);
}
