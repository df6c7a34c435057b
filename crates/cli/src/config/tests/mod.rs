//! The rules, as tables: what is typed, and what becomes of it.

mod clients;
mod development;
mod document;
mod forward_auth;
mod gateway;
mod issuers;
mod layers;
mod messages;
#[cfg(unix)]
mod probe;
mod remedies;
mod retrofit;
mod rules;
mod values;

use super::{Checked, Finding, Level, Refused, Sources, read};

/// The least that a hardened environment needs.
const HARDENED: &str = r#"
public_url = "https://app.example.com"
[tls]
cert_file = "cert.pem"
key_file = "key.pem"
"#;

const DEVELOPMENT: &str = "environment = \"development\"\n";

/// A file with values laid over it.
fn with(file: &str, values: &[(&str, &str)]) -> Result<Checked, Refused> {
    let sources = Sources::from_text("countersign.toml", file).expect("the file is TOML");
    read(&values.iter().fold(sources, |sources, (key, text)| sources.with_flag("--test", key, text)))
}

fn readable(file: &str, values: &[(&str, &str)]) -> Checked {
    with(file, values).unwrap_or_else(|refused| panic!("{values:?}: {refused}"))
}

/// What is said about one key.
fn about<'a>(checked: &'a Checked, key: &str) -> Vec<&'a Finding> {
    checked.findings().iter().filter(|finding| finding.key == key).collect()
}

/// The keys of all problems.
fn faults(file: &str, values: &[(&str, &str)]) -> Vec<String> {
    match with(file, values) {
        Ok(checked) => panic!("{values:?} was read: {:?}", checked.findings()),
        Err(refused) => refused.problems().iter().map(|problem| problem.key.clone()).collect(),
    }
}

fn worst(checked: &Checked) -> Option<Level> {
    checked.findings().iter().map(|finding| finding.level).min()
}
