//! Exit codes, help, completions.

use crate::place::{PLAIN, Place};

#[test]
fn wrong_usage_is_exit_code_2_and_says_what_is_right() {
    let place = Place::empty();
    for args in [
        &[][..],
        &["fly"],
        &["serve", "--no-such-flag"],
        &["revoke"],
        &["revoke", "--all", "--user", "a@b.c"],
        &["events", "--limit", "0"],
        &["completions", "cmd"],
    ] {
        let ran = place.run(args);
        assert_eq!(ran.code, 2, "{args:?}: {}", ran.err);
        assert!(["Usage", "--help"].iter().any(|hint| ran.err.contains(hint)), "{args:?}: {}", ran.err);
    }
}

/// What every command takes stands apart, below what one command takes.
#[test]
fn help_of_a_command_shows_its_own_options_first() {
    let help = Place::empty().run(&["signing-key", "rotate", "--help"]).fine();
    let at = |words: &str| help.find(words).unwrap_or_else(|| panic!("{words:?} is missing in:\n{help}"));
    assert!(at("--now") < at("Global options:") && at("Global options:") < at("--log-level"), "{help}");
    assert!(!help.contains("possible values") && !help.contains("Possible values"), "{help}");
}

#[test]
fn help_version_and_completions_need_no_configuration() {
    let place = Place::empty();
    assert!(place.run(&["--help"]).fine().contains("Exit codes"));
    assert!(place.run(&["--version"]).fine().contains(env!("CARGO_PKG_VERSION")));
    for shell in ["bash", "zsh", "fish"] {
        assert!(place.run(&["completions", shell]).fine().contains("signing-key"), "{shell}");
    }
}

#[test]
fn a_named_configuration_must_be_there() {
    Place::empty().run(&["check", "--config", "elsewhere.toml"]).refused(&["--config", "elsewhere.toml"]);
}

/// What scripts read has no colours, and errors are documents too.
#[test]
fn output_for_programs() {
    let place = Place::new("acces_ttl = \"1m\"");
    let ran = place.run(&["serve", "--json"]);
    assert_eq!(ran.code, 2);
    let document: serde_json::Value = serde_json::from_str(&ran.err).unwrap();
    assert_eq!(document["problems"][0]["key"], "acces_ttl");
    let place = Place::new(PLAIN);
    place.run(&["migrate"]).fine();
    let ran = place.run(&["user", "list"]);
    assert!(!ran.fine().contains('\u{1b}'));
}

#[test]
fn commands_before_the_first_start_say_what_to_do() {
    Place::new(PLAIN).run(&["user", "list"]).refused(&["no store", "countersign migrate"]);
}
