//! A configuration file with something added at its end. What stands there is never changed: comments, order and
//! everything that somebody decided stay as they are.

use super::{Found, text};
use std::path::Path;
use toml::{Table, Value};
use url::Url;

/// What the file would hold.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Merged {
    /// The whole new text; as it was if there is nothing to add.
    pub(crate) text: String,
    /// What is added, and nothing else.
    pub(crate) added: String,
    /// The upstream's name.
    pub(crate) upstream: String,
}

/// Why nothing can be added.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum Conflict {
    /// The name is another upstream's.
    #[error("there is an upstream {name:?} for {url}: choose another name with --name")]
    Taken {
        /// The name.
        name: String,
        /// What it stands for.
        url: String,
    },
    /// Somebody decided otherwise.
    #[error(
        "there is a [[retrofit]] for {upstream:?} already, and it says otherwise; nothing was changed. Mend by hand what is wrong:\n{}",
        .differences.join("\n")
    )]
    Decided {
        /// The upstream.
        upstream: String,
        /// `- key = value` as it stands and `+ key = value` as it was found, line by line.
        differences: Vec<String>,
    },
}

/// How the first line says where the rest came from.
const HEAD: &str = "# What `countersign retrofit probe` found.\n";
/// A new file is for this machine: `countersign dev` fills in the rest.
const NEW: &str = "# For `countersign dev` on this machine; docs/configuration.md says what a real site needs.\nenvironment = \"development\"\n";

/// Adds what was found to a file's text, or to a new file for `dev`. The name is chosen if none is given.
///
/// # Errors
/// [`Conflict`].
pub(crate) fn merge(
    before: Option<(&str, &Table)>,
    found: &Found,
    name: Option<&str>,
) -> Result<Merged, Conflict> {
    let empty = Table::new();
    let (before, table) = before.unwrap_or((NEW, &empty));
    let upstreams: Vec<&Table> = entries(table, "upstream").collect();
    let known = upstreams.iter().find(|entry| same_origin(entry.get("url"), &found.url));
    let upstream = match (known, name) {
        (Some(known), _) => text_of(known, "name").unwrap_or_default().to_owned(),
        (None, Some(name)) => name.to_owned(),
        (None, None) => free_name(&upstreams),
    };
    let taken = upstreams.iter().find(|entry| known.is_none() && text_of(entry, "name") == Some(&*upstream));
    if let Some(taken) = taken {
        return Err(Conflict::Taken {
            name: upstream,
            url: text_of(taken, "url").unwrap_or("another address").into(),
        });
    }
    let mut added = String::new();
    if known.is_none() {
        added.push_str(&text::upstream(&upstream, found));
        added.push('\n');
    }
    let of_it = |entry: &&Table| match text_of(entry, "upstream") {
        Some(named) => named == upstream,
        // Without a name it is for the only upstream.
        None => known.is_some() && upstreams.len() == 1,
    };
    match entries(table, "retrofit").find(of_it) {
        None => added.push_str(&text::retrofit(&upstream, found)),
        Some(entry) => {
            let differences = differences(entry, &upstream, found);
            if !differences.is_empty() {
                return Err(Conflict::Decided { upstream, differences });
            }
        }
    }
    if added.is_empty() {
        return Ok(Merged { text: before.to_owned(), added, upstream });
    }
    let added = format!("{HEAD}{added}");
    let gap = if before.is_empty() || before.ends_with("\n\n") {
        ""
    } else if before.ends_with('\n') {
        "\n"
    } else {
        "\n\n"
    };
    Ok(Merged { text: format!("{before}{gap}{added}"), added, upstream })
}

fn entries<'t>(table: &'t Table, name: &str) -> impl Iterator<Item = &'t Table> {
    table.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_table)
}

fn text_of<'t>(entry: &'t Table, key: &str) -> Option<&'t str> {
    entry.get(key).and_then(Value::as_str)
}

/// `http://localhost:3000` and `http://LOCALHOST:3000/` are one address.
fn same_origin(configured: Option<&Value>, url: &str) -> bool {
    let origin = |text: &str| Url::parse(text).ok().map(|url| url.origin());
    let configured = configured.and_then(Value::as_str).and_then(origin);
    configured.is_some() && configured == origin(url)
}

/// `app`, `app2` …
fn free_name(upstreams: &[&Table]) -> String {
    let free = |name: &String| !upstreams.iter().any(|entry| text_of(entry, "name") == Some(name));
    let numbered = (2..).map(|number| format!("app{number}"));
    std::iter::once("app".to_owned()).chain(numbered).find(free).unwrap_or_default()
}

/// Where a table that stands there says otherwise. Keys that were not looked for are its author's business, and so is
/// a request that it names and that was not found.
fn differences(entry: &Table, upstream: &str, found: &Found) -> Vec<String> {
    let mut lines = Vec::new();
    for (key, value) in text::retrofit_pairs(upstream, found) {
        let stands = entry.get(&key);
        let same = match (stands, &value) {
            (Some(Value::Array(there)), Value::Array(wanted)) => {
                wanted.iter().all(|line| there.contains(line))
            }
            (Some(there), wanted) => there == wanted,
            // What is left out has a default, which may be right.
            (None, _) => key == "upstream" || is_default(&key, &value),
        };
        if !same {
            lines.extend(stands.map(|there| format!("- {key} = {there}")));
            lines.push(format!("+ {key} = {value}"));
        }
    }
    lines
}

fn is_default(key: &str, value: &Value) -> bool {
    let default = match key {
        "token" => "json:/token",
        "inject" => "authorization: Bearer {token}",
        _ => return false,
    };
    value.as_str() == Some(default)
}

/// Puts text in a file's place, whole or not at all, with the permissions that it has; a new file is its owner's alone to
/// write.
///
/// # Errors
/// Of the file system.
pub(crate) fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    let target = std::fs::canonicalize(path).unwrap_or_else(|_absent| path.to_owned());
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = target.with_file_name(name);
    let written = (|| {
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(&beside)?;
        if let Ok(there) = std::fs::metadata(&target) {
            file.set_permissions(there.permissions())?;
        }
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&beside, &target)
    })();
    if written.is_err() {
        drop(std::fs::remove_file(&beside));
    }
    written
}

#[cfg(test)]
mod tests {
    use super::super::text::tests::found;
    use super::*;

    fn into(file: &str, name: Option<&str>) -> Result<Merged, Conflict> {
        merge(Some((file, &file.parse::<Table>().unwrap())), &found(), name)
    }

    #[test]
    fn a_new_file_is_for_dev() {
        let merged = merge(None, &found(), None).unwrap();
        insta::assert_snapshot!(merged.text, @r#"
        # For `countersign dev` on this machine; docs/configuration.md says what a real site needs.
        environment = "development"

        # What `countersign retrofit probe` found.
        [[upstream]]
        name = "app"
        url = "http://localhost:3000"

        [[retrofit]]
        upstream = "app"
        login = ["POST /api/login"]
        logout = ["POST /api/logout"]
        token = "json:/token"
        inject = "authorization: Bearer {token}"
        subject = "/sub"
        "#);
    }

    #[test]
    fn what_stands_there_stays() {
        let file = "# mine\npublic_url = 'https://a.example' # really\n[[upstream]]\nname = \"shop\"\nurl = \"http://LOCALHOST:3000/\"";
        let merged = into(file, None).unwrap();
        assert!(merged.text.starts_with(file), "{}", merged.text);
        assert_eq!(merged.upstream, "shop");
        assert!(!merged.added.contains("[[upstream]]"), "{}", merged.added);
        assert!(merged.added.contains("upstream = \"shop\""), "{}", merged.added);
        let again = into(&merged.text, None).unwrap();
        assert_eq!((again.text, again.added.as_str()), (merged.text, ""));
    }

    #[test]
    fn names_are_free_or_refused() {
        let other = "[[upstream]]\nname = \"app\"\nurl = \"http://localhost:4000\"\n";
        assert_eq!(into(other, None).unwrap().upstream, "app2");
        assert_eq!(into(other, Some("shop")).unwrap().upstream, "shop");
        let taken = into(other, Some("app")).unwrap_err();
        assert_eq!(taken, Conflict::Taken { name: "app".into(), url: "http://localhost:4000".into() });
    }

    #[test]
    fn a_decision_is_never_overwritten() {
        let head = "[[upstream]]\nname = \"app\"\nurl = \"http://localhost:3000\"\n[[retrofit]]\n";
        let file = format!("{head}login = [\"POST /api/login\"]\ntoken = \"json:/jwt\"\n");
        let Conflict::Decided { upstream, differences } = into(&file, None).unwrap_err() else { panic!() };
        assert_eq!(upstream, "app");
        assert_eq!(
            differences,
            [
                "+ logout = [\"POST /api/logout\"]",
                "- token = \"json:/jwt\"",
                "+ token = \"json:/token\"",
                "+ subject = \"/sub\""
            ]
        );
        // More than was found is no contradiction, nor is a default that is left out.
        let file = format!(
            "{head}login = [\"POST /api/login\", \"POST /api/signup\"]\nlogout = [\"POST /api/logout\"]\nsubject = \"/sub\"\nend_on_401 = true\n"
        );
        assert_eq!(into(&file, None).unwrap().added, "");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_replaced_whole_and_keeps_its_mode() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("countersign.toml");
        std::fs::write(&path, "old").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        replace(&path, "new").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
        assert!(replace(&directory.path().join("none/x.toml"), "new").is_err());
    }
}
