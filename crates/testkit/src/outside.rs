//! All ports, faked where a test wants to decide.

use countersign_adapters::{AwsLcKeys, LocalBus};
use countersign_core::port::Outside;

use crate::fake::{
    FailingStore, FakeClock, FakeHasher, FakeIssuers, FakeMasterKeys, RecordingMailer, SeededEntropy,
};

/// The outside of a test: fakes, and the real keys and bus. Clones share everything: two engines over clones are two nodes.
#[derive(Clone, Debug)]
pub struct TestOutside {
    /// Time.
    pub clock: FakeClock,
    /// Randomness.
    pub entropy: SeededEntropy,
    /// State.
    pub store: FailingStore,
    /// Passwords.
    pub hasher: FakeHasher,
    /// Notices.
    pub bus: LocalBus,
    /// Mail.
    pub mailer: RecordingMailer,
    /// Master secrets.
    pub master_keys: FakeMasterKeys,
    /// Other issuers.
    pub issuers: FakeIssuers,
}

impl Default for TestOutside {
    fn default() -> Self {
        Self {
            clock: FakeClock::default(),
            entropy: SeededEntropy::new(1),
            store: FailingStore::default(),
            hasher: FakeHasher::default(),
            bus: LocalBus::new(),
            mailer: RecordingMailer::default(),
            master_keys: FakeMasterKeys::default(),
            issuers: FakeIssuers::default(),
        }
    }
}

impl Outside for TestOutside {
    type Clock = FakeClock;
    type Entropy = SeededEntropy;
    type Store = FailingStore;
    type Hasher = FakeHasher;
    type Keys = AwsLcKeys;
    type Bus = LocalBus;
    type Mailer = RecordingMailer;
    type MasterKeys = FakeMasterKeys;
    type Issuers = FakeIssuers;

    fn clock(&self) -> &FakeClock {
        &self.clock
    }

    fn entropy(&self) -> &SeededEntropy {
        &self.entropy
    }

    fn store(&self) -> &FailingStore {
        &self.store
    }

    fn hasher(&self) -> &FakeHasher {
        &self.hasher
    }

    fn keys(&self) -> &AwsLcKeys {
        &AwsLcKeys
    }

    fn bus(&self) -> &LocalBus {
        &self.bus
    }

    fn mailer(&self) -> &RecordingMailer {
        &self.mailer
    }

    fn master_keys(&self) -> &FakeMasterKeys {
        &self.master_keys
    }

    fn issuers(&self) -> &FakeIssuers {
        &self.issuers
    }
}
