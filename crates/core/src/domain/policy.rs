//! Everything that configuration decides about sessions and accounts, as one value.

use std::time::Duration;

use super::api_key::ApiKeyPolicy;
use super::client::Clients;
use super::password::PasswordPolicy;
use super::rotation::RotationPolicy;
use super::scope::ScopeSet;
use super::session::SessionPolicy;
use super::signing_key::{Algorithm, RotationSchedule};
use super::throttle::ThrottleRule;
use super::token::access::AccessProfile;

/// Who may create an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SignUp {
    /// Nobody.
    Off,
    /// Whom an operator invites.
    Invite,
    /// Anybody, after a mail round trip.
    Mailed,
    /// Anybody, at once and verified: development only.
    Immediate,
}

/// What happens at the limit of concurrent sessions (D14).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SessionLimit {
    /// Live sessions a user may have.
    pub max: u32,
    /// End the oldest (or else refuse the new one).
    pub end_oldest: bool,
}

/// What an application may do that opens sessions itself (`POST /auth/sessions`).
#[derive(Clone, Debug, Default)]
pub struct ApplicationPolicy {
    /// Issuers whose users it may name by (iss, sub).
    pub issuers: Vec<Box<str>>,
    /// Create such a user at the first login.
    pub create_users: bool,
    /// What these sessions may do at most; none: what their users may.
    pub scope: Option<ScopeSet>,
}

/// The rules in force at one deployment.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Issuer, audience, environment, leeway.
    pub access: AccessProfile,
    /// What people call the application: in mails.
    pub product: Box<str>,
    /// Deadlines.
    pub session: SessionPolicy,
    /// Rotation windows.
    pub rotation: RotationPolicy,
    /// Sign-up.
    pub sign_up: SignUp,
    /// Concurrent sessions.
    pub session_limit: Option<SessionLimit>,
    /// New passwords.
    pub password: PasswordPolicy,
    /// Password guesses per account.
    pub account_throttle: ThrottleRule,
    /// Password guesses per network.
    pub network_throttle: ThrottleRule,
    /// API keys.
    pub api_keys: ApiKeyPolicy,
    /// Clients that are handed tokens in a body.
    pub clients: Clients,
    /// Sessions that applications open for users whom they logged in themselves.
    pub applications: ApplicationPolicy,
    /// What new signing keys are.
    pub algorithm: Algorithm,
    /// How long a signing key is published before it signs.
    pub prepublish: Duration,
    /// How long a signing key signs before the next one does; `None` where operators rotate.
    pub rotate_every: Option<Duration>,
    /// How long a node may go without hearing of revocations.
    pub max_staleness: Duration,
    /// How long a single-use code works.
    pub code_ttl: Duration,
}

impl Policy {
    /// How long anything signed can live, leeway included: revocations older than this need not be remembered.
    #[must_use]
    pub fn longest_access(&self) -> Duration {
        self.session.access_ttl + self.session.leeway
    }

    /// When signing keys are made.
    #[must_use]
    pub const fn signing_keys(&self) -> RotationSchedule {
        RotationSchedule {
            algorithm: self.algorithm,
            publish_before: self.prepublish,
            every: self.rotate_every,
        }
    }
}
