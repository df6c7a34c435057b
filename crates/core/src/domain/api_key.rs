//! API keys: what they may do, until when, from where (requirements §G).
//!
//! A key acts for its owner, alone and without a session. What it may do is decided anew at each use, from the key and
//! its owner as they are then: a user who loses a scope takes it from their keys in the same moment (G04).

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use super::base62;
use super::id::UserId;
use super::scope::ScopeSet;
use super::time::Timestamp;
use super::user::User;

/// Digits of an id as text.
const ID_DIGITS: usize = 17;
/// Entries in a list of addresses.
const MAX_ADDRESSES: usize = 64;
/// Networks remembered for a key; beyond, the oldest is forgotten and would be news again.
pub const MAX_NETWORKS: usize = 64;

/// Look-up id of a key: 96 random bits, inside the key. Knowing it grants nothing; pages, APIs and events show it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ApiKeyId([u8; 12]);

impl ApiKeyId {
    /// From 12 random bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 12]) -> Self {
        Self(bytes)
    }

    /// The raw bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 12] {
        &self.0
    }

    /// Reads the text form. `None` unless it is exactly what [`fmt::Display`] writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != ID_DIGITS {
            return None;
        }
        base62::decode::<12>(text).map(Self)
    }
}

impl fmt::Display for ApiKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base62::encode(&self.0, ID_DIGITS))
    }
}

impl fmt::Debug for ApiKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKeyId({self})")
    }
}

/// Scopes of our own end points for machines. Only an operator grants them, and no owner's scopes bound them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MachineScope {
    /// `POST /auth/introspect`.
    Introspect,
    /// `POST /auth/revoke`.
    Revoke,
    /// `GET /auth/revocations`.
    ReadRevocations,
    /// `POST /auth/sessions`: the only scope of its key, which needs a list of addresses (design §7).
    OpenSessions,
}

impl MachineScope {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Introspect, Self::Revoke, Self::ReadRevocations, Self::OpenSessions];

    /// The scope's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Introspect => "introspect",
            Self::Revoke => "revoke",
            Self::ReadRevocations => "revocations:read",
            Self::OpenSessions => "sessions:open",
        }
    }

    /// Whether a set holds it.
    #[must_use]
    pub fn is_in(self, scope: &ScopeSet) -> bool {
        scope.iter().any(|name| name == self.as_str())
    }

    fn names(name: &str) -> bool {
        Self::ALL.iter().any(|scope| scope.as_str() == name)
    }
}

/// Addresses that a key may be used from. Empty: from everywhere.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AddressList(Vec<IpNet>);

/// Text that is no list of addresses.
#[derive(Debug, thiserror::Error)]
pub enum InvalidAddresses {
    /// Neither an address nor a network.
    #[error("{0:?} is neither an address (192.0.2.1) nor a network (192.0.2.0/24)")]
    NotANetwork(String),
    /// Too many.
    #[error("more than {MAX_ADDRESSES} addresses")]
    TooMany,
}

impl AddressList {
    /// Parses addresses and networks in CIDR notation; host bits are dropped.
    ///
    /// # Errors
    /// [`InvalidAddresses`] names the first bad one.
    pub fn parse<'a>(list: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidAddresses> {
        let mut nets = Vec::new();
        for text in list {
            let text = text.trim();
            let net = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
            let net = net.ok_or_else(|| InvalidAddresses::NotANetwork(text.chars().take(64).collect()))?;
            if nets.len() == MAX_ADDRESSES {
                return Err(InvalidAddresses::TooMany);
            }
            nets.push(net.trunc());
        }
        Ok(Self(nets))
    }

    /// Whether a request from this address is let in. An unknown address is in no list.
    #[must_use]
    pub fn admits(&self, address: Option<IpAddr>) -> bool {
        if self.0.is_empty() {
            return true;
        }
        address.is_some_and(|ip| self.0.iter().any(|net| net.contains(&ip.to_canonical())))
    }

    /// Whether there is no restriction.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The networks.
    pub fn iter(&self) -> impl Iterator<Item = &IpNet> {
        self.0.iter()
    }
}

/// What people call a key: 1 to 64 characters, none of them a control character, trimmed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyName(Box<str>);

impl KeyName {
    /// Parses a name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let good = (1..=64).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        good.then(|| Self(text.into()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A network that a key was used from, as a keyed, truncated hash: the store learns no address.
pub type NetworkTag = [u8; 8];

/// A key as stored. Holds nothing that can be presented (G03).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApiKey {
    /// Look-up id.
    pub id: ApiKeyId,
    /// For whom it acts.
    pub owner: UserId,
    /// What its owner calls it.
    pub name: KeyName,
    /// SHA-256 of the secret.
    pub hash: [u8; 32],
    /// The last four characters of the key, to recognise it by.
    pub last4: Box<str>,
    /// What it was granted; [`HeldKey::scope`] says what is left of it.
    pub scope: ScopeSet,
    /// From where it may be used.
    pub addresses: AddressList,
    /// Creation.
    pub created_at: Timestamp,
    /// From then on it is dead (G05).
    pub expires_at: Timestamp,
    /// Since when it is revoked.
    pub revoked_at: Option<Timestamp>,
    /// Last use, at most a minute behind.
    pub last_used_at: Option<Timestamp>,
    /// Networks it was used from, the newest last.
    pub networks: Vec<NetworkTag>,
}

/// Why a key whose secret is right does not work.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum KeyRefusal {
    /// It was revoked.
    #[error("revoked")]
    Revoked,
    /// Its owner may not sign in.
    #[error("its owner is disabled")]
    OwnerDisabled,
    /// Past its expiry.
    #[error("expired")]
    Expired,
    /// Used from an address that is not in its list.
    #[error("used from an address that is not in its list")]
    Address,
}

/// A key together with its owner, as one read.
#[derive(Clone, Debug)]
pub struct HeldKey {
    /// The key.
    pub key: ApiKey,
    /// Its owner as of now.
    pub owner: User,
}

impl HeldKey {
    /// Judges revocation, owner, expiry and address.
    ///
    /// # Errors
    /// [`KeyRefusal`]: the first that applies.
    pub fn judge(&self, address: Option<IpAddr>, now: Timestamp) -> Result<(), KeyRefusal> {
        if self.key.revoked_at.is_some() {
            return Err(KeyRefusal::Revoked);
        }
        if self.owner.disabled_at.is_some() {
            return Err(KeyRefusal::OwnerDisabled);
        }
        if now >= self.key.expires_at {
            return Err(KeyRefusal::Expired);
        }
        if self.key.addresses.admits(address) { Ok(()) } else { Err(KeyRefusal::Address) }
    }

    /// What the key may do now: never more than its owner (G04), besides what an operator granted to it as a machine.
    #[must_use]
    pub fn scope(&self) -> ScopeSet {
        let (machine, own) = split(&self.key.scope);
        own.intersection(&self.owner.scope).union(&machine)
    }
}

/// Machine scopes, and all others.
fn split(scope: &ScopeSet) -> (ScopeSet, ScopeSet) {
    (scope.filtered(MachineScope::names), scope.filtered(|name| !MachineScope::names(name)))
}

/// Who grants a key its scopes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Grantor<'a> {
    /// Its owner, within what the owner's session may do.
    Owner {
        /// The session's scopes.
        session: &'a ScopeSet,
    },
    /// An operator at the command line.
    Operator,
}

/// Why a key is not made as it was asked for.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum GrantError {
    /// More than the owner has. Names what is too much.
    #[error("its owner does not have the scope {0}")]
    BeyondOwner(ScopeSet),
    /// Only an operator grants these.
    #[error("only an operator grants the scope {0}, with `countersign api-key create`")]
    OperatorsOnly(ScopeSet),
    /// `sessions:open` beside other scopes, or without addresses.
    #[error("the scope sessions:open must be the key's only one, and needs a list of addresses")]
    OpenSessionsAlone,
    /// No expiry in the future, or one beyond the maximum (G05).
    #[error("it must expire within {} days", .max.as_secs().div_ceil(86_400))]
    Expiry {
        /// The longest life.
        max: Duration,
    },
}

/// Limits on keys (`[api_keys]`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ApiKeyPolicy {
    /// The longest life of a key.
    pub max_ttl: Duration,
    /// Keys that a user may have which are neither revoked nor expired.
    pub max_per_user: u32,
}

impl Default for ApiKeyPolicy {
    fn default() -> Self {
        Self { max_ttl: Duration::from_secs(90 * 86_400), max_per_user: 50 }
    }
}

impl ApiKeyPolicy {
    /// Whether a key may be granted.
    ///
    /// # Errors
    /// [`GrantError`].
    pub fn grant(
        &self,
        scope: &ScopeSet,
        addresses: &AddressList,
        (now, expires_at): (Timestamp, Timestamp),
        owner: &User,
        grantor: Grantor<'_>,
    ) -> Result<(), GrantError> {
        if expires_at <= now || expires_at.since(now) > self.max_ttl {
            return Err(GrantError::Expiry { max: self.max_ttl });
        }
        let (machine, own) = split(scope);
        let allowed = match grantor {
            Grantor::Owner { .. } if !machine.is_empty() => return Err(GrantError::OperatorsOnly(machine)),
            // A session that may do less than its user mints no key that may do more than the session.
            Grantor::Owner { session } => owner.scope.intersection(session),
            Grantor::Operator => owner.scope.clone(),
        };
        let beyond = own.filtered(|name| !allowed.iter().any(|has| has == name));
        if !beyond.is_empty() {
            return Err(GrantError::BeyondOwner(beyond));
        }
        // It makes sessions of anybody: a key like that is not mixed with others, and is worth nothing elsewhere.
        if MachineScope::OpenSessions.is_in(scope) && (scope.iter().count() != 1 || addresses.is_empty()) {
            return Err(GrantError::OpenSessionsAlone);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
