//! Reads tables key by key and collects every fault.

use super::leaf::{Leaf, Misfit};
use super::{Sources, elsewhere};
use crate::config::load::Override;
use crate::config::problem::Problem;
use crate::config::{show, suggest};
use std::collections::BTreeMap;
use toml::{Table, Value};

/// A position in the configuration: a table, the values that stand above it, and where faults go.
pub(super) struct Reader<'a> {
    table: Option<&'a Table>,
    /// `""`, `tokens`, `upstream[app]`.
    path: String,
    /// Values above the file; empty inside lists.
    overrides: &'a BTreeMap<String, Override>,
    file: &'a str,
    problems: &'a mut Vec<Problem>,
}

static NOTHING_ABOVE: BTreeMap<String, Override> = BTreeMap::new();

impl<'a> Reader<'a> {
    pub(super) fn new(
        sources: &'a Sources,
        overrides: &'a BTreeMap<String, Override>,
        problems: &'a mut Vec<Problem>,
    ) -> Self {
        let file = sources.file.as_deref().unwrap_or("file");
        Self { table: Some(&sources.table), path: String::new(), overrides, file, problems }
    }

    /// Reads one value: the override if there is one, else the file's.
    pub(super) fn leaf<T: Leaf>(&mut self, key: &str) -> Option<T> {
        let dotted = self.dotted(key);
        let (read, shown, origin) = if let Some(above) = self.overrides.get(&dotted) {
            (T::from_text(&above.text), show_text::<T>(&above.text), above.origin.as_str())
        } else {
            let value = self.table?.get(key)?;
            (T::from_toml(value), value.as_str().map_or_else(|| show::toml(value), show_text::<T>), self.file)
        };
        match read {
            Ok(value) => Some(value),
            Err(Misfit { message, remedy }) => {
                let problem = Problem::with_value(&dotted, &shown, &message, &remedy);
                self.problems.push(problem.typed_in(origin));
                None
            }
        }
    }

    /// Reports each key of this table that is none of ours.
    pub(super) fn refuse_unknown(&mut self, keys: &[&str]) {
        let Some(table) = self.table.filter(|_| !self.path.is_empty()) else { return };
        for key in table.keys().map(String::as_str).filter(|key| !keys.contains(key)) {
            let remedy = if self.path == "cookies" && (key.contains("name") || key.contains("prefix")) {
                // B02: a plain `__Http-` prefix degrades to no protection at all in older browsers.
                "remove it; cookie names are fixed, because their prefixes are part of the protection".into()
            } else if let Some(near) = suggest::nearest(key, keys.iter().copied()) {
                format!("did you mean `{near}`?")
            } else {
                elsewhere(key).unwrap_or_else(|| format!("remove it; the keys here are: {}", keys.join(", ")))
            };
            let problem = Problem::without_value(&self.dotted(key), "unknown key", &remedy);
            self.problems.push(problem.typed_in(self.file));
        }
    }

    /// Reads `[name]`.
    pub(super) fn section<T>(&mut self, name: &str, read: impl FnOnce(&mut Reader<'_>) -> T) -> T {
        let table = match self.table.and_then(|table| table.get(name)) {
            Some(Value::Table(table)) => Some(table),
            Some(other) => {
                self.wrong_shape(name, other, &format!("write it as a section: [{name}]"));
                None
            }
            None => None,
        };
        read(&mut Reader {
            table,
            path: name.to_owned(),
            overrides: self.overrides,
            file: self.file,
            problems: self.problems,
        })
    }

    /// Reads `[[name]]`. `required` are its keys that have to be there, each with the remedy; faults name an entry by
    /// the first of them.
    pub(super) fn list<T>(
        &mut self,
        name: &str,
        required: &[(&str, &str)],
        read: impl Fn(&mut Reader<'_>) -> T,
    ) -> Vec<T> {
        let remedy = format!("write each one as a section of its own, below a line [[{name}]]");
        let entries = match self.table.and_then(|table| table.get(name)) {
            Some(Value::Array(entries)) => entries.as_slice(),
            Some(table @ Value::Table(_)) => {
                let message = "there may be several of these, so one pair of brackets is not enough";
                let problem = Problem::with_value(
                    name,
                    &show::toml(table),
                    message,
                    &format!("write [[{name}]] for [{name}]"),
                );
                self.problems.push(problem.typed_in(self.file));
                &[]
            }
            Some(other) => {
                self.wrong_shape(name, other, &remedy);
                &[]
            }
            None => &[],
        };
        let mut list = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            let Value::Table(table) = entry else {
                self.wrong_shape(name, entry, &remedy);
                continue;
            };
            let label =
                required.first().and_then(|(key, _)| table.get(*key)).and_then(Value::as_str).map(short);
            let path = format!("{name}[{}]", label.unwrap_or_else(|| format!("#{}", index + 1)));
            for (key, remedy) in required.iter().filter(|(key, _)| !table.contains_key(*key)) {
                let problem = Problem::without_value(&format!("{path}.{key}"), "this is missing", remedy);
                self.problems.push(problem.typed_in(self.file));
            }
            list.push(read(&mut Reader {
                table: Some(table),
                path,
                overrides: &NOTHING_ABOVE,
                file: self.file,
                problems: self.problems,
            }));
        }
        list
    }

    fn wrong_shape(&mut self, name: &str, value: &Value, remedy: &str) {
        let problem = Problem::with_value(name, &show::toml(value), "this is not a table", remedy);
        self.problems.push(problem.typed_in(self.file));
    }

    fn dotted(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

/// Quotes text for a message, as far as its type permits.
fn show_text<T: Leaf>(text: &str) -> String {
    if T::PRIVATE { show::scheme(text) } else { show::quoted(text) }
}

fn short(label: &str) -> String {
    label.chars().filter(|c| !c.is_control()).take(60).collect()
}
