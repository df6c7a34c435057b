//! What the rules ask of the outside: one trait, [`Outside`], with an associated type a concern, so that services
//! are generic over one parameter.

mod bus;
mod crypto;
mod issuers;
mod mail;
mod master_keys;
mod store;

pub use bus::{Bus, Notice, Subscription};
pub use crypto::{HashError, KeyError, PasswordHasher, PasswordMatch, SignatureKeys, Signer};
pub use issuers::{IssuerKeys, IssuerTrouble};
pub use mail::{Mail, MailError, Mailer};
pub use master_keys::{MasterKeys, MasterKeysError};
pub use store::{
    Accepted, AddKey, AskedBy, Code, CodeKind, Identified, KeptToken, KeyCreated, KeyUse, NewPassword,
    NewUser, OpenedWith, Opening, Page, RevocationsSince, Rotated, ScopeChange, ScopeChanged, SealedPlace,
    SealedValue, Store, StoreError, Use, UserRemoved, UserRevoked,
};

use crate::domain::time::Timestamp;

/// Everything outside, chosen once by the composition root.
pub trait Outside: Send + Sync + 'static {
    /// Wall clock.
    type Clock: Clock;
    /// Random bytes.
    type Entropy: Entropy;
    /// Durable state.
    type Store: Store;
    /// Password hashing.
    type Hasher: PasswordHasher;
    /// Asymmetric keys.
    type Keys: SignatureKeys;
    /// Notices to other parts of this node and to other nodes.
    type Bus: Bus;
    /// Mail.
    type Mailer: Mailer;
    /// Where the master secrets are kept.
    type MasterKeys: MasterKeys;
    /// Keys of other issuers.
    type Issuers: IssuerKeys;

    /// The wall clock.
    fn clock(&self) -> &Self::Clock;
    /// Random bytes.
    fn entropy(&self) -> &Self::Entropy;
    /// Durable state.
    fn store(&self) -> &Self::Store;
    /// Password hashing.
    fn hasher(&self) -> &Self::Hasher;
    /// Asymmetric keys.
    fn keys(&self) -> &Self::Keys;
    /// Notices.
    fn bus(&self) -> &Self::Bus;
    /// Mail.
    fn mailer(&self) -> &Self::Mailer;
    /// Where the master secrets are kept.
    fn master_keys(&self) -> &Self::MasterKeys;
    /// Keys of other issuers.
    fn issuers(&self) -> &Self::Issuers;
}

/// Wall clock.
pub trait Clock: Send + Sync {
    /// The present.
    fn now(&self) -> Timestamp;
}

/// Cryptographically secure random bytes.
pub trait Entropy: Send + Sync {
    /// Fills the buffer. Implementations abort the process rather than return predictable bytes.
    fn fill(&self, buffer: &mut [u8]);

    /// An array of random bytes.
    fn bytes<const N: usize>(&self) -> [u8; N]
    where
        Self: Sized,
    {
        let mut buffer = [0; N];
        self.fill(&mut buffer);
        buffer
    }
}
