//! What was acknowledged survives a power cut (design §8): a trace of the system calls shows that each answer follows
//! the sync of the log frames that carry it. The same judge convicts a store that never syncs.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

#[path = "support/trace.rs"]
mod trace;

use std::path::Path;
use std::process::{Command, Stdio};

use trace::Findings;

/// Runs the load under strace and judges the trace. Many callers, so that there are real groups to commit.
fn traced(directory: &Path, sync: &str) -> Findings {
    let output = directory.join(format!("{sync}.trace"));
    let status = Command::new("strace")
        .args(["-f", "-y", "-s", "5000", "-e", "trace=fdatasync,fsync,write,pwrite64", "-o"])
        .arg(&output)
        .arg(env!("CARGO_BIN_EXE_countersign-store-load"))
        .arg(directory.join(format!("{sync}.db")))
        .args([sync, "0", "8", "12"])
        .stdout(Stdio::from(std::fs::File::create(directory.join("acknowledged")).unwrap()))
        .status()
        .unwrap_or_else(|error| panic!("strace is needed for this test (apt-get install strace): {error}"));
    assert!(status.success(), "strace or the load failed: {status}");
    let findings = trace::judge(&String::from_utf8_lossy(&std::fs::read(&output).unwrap()));
    let lines = std::fs::read_to_string(directory.join("acknowledged")).unwrap().lines().count();
    assert_eq!(findings.acknowledged, lines, "the trace misses acknowledgements");
    assert!(lines >= 8 * 12, "only {lines} acknowledgements");
    findings
}

#[test]
fn every_answer_follows_the_sync_of_what_it_promises() {
    let directory = tempfile::tempdir().unwrap();
    let findings = traced(directory.path(), "full");
    assert!(findings.violations.is_empty(), "{:#?}", findings.violations);
}

/// The judge is worth something: with `synchronous=OFF` it convicts every answer.
#[test]
fn without_syncs_the_same_judge_finds_violations() {
    let directory = tempfile::tempdir().unwrap();
    let findings = traced(directory.path(), "off");
    assert_eq!(findings.violations.len(), findings.acknowledged, "{:#?}", findings.violations);
    assert!(findings.violations.iter().all(|violation| violation.ends_with("before the log was synced")));
}

/// One sync for the group is enough, a sync of something else, of an earlier frame or after the answer is not.
#[test]
fn the_judge_reads_order_and_file() {
    let frame = |commit: &str| {
        format!("9 write(7</d/s.db-wal>, \"\\0\\0\\0\\2\\0\\0\\0{commit}{}\", 24) = 24\n", "\\0".repeat(16))
    };
    let page = "9 write(7</d/s.db-wal>, \"\\0\\12K0000001x\"..., 4096) = 4096\n";
    let other = "9 write(7</d/s.db-wal>, \"\\0\\12\"..., 4096) = 4096\n";
    let sync = |file: &str| format!("9 fdatasync(7</d/{file}>) = 0\n");
    let answer = "8 write(1<pipe:[1]>, \"O 1 1 K0000001\\n\", 15) = 15\n";
    let verdict = |parts: &[&str]| trace::judge(&parts.concat()).violations.len();
    let (plain, commit, log) = (frame("\\0"), frame("\\5"), sync("s.db-wal"));

    assert_eq!(verdict(&[&plain, page, &commit, other, &log, answer]), 0);
    assert_eq!(verdict(&[&commit, page, &log, answer]), 0);
    assert_eq!(verdict(&[&commit, page, answer, &log]), 1);
    assert_eq!(verdict(&[&commit, page, &sync("s.db"), answer]), 1);
    // Only the frames before the commit frame were synced.
    assert_eq!(verdict(&[&plain, page, &log, &commit, other, answer]), 1);
    // The sync has begun, but not returned, when the answer is given.
    let begun = "9 fdatasync(7</d/s.db-wal> <unfinished ...>\n";
    let returned = "9 <... fdatasync resumed>) = 0\n";
    assert_eq!(verdict(&[&commit, page, begun, answer, returned]), 1);
    assert_eq!(verdict(&[&commit, page, begun, returned, answer]), 0);
    assert_eq!(verdict(&[answer]), 1);
}
