//! Where values come from: the file, then variables `COUNTERSIGN_SECTION__KEY`, then flags; the later one wins.

use super::finding::Findings;
use super::problem::{Problem, Refused};
use super::{Finding, suggest};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

/// The file that is read when `--config` names none.
pub(crate) const DEFAULT_FILE: &str = "countersign.toml";
const PREFIX: &str = "COUNTERSIGN_";
/// Variables of ours that are no settings: the master secret (design §4) and test accounts never enter them.
const NOT_SETTINGS: &[&str] = &["COUNTERSIGN_MASTER_KEY", "COUNTERSIGN_PROBE_ACCOUNT"];

/// Everything the operator typed, not yet interpreted.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    pub(super) table: toml::Table,
    /// Name of the file, for messages; `None` if there is no file.
    pub(super) file: Option<String>,
    variables: Vec<(String, String)>,
    flags: Vec<(String, String, String)>,
}

/// A value that stands above the file.
#[derive(Debug)]
pub(super) struct Override {
    pub(super) text: String,
    /// The variable or flag it came from.
    pub(super) origin: String,
}

impl Sources {
    /// Reads the configuration file and the process environment. A file that was not named may be absent: then
    /// everything comes from variables and defaults.
    ///
    /// # Errors
    /// [`Refused`] if the file is named and cannot be read, or is not TOML, or a variable is not UTF-8.
    pub(crate) fn gather(named: Option<&Path>) -> Result<Self, Refused> {
        let path = named.unwrap_or_else(|| Path::new(DEFAULT_FILE));
        let sources = match std::fs::read_to_string(path) {
            Ok(text) => Self::from_text(&path.display().to_string(), &text)?,
            Err(error) if error.kind() == ErrorKind::NotFound && named.is_none() => Self::default(),
            Err(error) => {
                let remedy = "name a readable file with --config";
                let value = format!("{:?}", path.display().to_string());
                let message = format!("the configuration file cannot be read: {error}");
                return Err(Refused::new(vec![Problem::with_value("--config", &value, &message, remedy)]));
            }
        };
        sources.with_process_environment()
    }

    /// Takes the text of a file.
    ///
    /// # Errors
    /// [`Refused`] if the text is not TOML. The message gives line and column, never the line itself: it may hold
    /// a password.
    pub(crate) fn from_text(name: &str, text: &str) -> Result<Self, Refused> {
        let table = text.parse::<toml::Table>().map_err(|error| {
            let before: String = text.chars().take(characters_before(text, error.span())).collect();
            let line = before.matches('\n').count() + 1;
            let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
            // The parser's first line names the fault; later ones could quote the file.
            let fault = error.message().lines().next().unwrap_or("syntax error").to_owned();
            let key = format!("{name}:{line}:{column}");
            let remedy = if fault.contains("duplicate key") {
                "keep one of the two; a section, too, may stand there only once"
            } else {
                "write TOML 1.0: key = \"value\""
            };
            Refused::new(vec![Problem::without_value(&key, &fault, remedy)])
        })?;
        Ok(Self { table, file: Some(name.to_owned()), ..Self::default() })
    }

    /// Adds the variables of this process: the only place that reads them.
    ///
    /// # Errors
    /// [`Refused`] if one of ours is not UTF-8.
    pub(crate) fn with_process_environment(self) -> Result<Self, Refused> {
        let mut variables = Vec::new();
        for (name, value) in std::env::vars_os() {
            let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else { continue };
            let Some(value) = value.to_str() else {
                let problem =
                    Problem::without_value(name, "the variable is not UTF-8", "set it to plain text");
                return Err(Refused::new(vec![problem]));
            };
            variables.push((name.to_owned(), value.to_owned()));
        }
        Ok(self.with_variables(variables))
    }

    /// Adds variables by name and value; those of others are ignored.
    pub(crate) fn with_variables(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        self.variables.extend(variables.into_iter().filter(|(name, _)| name.starts_with(PREFIX)));
        self
    }

    /// Adds a flag as typed (`--public-url`), the dotted key that it sets, and its text.
    pub(crate) fn with_flag(mut self, flag: &str, key: &str, text: &str) -> Self {
        self.flags.push((flag.to_owned(), key.to_owned(), text.to_owned()));
        self
    }

    /// The values above the file by dotted key, and a warning for each variable that sets nothing.
    pub(super) fn overrides(&self, known: &[String]) -> (BTreeMap<String, Override>, Vec<Finding>) {
        let mut overrides = BTreeMap::new();
        let mut findings = Findings::default();
        for (name, text) in &self.variables {
            let key = name.trim_start_matches(PREFIX).to_ascii_lowercase().replace("__", ".");
            if NOT_SETTINGS.contains(&name.as_str()) {
                continue;
            } else if known.contains(&key) && *name == variable(&key) {
                overrides.insert(key, Override { text: text.clone(), origin: name.clone() });
            } else {
                // The value stays out of the message: a mistyped COUNTERSIGN_MASTER_KEY is a secret.
                let names = known.iter().map(String::as_str);
                let remedy = match suggest::nearest(&key, names) {
                    Some(near) => format!("did you mean {}?", variable(near)),
                    None => "unset it, or write COUNTERSIGN_SECTION__KEY; [[upstream]] and [[route]] go in the file".into(),
                };
                findings.warn(name, "(hidden)", "this variable sets nothing", &remedy);
            }
        }
        for (flag, key, text) in &self.flags {
            overrides.insert(key.clone(), Override { text: text.clone(), origin: flag.clone() });
        }
        (overrides, findings.into_vec())
    }
}

fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_ascii_uppercase())
}

fn characters_before(text: &str, span: Option<std::ops::Range<usize>>) -> usize {
    let start = span.map_or(0, |span| span.start);
    text.char_indices().take_while(|(at, _)| *at < start).count()
}
