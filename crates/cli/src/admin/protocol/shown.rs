//! What answers show: of users, sessions, keys and events.

use super::Link;
use serde::{Deserialize, Serialize};

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct User {
    /// Opaque subject.
    pub(crate) id: String,
    /// Account name.
    pub(crate) email: String,
    /// Whether somebody vouched for the address.
    pub(crate) email_verified: bool,
    /// What the user may do.
    pub(crate) scope: Vec<String>,
    /// Whether there is a password.
    pub(crate) has_password: bool,
    /// RFC 3339.
    pub(crate) created_at: String,
    /// RFC 3339; absent while enabled.
    pub(crate) disabled_at: Option<String>,
}

/// An invitation.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Invitation {
    /// For this address only.
    pub(crate) email: String,
    /// What the user may do.
    pub(crate) scope: Vec<String>,
    /// RFC 3339; until when the link works.
    pub(crate) expires_at: String,
    /// Whether a mail with the link is on its way.
    pub(crate) mailed: bool,
    /// The link, where no mail is configured.
    pub(crate) link: Option<Link>,
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    /// Public id.
    pub(crate) id: String,
    /// Whose: subject.
    pub(crate) user_id: String,
    /// Whose: address.
    pub(crate) email: String,
    /// `live`, `ended` or `expired`.
    pub(crate) state: State,
    /// RFC 3339.
    pub(crate) created_at: String,
    /// RFC 3339; last verified request.
    pub(crate) seen_at: String,
    /// RFC 3339; absolute deadline.
    pub(crate) expires_at: String,
    /// RFC 3339; deadline if nobody uses it.
    pub(crate) idle_expires_at: String,
    /// RFC 3339; last proof of identity.
    pub(crate) auth_time: String,
    /// How it was proved.
    pub(crate) amr: Vec<String>,
    /// What the session may do.
    pub(crate) scope: Vec<String>,
    /// Address last seen.
    pub(crate) ip: Option<String>,
    /// User agent last seen.
    pub(crate) user_agent: String,
    /// Counter of rotations.
    pub(crate) generation: u32,
    /// RFC 3339; when it ended or expired.
    pub(crate) ended_at: Option<String>,
    /// Stable word for why it ended.
    pub(crate) end_reason: Option<String>,
}

/// Whether a session may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// It may.
    Live,
    /// Somebody or something ended it.
    Ended,
    /// Its time is over.
    Expired,
}

/// A session and what happened to it last.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Explained {
    /// The session.
    pub(crate) session: Session,
    /// Its events, oldest first.
    pub(crate) events: Vec<Event>,
}

/// A signing key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Key {
    /// RFC 7638 thumbprint.
    pub(crate) kid: String,
    /// `EdDSA` or `ES256`.
    pub(crate) algorithm: String,
    /// `next`, `active`, `retired`, `gone` or `revoked`.
    pub(crate) state: String,
    /// RFC 3339.
    pub(crate) created_at: String,
    /// RFC 3339; from when on it signs.
    pub(crate) active_at: String,
    /// RFC 3339; when another key took over.
    pub(crate) retired_at: Option<String>,
    /// RFC 3339; until when a retired key is in the key list and what it signed is accepted.
    pub(crate) served_until: Option<String>,
    /// RFC 3339; since when nothing it signed is accepted.
    pub(crate) revoked_at: Option<String>,
}

/// A master secret and what needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MasterKey {
    /// From 0 to 255.
    pub(crate) id: u8,
    /// Whether new sessions are opened with it.
    pub(crate) current: bool,
    /// Whether the node has it.
    pub(crate) held: bool,
    /// Live sessions opened with it.
    pub(crate) sessions: u64,
    /// RFC 3339; when the last of them expires.
    pub(crate) until: Option<String>,
    /// Values sealed under it.
    pub(crate) sealed: u64,
}

/// A security event (I05).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Event {
    /// Its place in the store's order.
    pub(crate) row: u64,
    /// Its own id.
    pub(crate) id: String,
    /// RFC 3339 UTC.
    pub(crate) at: String,
    /// Name in the vocabulary.
    pub(crate) event: String,
    /// `info`, `warn` or `critical`.
    pub(crate) severity: String,
    /// `success` or `refused`.
    pub(crate) outcome: String,
    /// Subject.
    pub(crate) user: Option<String>,
    /// Account name, where the user still exists.
    pub(crate) email: Option<String>,
    /// Public id.
    pub(crate) session: Option<String>,
    /// Keyed hash that correlates events of one session.
    pub(crate) session_tag: Option<String>,
    /// Source address.
    pub(crate) ip: Option<String>,
    /// The request it happened in.
    pub(crate) request_id: Option<String>,
    /// Stable reason code.
    pub(crate) reason: Option<String>,
    /// More for a person.
    pub(crate) detail: Option<String>,
}
