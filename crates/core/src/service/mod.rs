//! Use cases, one a file, on one value: the [`Engine`].
//!
//! A service takes domain types, asks the ports, lets a pure rule decide, writes the decision by one atomic verb, and
//! returns domain types. It knows nothing of HTTP.

mod account;
mod admin;
mod assert;
mod engine;
mod feed;
mod invite;
mod keys;
mod log_in;
mod memory;
mod note;
mod open;
mod principal;
mod revoke;
mod rotate;
mod sessions;
mod sign_up;
mod start;
mod upkeep;
mod verify;

pub use account::{ChangePassword, ChangePasswordError};
pub use admin::{AddUser, AddUserError};
pub use assert::Audience;
pub use engine::{Context, Engine, NewEvent, ServiceError};
pub use feed::{Change, Position};
pub use invite::{Delivery, INVITATION_TTL, InviteError, Invited};
pub use log_in::{LogIn, LogInError};
pub use open::{OpenError, Opened, Tokens};
pub use principal::{Principal, SessionView};
pub use revoke::Target;
pub use rotate::{Presentation, RotateError, RotateOutcome};
pub use sign_up::{Confirm, ConfirmError, SignUpError, SignUpOutcome, SignUpRequest};
pub use start::StartError;
pub use verify::VerifyError;
