//! API keys (requirements §G): made, presented, listed, revoked.

mod create;
mod list;
mod revoke;
mod verify;

pub use create::{CreateKey, CreateKeyError, CreatedKey, STEP_UP};
pub use verify::KeyError;
