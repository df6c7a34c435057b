//! Tokens in the application's own log files.

use std::collections::BTreeMap;

use countersign_core::domain::recognise;
use tokio::io::{AsyncBufReadExt, BufReader};

use super::Attacks;
use crate::check::{Check, Order};
use crate::scene::{Broken, Scene};
use crate::verdict::{Evidence, Verdict};

const LOGS: Check = Check::new(
    "token-in-log",
    "log files hold no token and no password",
    "ASVS 16.2.5; I01",
    "Redact Authorization, Cookie, Set-Cookie and query strings where they are logged.",
)
.order(Order::Last);

pub(super) const ATTACKS: Attacks = &[(LOGS, |scene| Box::pin(logs(scene)))];

/// Most of a file that is read, in bytes; from its beginning.
const MOST: u64 = 256 * 1024 * 1024;

async fn logs(scene: &Scene) -> Result<Verdict, Broken> {
    if scene.logs.is_empty() {
        return Ok(Verdict::not_applicable("name log files of the application: --log FILE"));
    }
    let (mut found, mut lines) = (BTreeMap::<String, usize>::new(), 0);
    for log in &scene.logs {
        // What was named and cannot be read was not searched: no verdict of success, and none that says so in passing.
        let unreadable = |error| Broken::Log { path: log.path.clone(), error };
        let file = tokio::fs::File::open(&log.path).await.map_err(unreadable)?;
        let mut reader = BufReader::new(tokio::io::AsyncReadExt::take(file, MOST));
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).await.map_err(unreadable)? > 0 {
            lines += 1;
            let text = String::from_utf8_lossy(&line);
            for fingerprint in scene.vault.stolen_within(&text) {
                *found.entry(format!("{}: credential [{fingerprint}] of this run", log.name)).or_default() +=
                    1;
            }
            for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))) {
                if let Some(shape) = recognise::shape(word) {
                    *found.entry(format!("{}: {}", log.name, shape.as_str())).or_default() += 1;
                }
            }
            line.clear();
        }
    }
    if found.is_empty() {
        return Ok(Verdict::pass(format!("none in {lines} lines of {} files", scene.logs.len())));
    }
    let steps = found.iter().map(|(what, count)| format!("{what}, {count} times"));
    Ok(LOGS.finding(Evidence::new("whoever reads the log can sign in as others").steps(steps)))
}
