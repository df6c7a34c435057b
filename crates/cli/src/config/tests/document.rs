//! `docs/configuration.md` names every key, and no key that is not there.

use crate::config::typed::{LISTS, SECTIONS, scalar_keys};
use std::collections::BTreeSet;

const DOCUMENT: &str = include_str!("../../../../../docs/configuration.md");

fn listed() -> BTreeSet<String> {
    let cells =
        DOCUMENT.lines().filter_map(|line| line.strip_prefix("| `")).filter_map(|line| line.split_once('`'));
    cells.map(|(key, _)| key.to_owned()).collect()
}

fn known() -> BTreeSet<String> {
    let lists = LISTS.iter().flat_map(|(list, keys)| keys.iter().map(move |key| format!("{list}.{key}")));
    scalar_keys().into_iter().chain(lists).collect()
}

#[test]
fn every_key_is_documented_and_every_documented_key_exists() {
    let (known, listed) = (known(), listed());
    assert_eq!(
        known.difference(&listed).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "keys without documentation"
    );
    assert_eq!(
        listed.difference(&known).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "documentation without a key"
    );
}

#[test]
fn every_section_has_a_heading() {
    for (section, _) in SECTIONS {
        assert!(DOCUMENT.contains(&format!("## `[{section}]`")), "{section}");
    }
    for (list, _) in LISTS {
        assert!(DOCUMENT.contains(&format!("## `[[{list}]]`")), "{list}");
    }
}
