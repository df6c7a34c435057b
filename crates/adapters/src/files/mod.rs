//! Files that hold secrets.

pub mod master_key;
mod private;

pub use private::{CreateError, ReadError};
pub(crate) use private::{Reach, create_private, create_public, read_private};
