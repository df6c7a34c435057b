//! File, then variables, then flags; unknown names in each.

use super::{DEVELOPMENT, HARDENED, faults, readable};
use crate::config::{Level, SameSite, Sources, read};
use std::time::Duration;

fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn the_later_layer_wins() {
    let file = format!("{HARDENED}[tokens]\naccess_ttl = \"5m\"\n");
    let sources = || Sources::from_text("countersign.toml", &file).unwrap();
    let seconds = |sources: &Sources| read(sources).unwrap().inspect().tokens.access_ttl;
    assert_eq!(seconds(&sources()), Duration::from_secs(300));
    let env = || sources().with_variables(variables(&[("COUNTERSIGN_TOKENS__ACCESS_TTL", "6m")]));
    assert_eq!(seconds(&env()), Duration::from_secs(360));
    assert_eq!(
        seconds(&env().with_flag("--access-ttl", "tokens.access_ttl", "7m")),
        Duration::from_secs(420)
    );
}

#[test]
fn variables_reach_every_kind_of_value() {
    let sources = Sources::default().with_variables(variables(&[
        ("COUNTERSIGN_PUBLIC_URL", "https://app.example.com"),
        ("COUNTERSIGN_TLS__MODE", "off"),
        ("COUNTERSIGN_LISTEN__TRUSTED_PROXIES", "10.0.0.1, 10.0.0.2"),
        ("COUNTERSIGN_TOKENS__AUDIENCE", "app,api"),
        ("COUNTERSIGN_ACCOUNTS__MAX_SESSIONS", "3"),
        ("COUNTERSIGN_LOG__ACCESS", "false"),
        ("COUNTERSIGN_COOKIES__SAME_SITE", "Lax"),
        ("PATH", "/bin"),
    ]));
    let (settings, findings) = read(&sources).unwrap().start().unwrap();
    assert_eq!(settings.listen.trusted_proxies.to_string(), "[\"10.0.0.1/32\", \"10.0.0.2/32\"]");
    assert_eq!(settings.tokens.audience, ["app", "api"]);
    assert_eq!(settings.accounts.max_sessions, 3);
    assert!(!settings.log.access);
    assert_eq!(settings.cookies.same_site, SameSite::Lax);
    assert!(findings.iter().all(|finding| finding.level == Level::Note), "{findings:?}");
}

/// Unknown variables warn, with a suggestion and without their value: it may be a mistyped master key (I01).
#[test]
fn unknown_variables_warn() {
    let sources = Sources::from_text("countersign.toml", DEVELOPMENT).unwrap().with_variables(variables(&[
        ("COUNTERSIGN_TOKENS__ACESS_TTL", "hunter2"),
        ("COUNTERSIGN_TOKENS_ACCESS_TTL", "hunter2"),
        ("COUNTERSIGN_MASTERKEY", "hunter2"),
        ("COUNTERSIGN_MASTER_KEY", "hunter2"),
        ("COUNTERSIGN_tokens__idle_ttl", "hunter2"),
    ]));
    let checked = read(&sources).unwrap();
    let warned: Vec<_> =
        checked.findings().iter().filter(|finding| finding.level == Level::Warning).collect();
    let keys: Vec<_> = warned.iter().map(|finding| finding.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "COUNTERSIGN_TOKENS__ACESS_TTL",
            "COUNTERSIGN_TOKENS_ACCESS_TTL",
            "COUNTERSIGN_MASTERKEY",
            "COUNTERSIGN_tokens__idle_ttl"
        ]
    );
    for finding in &warned[..2] {
        assert!(finding.remedy.contains("COUNTERSIGN_TOKENS__ACCESS_TTL"), "{finding}");
    }
    assert!(!format!("{:?}", checked.findings()).contains("hunter2"));
}

/// B02: cookie names cannot be configured at all, so a bare `__Http-` prefix cannot be either.
#[test]
fn cookie_names_are_fixed() {
    for key in ["prefix", "name", "access_name"] {
        let file = format!("{DEVELOPMENT}[cookies]\n{key} = \"__Http-\"");
        assert_eq!(faults(&file, &[]), [format!("cookies.{key}")]);
    }
}

/// I01, I03: passwords in values appear neither in messages nor in a printed configuration.
#[test]
fn passwords_are_not_shown() {
    for (key, text) in [
        ("store", "sqlite:x?password=hunter2"),
        ("store", "mysql://u:hunter2@h/d"),
        ("mail.smtp", "smtps://u:hunter2"),
        ("mail.smtp", "u:hunter2@h"),
        ("public_url", "https://u:hunter2@h"),
        ("tokens.access_ttl", "postgres://u:hunter2@h"),
    ] {
        let sources = Sources::from_text("f", DEVELOPMENT).unwrap().with_flag("--test", key, text);
        let refused = read(&sources).unwrap_err();
        assert!(!format!("{refused} {refused:?}").contains("hunter2"), "{refused}");
    }
    let broken =
        Sources::from_text("f", "environment = \"x\"\nstore = \"postgres://u:hunter2@h").unwrap_err();
    assert!(!format!("{broken} {broken:?}").contains("hunter2"), "{broken}");
    let values =
        [("store", "postgres://u:hunter2@h/d"), ("mail.smtp", "smtps://u:hunter2@h"), ("mail.from", "a@b")];
    assert!(!format!("{:?}", readable(HARDENED, &values)).contains("hunter2"));
}

#[test]
fn a_named_file_must_exist() {
    let absent = std::env::temp_dir().join("countersign-no-such-file.toml");
    let refused = Sources::gather(Some(&absent)).unwrap_err();
    assert_eq!(refused.problems()[0].key, "--config");
}
