//! `countersign drill` as it is run: exit codes, and the report in every form.

use crate::application::{Application, SECRET, findings};
use crate::place::{Place, Ran};
use serde_json::Value;
use std::fs;

const GOOD: &str = "; HttpOnly; SameSite=Lax; Max-Age=3600";
const READABLE: &str = "; SameSite=Lax; Max-Age=3600";
/// What needs little: no guessing, no waiting.
const ONLY: &str = "--only=cookie-httponly,cookie-samesite,tls";

fn drill(place: &Place, url: &str, more: &[&str]) -> Ran {
    let mut args = vec!["drill", url, "--accounts-file", "-", "--no-browser", "--rate", "1000", ONLY];
    args.extend(more);
    let ran = place.run_with(&args, &format!("{}\n", Application::account()));
    assert!(!format!("{ran:?}").contains(SECRET), "no password is told: {ran:?}");
    ran
}

#[test]
fn nothing_found_is_exit_code_0() {
    let (place, app) = (Place::empty(), Application::start(GOOD));
    let report = drill(&place, &app.url, &["--json", "--fail-on", "info"]).json();
    assert_eq!(findings(&report).len(), 0, "{report}");
    let verdict = |id: &str| {
        let all = report["checks"].as_array().unwrap();
        all.iter().find(|check| check["id"] == id).unwrap()["result"]["verdict"].clone()
    };
    assert_eq!((verdict("cookie-httponly"), verdict("tls")), ("pass".into(), "not_applicable".into()));
    assert_eq!(report["problem"], Value::Null);
}

#[test]
fn a_finding_is_exit_code_1_in_every_form_of_the_report() {
    let (place, app) = (Place::empty(), Application::start(READABLE));
    let names = ["report.json", "junit.xml", "report.sarif", "report.html"].map(|name| place.path(name));
    let [json, junit, sarif, html] = names.each_ref().map(|path| path.to_str().unwrap());
    let files = ["--json-file", json, "--junit", junit, "--sarif", sarif, "--html", html];
    let ran = drill(&place, &app.url, &files);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.out.contains("cookie-httponly") && ran.out.contains("Add HttpOnly"), "{}", ran.out);
    let [json, junit, sarif, html] = names.map(|path| fs::read_to_string(path).unwrap());
    let report: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(findings(&report).into_iter().collect::<Vec<_>>(), ["cookie-httponly"]);
    assert!(junit.contains("tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\""), "{junit}");
    let sarif: Value = serde_json::from_str(&sarif).unwrap();
    assert_eq!(sarif.pointer("/runs/0/results/0/ruleId").unwrap(), "cookie-httponly");
    assert_eq!(sarif.pointer("/runs/0/results/0/level").unwrap(), "error");
    for form in [&json, &junit, &sarif.to_string(), &html] {
        assert!(
            form.contains("cookie-httponly") && !form.contains(SECRET) && !form.contains("session-number-"),
            "{form}"
        );
    }
}

/// The same findings, but worse ones only are to fail a build.
#[test]
fn fail_on_says_what_fails() {
    let (place, app) = (Place::empty(), Application::start(READABLE));
    assert_eq!(drill(&place, &app.url, &["--fail-on", "critical"]).code, 0);
    assert_eq!(drill(&place, &app.url, &["--fail-on", "high", "--json"]).code, 1);
}

#[test]
fn what_cannot_be_run_is_exit_code_2_and_keeps_what_was_seen() {
    let (place, app) = (Place::empty(), Application::start(GOOD));
    let file = place.path("report.json");
    let args = [
        "drill",
        &app.url,
        "--accounts-file",
        "-",
        "--no-browser",
        ONLY,
        "--json-file",
        file.to_str().unwrap(),
    ];
    place.run_with(&args, "victim@example.test:another one\n").refused(&["POST /enter → 401", "password"]);
    let report: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert!(report["problem"].as_str().unwrap().contains("401"), "{report}");
    assert_eq!(report["checks"].as_array().unwrap().len(), 3, "what could be tried was");
    drill(&place, &app.url, &["--only", "cookie-httonly"])
        .refused(&["no check \"cookie-httonly\"", "cookie-httponly"]);
    place.run(&["drill", &app.url, "--no-browser"]).refused(&["name a test account"]);
    place.run_with(&["drill", "localhost:1", "--accounts-file", "-"], "a:b").refused(&["http"]);
}
