//! Runs the tests of `js/node` with Node's own test runner.

use std::process::Command;

use crate::paths::js_node;
use crate::run::run;

/// They mostly wait: for streams to fall silent, for keys to grow old.
const CONCURRENCY: &str = "--test-concurrency=4";

/// # Errors
/// When a test fails.
pub(crate) fn tests() -> anyhow::Result<()> {
    // Without names, the runner takes every `*.test.mjs` that is not a package's.
    run(Command::new("node").current_dir(js_node()).args(["--test", "--test-reporter=spec", CONCURRENCY]))
}
