//! What the fake application does wrong when it is told to, where that is more than an `if` beside the right way.

use std::collections::BTreeSet;
use std::time::Duration;

use super::wire::Asked;
use super::{ATTACKER, App, VICTIM};

/// What it does wrong. Names are those of the checks where one check sees one mistake; `throttling-…` are ways to bound
/// guessing, or to look as if, which are not all mistakes; `short-life`, `signup-form`,
/// `signup-words`, `only-city` and `read-only` are none.
pub(crate) type Mistakes = BTreeSet<&'static str>;

/// Failures of one account after which it is locked.
const LOCKED: u32 = 60;
/// Failures after which answers are slow.
const SLOW: u32 = 10;
/// Failures during which the whole machine is slow.
const BUSY: std::ops::RangeInclusive<u32> = 10..=16;
/// How slow.
const WAIT: Duration = Duration::from_millis(600);

/// What an account that had too many failures is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    /// As always.
    None,
    /// 429.
    Says,
    /// As to a wrong password, in other words.
    Words,
    /// As to a wrong password, whatever the password.
    Silent,
}

impl App {
    pub(super) fn bound(&self, failures: u32, asked: &Asked) -> Bound {
        let never = ["throttling", "throttling-slow", "throttling-busy", "throttling-words"];
        let thief = asked.header("user-agent").contains("Firefox");
        if failures < LOCKED || never.iter().any(|never| self.wrong(never)) {
            Bound::None
        } else if self.wrong("throttling-words-later") {
            Bound::Words
        } else if self.wrong("throttling-silent") || self.wrong("throttling-silent-device") && thief {
            Bound::Silent
        } else if self.wrong("throttling-silent-device") {
            Bound::None
        } else {
            Bound::Says
        }
    }

    /// The time that answers take.
    pub(super) async fn delay(&self, asked: &Asked) {
        let failures = self.state.lock().unwrap().failures.values().copied().max().unwrap_or_default();
        let signs_in = asked.path == "/api/login";
        if self.wrong("enumeration-time") && signs_in {
            let known =
                asked.fields().values().any(|value| value.ends_with(VICTIM) || value.ends_with(ATTACKER));
            tokio::time::sleep(Duration::from_millis(if known { 150 } else { 1 })).await;
        }
        let slow = self.wrong("throttling-slow") && signs_in && failures >= SLOW;
        let busy = self.wrong("throttling-busy") && BUSY.contains(&failures);
        if slow || busy {
            tokio::time::sleep(WAIT).await;
        }
    }
}
