//! The outside of an engine that only opens sessions and makes their tokens.

use countersign_adapters::hasher::{Argon2Hasher, HasherConfig};
use countersign_adapters::mail::Transport;
use countersign_adapters::{AwsLcKeys, LocalBus, MasterKeySource, SystemClock, SystemEntropy};
use countersign_core::port::Outside;
use countersign_store::AnyStore;
use std::path::PathBuf;

/// The same parts as the server's, around a store.
#[derive(Debug)]
pub(crate) struct SeedOutside {
    store: AnyStore,
    hasher: Argon2Hasher,
    bus: LocalBus,
    mailer: Transport,
    master_keys: MasterKeySource,
}

impl SeedOutside {
    /// Around a store.
    pub(super) fn new(store: AnyStore, master_key: PathBuf) -> Self {
        let hasher = Argon2Hasher::new(&HasherConfig::default());
        Self {
            store,
            hasher,
            bus: LocalBus::new(),
            mailer: Transport::None,
            master_keys: MasterKeySource::file(master_key),
        }
    }
}

impl Outside for SeedOutside {
    type Clock = SystemClock;
    type Entropy = SystemEntropy;
    type Store = AnyStore;
    type Hasher = Argon2Hasher;
    type Keys = AwsLcKeys;
    type Bus = LocalBus;
    type Mailer = Transport;
    type MasterKeys = MasterKeySource;
    type Issuers = ();

    fn clock(&self) -> &SystemClock {
        &SystemClock
    }
    fn entropy(&self) -> &SystemEntropy {
        &SystemEntropy
    }
    fn store(&self) -> &AnyStore {
        &self.store
    }
    fn hasher(&self) -> &Argon2Hasher {
        &self.hasher
    }
    fn keys(&self) -> &AwsLcKeys {
        &AwsLcKeys
    }
    fn bus(&self) -> &LocalBus {
        &self.bus
    }
    fn mailer(&self) -> &Transport {
        &self.mailer
    }
    fn master_keys(&self) -> &MasterKeySource {
        &self.master_keys
    }
    fn issuers(&self) -> &() {
        &()
    }
}
