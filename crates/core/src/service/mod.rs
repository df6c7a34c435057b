//! Use cases, one a file, on one value: the [`Engine`].
//!
//! A service takes domain types, asks the ports, lets a pure rule decide, writes the decision by one atomic verb, and
//! returns domain types. It knows nothing of HTTP.

mod account;
mod admin;
mod api_key;
mod assert;
mod change_user;
mod confirm;
mod ending;
mod engine;
mod feed;
mod foreign;
mod hand_over;
mod inspect;
mod introspect;
mod invite;
mod keys;
mod log_in;
mod master_keys;
mod memory;
mod note;
mod open;
mod open_for;
mod principal;
mod retrofit;
mod revoke;
mod revoke_token;
mod rotate;
mod rotate_keys;
mod sessions;
mod sign_up;
mod start;
mod upkeep;
mod upstream_token;
mod verify;

pub use account::{ChangePassword, ChangePasswordError};
pub use admin::{AddUser, AddUserError};
pub use api_key::{CreateKey, CreateKeyError, CreatedKey, KeyError as ApiKeyError, STEP_UP};
pub use assert::Audience;
pub use change_user::Removed;
pub use confirm::{Confirm, ConfirmError};
pub use ending::{Ending, Fate, PastSession};
pub use engine::{Context, Engine, NewEvent, ServiceError};
pub use feed::{Change, Position};
pub use hand_over::{HAND_OVER_TTL, TakeOverError};
pub use inspect::Worth;
pub use introspect::Introspected;
pub use invite::{Delivery, INVITATION_TTL, InviteError, Invited};
pub use log_in::{LogIn, LogInError};
pub use master_keys::{MasterKeyError, MasterKeyUse, Resealed};
pub use open::{OpenError, Opened, Tokens};
pub use open_for::{NamedUser, OpenFor, OpenForError};
pub use principal::{ForeignPrincipal, KeyPrincipal, Principal, SessionPrincipal, SessionView};
pub use retrofit::UpstreamLogin;
pub use revoke::Target;
pub use rotate::{Presentation, RotateError, RotateOutcome};
pub use rotate_keys::RotateKeysError;
pub use sign_up::{SignUpError, SignUpOutcome, SignUpRequest};
pub use start::StartError;
pub use upstream_token::Kept;
pub use verify::VerifyError;
