//! What a token is worth, over `admin.sock`: asked by an operator who found one.

use super::look_up::failed;
use super::protocol::{Answer, Reply};
use super::secret::Found;
use countersign_core::port::Outside;
use countersign_core::service::Engine;
use serde::{Deserialize, Serialize};

/// What a token that works is worth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Worth {
    /// Whose it is.
    pub(crate) user_id: String,
    /// What it may do.
    pub(crate) scope: Vec<String>,
    /// RFC 3339.
    pub(crate) expires_at: String,
    /// Public id of its session.
    pub(crate) session: Option<String>,
    /// Public id of the API key that it is.
    pub(crate) api_key: Option<String>,
    /// From where an API key works; empty: from everywhere.
    pub(crate) addresses: Vec<String>,
}

/// Looks without using: nothing is noted, and asking about a stolen one ends nothing.
pub(super) async fn inspect<O: Outside>(engine: &Engine<O>, token: &Found) -> Answer {
    let worth = engine.inspect(&token.0).await.map_err(failed)?;
    Ok(Reply::Worth(worth.map(|worth| {
        let (api_key, addresses) = worth.key.map_or_else(Default::default, |(id, addresses)| {
            (Some(id.to_string()), addresses.iter().map(ToString::to_string).collect())
        });
        Worth {
            user_id: worth.user.to_string(),
            scope: worth.scope.iter().map(str::to_owned).collect(),
            expires_at: worth.expires_at.rfc3339(),
            session: worth.session.map(|id| id.to_string()),
            api_key,
            addresses,
        }
    })))
}
