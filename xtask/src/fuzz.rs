//! The search for bytes that break a parser (`docs/fuzzing.md`).

use std::fs;

use anyhow::{Context, bail};

use crate::paths::{cache, root};
use crate::run::{cargo, quietly, run, succeeds};

/// Pinned, so that a new release cannot change what a run means.
const CARGO_FUZZ: &str = "0.13.2";
const MINUTES: u64 = 20;

/// What was asked for.
struct Asked {
    target: Option<String>,
    minutes: u64,
}

/// `None` if the words are no `[target] [--minutes N]`.
fn asked(words: &[String]) -> Option<Asked> {
    let mut asked = Asked { target: None, minutes: MINUTES };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--minutes" => asked.minutes = words.next()?.parse().ok().filter(|minutes| *minutes > 0)?,
            name if !name.starts_with('-') && asked.target.is_none() => asked.target = Some(name.to_owned()),
            _ => return None,
        }
    }
    Some(asked)
}

/// Runs one target, or each in turn, from its seeds and from what earlier runs found worth keeping. `None` if the words are not understood.
///
/// Needs a nightly toolchain; installs cargo-fuzz into the cache the first time.
pub(crate) fn search(words: &[String]) -> Option<anyhow::Result<()>> {
    asked(words).map(|asked| search_for(&asked))
}

fn search_for(asked: &Asked) -> anyhow::Result<()> {
    let all = targets()?;
    let chosen: Vec<&String> =
        all.iter().filter(|name| asked.target.as_ref().is_none_or(|t| t == *name)).collect();
    if chosen.is_empty() {
        bail!("there is no such target; there are: {}", all.join(", "));
    }
    if !succeeds(cargo_nightly().arg("--version")) {
        bail!("fuzzing needs a nightly toolchain: rustup toolchain install nightly");
    }
    let path = with_cargo_fuzz()?;
    let seconds = asked.minutes.saturating_mul(60);
    for name in chosen {
        let corpus = root().join("fuzz").join("corpus").join(name);
        fs::create_dir_all(&corpus).with_context(|| format!("cannot create {}", corpus.display()))?;
        // No sanitizer: none of our code is `unsafe`, and without one ten times as much is tried.
        run(cargo_nightly()
            .current_dir(root())
            .env("PATH", &path)
            .args(["fuzz", "run", "--sanitizer", "none", name])
            .arg(&corpus)
            .arg(root().join("fuzz").join("seeds").join(name))
            .args(["--", "-max_len=16384", "-timeout=10"])
            .arg(format!("-max_total_time={seconds}")))?;
    }
    Ok(())
}

/// The names of the programs in `fuzz/fuzz_targets`, in order.
fn targets() -> anyhow::Result<Vec<String>> {
    let folder = root().join("fuzz").join("fuzz_targets");
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        names.extend(name.to_string_lossy().strip_suffix(".rs").map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

/// The cargo of the nightly toolchain, whichever one runs us: rustup's proxy takes the name of a toolchain.
fn cargo_nightly() -> std::process::Command {
    let mut command = std::process::Command::new("cargo");
    command.arg("+nightly").env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO");
    command
}

/// `PATH` with cargo-fuzz on it.
fn with_cargo_fuzz() -> anyhow::Result<std::ffi::OsString> {
    let place = cache()?.join(format!("cargo-fuzz-{CARGO_FUZZ}"));
    if !place.join("bin").join("cargo-fuzz").is_file() {
        println!("installing cargo-fuzz {CARGO_FUZZ}, once; this takes a minute");
        quietly(
            cargo()
                .args(["install", "cargo-fuzz", "--locked", "--version", CARGO_FUZZ, "--root"])
                .arg(&place),
        )?;
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    Ok(std::env::join_paths(std::iter::once(place.join("bin")).chain(std::env::split_paths(&path)))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        let ask = |words: &[&str]| asked(&words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>());
        assert!(ask(&[]).is_some_and(|a| a.target.is_none() && a.minutes == MINUTES));
        assert!(
            ask(&["--minutes", "1", "heads"])
                .is_some_and(|a| a.target.as_deref() == Some("heads") && a.minutes == 1)
        );
        for bad in
            [&["a", "b"][..], &["--minutes"], &["--minutes", "0"], &["--minutes", "x"], &["--hours", "1"]]
        {
            assert!(ask(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn every_program_is_a_target() {
        assert!(targets().is_ok_and(|names| names.len() > 10 && names.contains(&"heads".to_owned())));
    }
}
