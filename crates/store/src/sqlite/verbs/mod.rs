//! The verbs as SQL, one file a group. Each function runs inside a transaction that its caller holds.

pub(super) mod accounts;
pub(super) mod api_keys;
pub(super) mod attempts;
pub(super) mod codes;
pub(super) mod events;
pub(super) mod keys;
pub(super) mod purge;
pub(super) mod revocation;
pub(super) mod rotation;
pub(super) mod sessions;
pub(super) mod upstream_tokens;
pub(super) mod users;
