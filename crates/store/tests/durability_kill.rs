//! What was acknowledged survives `kill -9` (design §8): under load, fifty times, on one database.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use countersign_core::domain::id::Sid;
use countersign_core::domain::session::EndReason;
use countersign_core::port::Store as _;
use countersign_store::{OpenMode, SqliteStore};

const ROUNDS: u32 = 50;

/// What the child was told about one session.
#[derive(Default, Debug)]
struct Promised {
    generation: u32,
    revoked: bool,
}

#[tokio::test]
async fn kill_9_loses_nothing_that_was_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("store.db");
    let mut acknowledged = 0;
    for round in 0..ROUNDS {
        let promised = run_and_kill(&database, round);
        acknowledged += promised.len();
        let store = SqliteStore::open(&database, OpenMode::Existing).unwrap();
        for (sid, promise) in &promised {
            let held = store.session(Sid::from_bytes(*sid)).await.unwrap();
            let session =
                held.unwrap_or_else(|| panic!("round {round}: a session is gone ({promise:?})")).session;
            let current = session.rotation.current.0;
            // At most the one step whose acknowledgement the kill cut off.
            assert!(
                (promise.generation..=promise.generation + 1).contains(&current),
                "round {round}: generation {current} after {promise:?}"
            );
            if promise.revoked {
                assert_eq!(session.ended.map(|ended| ended.reason), Some(EndReason::Logout), "round {round}");
                assert_eq!(current, promise.generation, "round {round}: rotated after it was revoked");
            }
        }
    }
    assert!(acknowledged > 1000, "only {acknowledged} sessions: this was no load");
}

/// Kills the program at a random moment under load; returns what it had acknowledged.
fn run_and_kill(database: &Path, round: u32) -> HashMap<[u8; 16], Promised> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_countersign-store-load"))
        .arg(database)
        .args(["full", &round.to_string(), "32", "0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    // The clock starts with the first acknowledgement, so that every round kills under load.
    output.read_line(&mut text).unwrap();
    assert!(!text.is_empty(), "round {round}: the program ended by itself");
    let reader = std::thread::spawn(move || {
        output.read_to_string(&mut text).unwrap();
        text
    });
    let random = RandomState::new().hash_one(round);
    std::thread::sleep(Duration::from_millis(random % 200));
    child.kill().unwrap();
    child.wait().unwrap();
    let text = reader.join().unwrap();
    // A line that the kill cut off was not acknowledged in full.
    let whole = text.rsplit_once('\n').map_or("", |(lines, _)| lines);
    let mut promised: HashMap<[u8; 16], Promised> = HashMap::new();
    for line in whole.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [kind, sid, generation, _mark] = words.as_slice() else { panic!("{line:?}") };
        let promise = promised.entry(sid.as_bytes().try_into().unwrap()).or_default();
        promise.generation = promise.generation.max(generation.parse().unwrap());
        promise.revoked |= *kind == "X";
    }
    promised
}
