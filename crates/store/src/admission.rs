//! Throttling several keys as one decision (F08), the same in every store.

use countersign_core::domain::throttle::{Admission, ThrottleKey, ThrottleRule, ThrottleState};
use countersign_core::domain::time::Timestamp;

/// What to write, and what to answer.
pub(crate) struct Decision {
    /// The new state of each key with its rule; empty when the attempt is refused.
    pub(crate) writes: Vec<(ThrottleKey, ThrottleRule, ThrottleState)>,
    /// The state of the first key, or the latest instant at which all keys admit again.
    pub(crate) admission: Admission,
}

/// Judges every key on its present state. One refusal refuses the attempt and counts nothing: otherwise a guesser
/// who is throttled on one key could lock another one.
pub(crate) fn decide(
    states: &[(ThrottleKey, ThrottleRule, Option<ThrottleState>)],
    at: Timestamp,
) -> Decision {
    let mut writes = Vec::with_capacity(states.len());
    let mut refused: Option<Timestamp> = None;
    for (key, rule, state) in states {
        match rule.admit(*state, at) {
            Admission::Admitted(next) => writes.push((*key, *rule, next)),
            Admission::Refused { retry_at } => {
                refused = Some(refused.map_or(retry_at, |other| other.max(retry_at)));
            }
        }
    }
    if let Some(retry_at) = refused {
        return Decision { writes: Vec::new(), admission: Admission::Refused { retry_at } };
    }
    let first = writes.first().map_or_else(ThrottleState::default, |(_, _, state)| *state);
    Decision { writes, admission: Admission::Admitted(first) }
}
