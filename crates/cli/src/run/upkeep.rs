//! What a node does beside requests.

use countersign_core::port::Outside;
use countersign_core::service::Engine;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
/// Between two batches of a clean-up, so that requests get at the writer.
const BETWEEN_BATCHES: Duration = Duration::from_millis(50);

/// Writes behind, looks for revocations and tends the signing keys each second, and cleans up each hour. Never returns.
pub(super) async fn keep_up<O: Outside>(engine: Arc<Engine<O>>) {
    tokio::join!(each_second(&engine), warn_of_missing(&engine), each_hour(&engine));
}

async fn each_second<O: Outside>(engine: &Engine<O>) {
    let (mut writing, mut polling) =
        (Trouble::new("writing behind"), Trouble::new("looking for revocations"));
    let mut tending = Trouble::new("tending the signing keys");
    let mut ticks = ticks(SECOND);
    loop {
        ticks.tick().await;
        writing.note(engine.flush().await);
        polling.note(engine.poll().await);
        tending.note(engine.tend_keys().await);
    }
}

/// Sessions whose master secret is not there can go on for one access token only: somebody took a line out of the file.
async fn warn_of_missing<O: Outside>(engine: &Engine<O>) {
    match engine.master_keys().await {
        Ok(keys) => {
            for key in keys.iter().filter(|key| !key.held && key.sessions > 0) {
                let (id, sessions) = (key.id.0, key.sessions);
                tracing::warn!(
                    id,
                    sessions,
                    "sessions need a master secret that is missing: put its line back, or they are logged out"
                );
            }
        }
        Err(error) => tracing::warn!(%error, "what needs which master secret is not known"),
    }
}

async fn each_hour<O: Outside>(engine: &Engine<O>) {
    let mut trouble = Trouble::new("cleaning up");
    let mut ticks = interval_at(Instant::now() + MINUTE, HOUR);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        loop {
            let gone = engine.purge().await;
            let more = gone.as_ref().is_ok_and(|rows| *rows > 0);
            trouble.note(gone);
            if !more {
                break;
            }
            sleep(BETWEEN_BATCHES).await;
        }
    }
}

fn ticks(period: Duration) -> tokio::time::Interval {
    let mut ticks = interval_at(Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Logs a failure when it begins and when it ends, not each second.
struct Trouble {
    what: &'static str,
    failing: bool,
}

impl Trouble {
    const fn new(what: &'static str) -> Self {
        Self { what, failing: false }
    }

    fn note<T, E: Display>(&mut self, result: Result<T, E>) {
        let what = self.what;
        match result {
            Err(error) if !self.failing => tracing::error!(what, %error, "upkeep fails; trying on"),
            Ok(_) if self.failing => tracing::info!(what, "upkeep works again"),
            _ => return,
        }
        self.failing = !self.failing;
    }
}
