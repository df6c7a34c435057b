//! Changes the rules one by one and sees whether a test notices (`docs/mutation.md`).

use std::path::PathBuf;

use crate::paths::{cache, root};
use crate::run::{cargo, quietly, run};

/// Pinned, so that a new release cannot change what a run means.
const CARGO_MUTANTS: &str = "27.1.0";

/// One part of the work, or all of it.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    list: bool,
    shard: Option<String>,
    file: Option<String>,
}

/// `None` if the words are no `[--list] [--shard K/N] [FILE]`.
fn asked(words: &[String]) -> Option<Asked> {
    let mut asked = Asked { list: false, shard: None, file: None };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--list" => asked.list = true,
            "--shard" => asked.shard = Some(words.next().filter(|shard| is_shard(shard))?.clone()),
            name if is_name(name) && asked.file.is_none() => asked.file = Some(name.to_owned()),
            _ => return None,
        }
    }
    Some(asked)
}

/// Part of a path, and no pattern.
fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'/'))
}

fn is_shard(text: &str) -> bool {
    let parts =
        text.split_once('/').and_then(|(k, n)| Some((k.parse::<u32>().ok()?, n.parse::<u32>().ok()?)));
    parts.is_some_and(|(k, n)| k < n)
}

/// Runs all mutants of `.cargo/mutants.toml`, those of a shard, or those of files whose path holds a word; or lists them. `None` if the
/// words are not understood.
///
/// Works on a copy of the clone. Installs cargo-mutants into the cache the first time; what it found is in `mutants.out` of the target
/// directory.
pub(crate) fn search(words: &[String]) -> Option<anyhow::Result<()>> {
    asked(words).map(|asked| search_for(&asked))
}

fn search_for(asked: &Asked) -> anyhow::Result<()> {
    let program = cargo_mutants()?;
    let mut command = std::process::Command::new(program);
    command.current_dir(root()).env("CARGO", cargo().get_program()).args([
        "mutants",
        // Left out, only the workspace's default members are looked at, in which there is nothing to change.
        "--package",
        "countersign-core",
        "--no-shuffle",
        "--colors",
        "never",
    ]);
    if asked.list {
        command.arg("--list");
    } else {
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
        command.arg("--output").arg(target);
    }
    if let Some(shard) = &asked.shard {
        command.args(["--shard", shard]);
    }
    if let Some(file) = &asked.file {
        // A pattern over names, which begin with the path: a second list of files would be added to the first.
        command.args(["--re", &format!("^[^:]*{file}")]);
    }
    run(&mut command)
}

fn cargo_mutants() -> anyhow::Result<PathBuf> {
    let place = cache()?.join(format!("cargo-mutants-{CARGO_MUTANTS}"));
    let program = place.join("bin").join("cargo-mutants");
    if !program.is_file() {
        println!("installing cargo-mutants {CARGO_MUTANTS}, once; this takes a minute");
        quietly(
            cargo()
                .args(["install", "cargo-mutants", "--locked", "--version", CARGO_MUTANTS, "--root"])
                .arg(&place),
        )?;
    }
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        let ask = |words: &[&str]| asked(&words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>());
        assert_eq!(ask(&[]), Some(Asked { list: false, shard: None, file: None }));
        let some = ask(&["--shard", "3/8", "judge", "--list"]).unwrap();
        assert_eq!(
            (some.list, some.shard.as_deref(), some.file.as_deref()),
            (true, Some("3/8"), Some("judge"))
        );
        for bad in [
            &["a", "b"][..],
            &["--shard"],
            &["--shard", "8/8"],
            &["--shard", "1"],
            &["--jobs", "1"],
            &[".*"],
            &["a("],
        ] {
            assert!(ask(bad).is_none(), "{bad:?}");
        }
    }
}
