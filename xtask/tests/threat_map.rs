//! Keeps `docs/threat-model.md` true: every test that it names is there, and every failure that it has to answer is in it.
#![expect(clippy::unwrap_used, reason = "test code: a panic is a failed test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn sources(directory: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !matches!(name.as_str(), "node_modules" | "target") {
                sources(&path, into);
            }
        } else if name.ends_with(".rs") || name.ends_with(".test.mjs") {
            into.push(path);
        }
    }
}

/// The names of all tests in a source: functions that an attribute marks as a test (or that a macro of proptest's makes one), and titles.
fn tests_in(file: &Path, text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    if file.extension().is_some_and(|extension| extension == "mjs") {
        for (start, end) in [("test(\"", "\""), ("test(`", "`")] {
            found.extend(
                text.split(start).skip(1).filter_map(|rest| rest.split(end).next()).map(str::to_owned),
            );
        }
        return found;
    }
    let in_macro = text.contains("proptest!");
    let mut marked = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[") {
            marked |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        } else if let Some(rest) = line.strip_prefix("fn ").or_else(|| line.strip_prefix("async fn ")) {
            if marked || in_macro {
                found.extend(rest.split(['(', '<']).next().map(str::to_owned));
            }
            marked = false;
        }
    }
    found
}

fn all_tests() -> BTreeSet<String> {
    let mut files = Vec::new();
    for folder in ["crates", "examples", "xtask", "e2e", "js"] {
        sources(&root().join(folder), &mut files);
    }
    files.iter().flat_map(|file| tests_in(file, &fs::read_to_string(file).unwrap())).collect()
}

/// What stands between backticks in the last column of the tables.
fn named(document: &str) -> Vec<String> {
    let map = document.split("## Each attack and the test that does it").nth(1).unwrap();
    let rows = map.lines().filter(|line| line.starts_with("| "));
    rows.filter_map(|row| row.trim_end_matches([' ', '|']).rsplit(" | ").next())
        .flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

fn document() -> String {
    fs::read_to_string(root().join("docs/threat-model.md")).unwrap()
}

#[test]
fn every_test_that_is_named_is_there() {
    let (tests, named) = (all_tests(), named(&document()));
    assert!(
        tests.len() > 500 && named.len() > 120,
        "{} tests, {} named: the walk is broken",
        tests.len(),
        named.len()
    );
    let missing: Vec<_> = named.iter().filter(|name| !tests.contains(*name)).collect();
    assert!(missing.is_empty(), "docs/threat-model.md names tests that are not there: {missing:#?}");
}

/// A row that names no test promises nothing.
#[test]
fn every_row_names_a_test() {
    let document = document();
    let map = document.split("## Each attack and the test that does it").nth(1).unwrap();
    for row in map
        .lines()
        .filter(|row| row.starts_with("| ") && !row.starts_with("| attack") && !row.starts_with("| failure"))
    {
        assert!(row.matches('`').count() >= 2, "{row}");
    }
}

/// The failures that stay as regression tests.
#[test]
fn every_failure_of_others_is_in_it() {
    let document = document();
    for failure in [
        "CVE-2026-1035",
        "CVE-2026-9802",
        "#51312",
        "CVE-2026-9798",
        "CVE-2026-25537",
        "CVE-2015-9235",
        "CVE-2022-29217",
        "CVE-2023-48223",
        "CVE-2018-0114",
        "CVE-2025-64484",
        "CVE-2026-40575",
        "CVE-2026-34457",
        "CVE-2020-5233",
        "CVE-2020-11053",
        "CVE-2021-32813",
        "CVE-2024-45410",
        "CVE-2025-29927",
        "CVE-2024-38513",
        "CVE-2025-47910",
        "CVE-2022-29226",
        "CVE-2023-35941",
        "CVE-2025-61928",
        "CVE-2019-11250",
        "CVE-2020-8565",
        "2021 and 2023",
        "consumer key",
        "password reset that left sessions alive",
    ] {
        assert!(document.contains(failure), "{failure} is missing in docs/threat-model.md");
    }
}

#[test]
fn names_are_found_as_they_are_written() {
    let rust = "#[test]\nfn a01_x() {}\n#[tokio::test(flavor = \"multi_thread\")]\nasync fn b02_y() {}\nfn helper() {}\n#[test]\n#[ignore]\nfn c03() {}";
    let found = tests_in(Path::new("x.rs"), rust);
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["a01_x", "b02_y", "c03"]);
    let node =
        tests_in(Path::new("x.test.mjs"), "test(\"A01: x\", async () => {});\ntest(`C01: ${y}`, () => {});");
    assert_eq!(node.into_iter().collect::<Vec<_>>(), ["A01: x", "C01: ${y}"]);
    assert_eq!(
        named(
            "## Each attack and the test that does it\n| attack | done by |\n|---|---|\n| `x` is y | `a01_x`, `b` |"
        ),
        ["a01_x", "b"]
    );
}
