//! The ports of the core for real, except the store: clock, entropy, password hashing, signing keys, keys of other issuers,
//! bus, mail; and what the composition root needs from the machine: files with secrets, TLS, trust stores, logging.
//!
//! Nothing here serves HTTP or knows SQL. The system's clock and random numbers are touched in this crate only.

pub mod bus;
pub mod clock;
pub mod entropy;
pub mod files;
pub mod hasher;
pub mod issuers;
pub mod keys;
pub mod logging;
pub mod mail;
pub mod master_keys;
pub mod tls;
pub mod trust;

pub use bus::LocalBus;
pub use clock::SystemClock;
pub use entropy::SystemEntropy;
pub use hasher::{Argon2Hasher, HasherConfig};
pub use issuers::IssuerKeySources;
pub use keys::AwsLcKeys;
pub use master_keys::MasterKeySource;
