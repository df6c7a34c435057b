//! Which networks of an API key are remembered: one rule for every store.

use countersign_core::domain::api_key::{MAX_NETWORKS, NetworkTag};

/// The known ones and the new ones, the newest last; the oldest go when there are too many.
pub(crate) fn merge(mut known: Vec<NetworkTag>, new: &[NetworkTag]) -> Vec<NetworkTag> {
    for tag in new {
        if !known.contains(tag) {
            known.push(*tag);
        }
    }
    known.drain(..known.len().saturating_sub(MAX_NETWORKS));
    known
}
