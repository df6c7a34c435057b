//! Fakes of the ports, each cheap to clone and shared by its clones.

mod clock;
mod entropy;
mod hasher;
mod issuers;
mod mail;
mod master_keys;
mod store;

pub use clock::FakeClock;
pub use entropy::SeededEntropy;
pub use hasher::FakeHasher;
pub use issuers::FakeIssuers;
pub use mail::{RecordingMailer, Sent};
pub use master_keys::FakeMasterKeys;
pub use store::{FailingStore, Mode};
