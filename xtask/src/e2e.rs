//! Runs the real-browser stories against the binary, with Node's own test runner.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::paths::{built, e2e, root};
use crate::run::{cargo, run};
use crate::setup;

/// Two at a time: each story has a server, its upstreams and a browser of its own, and CI has two cores.
const CONCURRENCY: &str = "--test-concurrency=2";

/// Builds the binary and runs every story, or those whose path contains one of `wanted`.
///
/// # Errors
/// When a story fails, when none is found, or when the binary does not build.
pub(crate) fn stories(wanted: &[String]) -> anyhow::Result<()> {
    run_cargo_build()?;
    let mut files = Vec::new();
    collect(&e2e(), &mut files)?;
    files.sort();
    files.retain(|file| wanted.is_empty() || wanted.iter().any(|word| file.to_string_lossy().contains(word)));
    if files.is_empty() {
        bail!("no story matches {wanted:?} under {}", e2e().display());
    }
    run(Command::new("node")
        .current_dir(root())
        .env("COUNTERSIGN_BIN", built()?.join("countersign"))
        .env("COUNTERSIGN_E2E_PYTHON", setup::python::interpreter()?)
        .args(["--test", "--test-reporter=spec", CONCURRENCY])
        .args(files))
}

/// Builds the binary, attacks every subject of the proof, and puts the table into `docs/proof.md`.
///
/// # Errors
/// When a drill cannot be run to its end, or the binary does not build.
pub(crate) fn proof() -> anyhow::Result<()> {
    run_cargo_build()?;
    run(Command::new("node")
        .current_dir(root())
        .env("COUNTERSIGN_BIN", built()?.join("countersign"))
        .env("COUNTERSIGN_E2E_PYTHON", setup::python::interpreter()?)
        .arg(e2e().join("proof").join("table.mjs"))
        .arg("--write"))
}

fn run_cargo_build() -> anyhow::Result<()> {
    run(cargo().current_dir(root()).args(["build", "--quiet", "--package", "countersign"]))
}

/// All `*.test.mjs` below `directory`, third parties' left out.
fn collect(directory: &Path, into: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let entries = directory.read_dir().with_context(|| format!("cannot list {}", directory.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            if !path.ends_with("node_modules") {
                collect(&path, into)?;
            }
        } else if path.to_string_lossy().ends_with(".test.mjs") {
            into.push(path);
        }
    }
    Ok(())
}
