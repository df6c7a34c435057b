//! What a verifier is told before it starts.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use countersign_core::domain::environment::{Environment, InvalidEnvironment};
use countersign_core::domain::secret::SecretString;
use countersign_core::domain::time::Timestamp;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::clock;
use crate::credential::Accepts;
use crate::fetch::{Door, InvalidOrigin, Origin, tls_client};
use crate::keys::KeyTimes;
use crate::verifier::{Parts, Verifier};

/// Clock differences above this are not tolerated (A11).
const MAX_LEEWAY: Duration = Duration::from_secs(60);

/// Why a verifier cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The issuer, or the origin to fetch from.
    #[error(transparent)]
    Origin(#[from] InvalidOrigin),
    /// The environment.
    #[error(transparent)]
    Environment(#[from] InvalidEnvironment),
    /// Without an audience every token of the issuer would do.
    #[error("no audience: name this service, as `tokens.audience` or the name of its [[upstream]] does")]
    NoAudience,
    /// Nothing is accepted.
    #[error("nothing is accepted: call access_tokens, assertions, or both")]
    NothingAccepted,
    /// Access tokens without a feed: a revoked session would live on for up to 15 minutes here.
    #[error(
        "access tokens need the revocation feed: give revocations(api_key), or say dangerous().without_revocations()"
    )]
    NoRevocations,
    /// Leeway above 60 s, or a time that cannot work.
    #[error("{0} is out of range")]
    OutOfRange(&'static str),
    /// A certificate that cannot be read, or none at all.
    #[error("no usable certificate authority")]
    Certificates,
}

pub(crate) type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Describes a verifier. Made by [`Verifier::builder`].
#[must_use]
pub struct Builder {
    issuer: String,
    environment: String,
    origin: Option<String>,
    audience: Vec<Box<str>>,
    accepts: Accepts,
    key: Option<SecretString>,
    without_revocations: bool,
    certificates: Option<Vec<u8>>,
    leeway: Duration,
    max_staleness: Duration,
    keys: KeyTimes,
    time_out: Duration,
    clock: Clock,
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl Builder {
    pub(crate) fn new(issuer: &str, environment: &str) -> Self {
        Self {
            issuer: issuer.strip_suffix('/').unwrap_or(issuer).to_owned(),
            environment: environment.to_owned(),
            origin: None,
            audience: Vec::new(),
            accepts: Accepts { access_tokens: false, assertions: false },
            key: None,
            without_revocations: false,
            certificates: None,
            leeway: Duration::from_secs(5),
            max_staleness: Duration::from_secs(5),
            keys: KeyTimes {
                refresh: Duration::from_secs(300),
                cooldown: Duration::from_secs(10),
                max_age: Duration::from_secs(3600),
            },
            time_out: Duration::from_secs(3),
            clock: Arc::new(clock::now),
        }
    }

    /// A name that this service goes by: an entry of `tokens.audience`, or the `name` of its `[[upstream]]`. One of several must be in `aud`.
    pub fn audience(mut self, name: &str) -> Self {
        self.audience.push(name.into());
        self
    }

    /// Accepts `Authorization: Bearer` with an access token: for clients that call this service without the gateway.
    pub const fn access_tokens(mut self) -> Self {
        self.accepts.access_tokens = true;
        self
    }

    /// Accepts `Countersign-Assertion`: for services behind the gateway, and behind a renderer behind the gateway.
    pub const fn assertions(mut self) -> Self {
        self.accepts.assertions = true;
        self
    }

    /// Follows the revocation feed with an API key of scope `revocations:read`.
    pub fn revocations(mut self, api_key: &str) -> Self {
        self.key = Some(SecretString::new(api_key.to_owned()));
        self
    }

    /// Where keys and feed are fetched, if not at the issuer: an origin such as `https://countersign.internal:8443`. HTTPS; `http` for
    /// loopback in `development` only.
    pub fn fetch_from(mut self, origin: &str) -> Self {
        self.origin = Some(origin.to_owned());
        self
    }

    /// Trusts these certificate authorities (PEM) for fetching, and no others: `.countersign/ca/ca.pem` under `countersign dev`. Else the system's.
    pub fn certificate_authorities(mut self, pem: &[u8]) -> Self {
        self.certificates = Some(pem.to_vec());
        self
    }

    /// Tolerated clock difference, at most 60 s; 5 s unless said otherwise (A11).
    pub const fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// How old the news of revocations may be before everything is answered 503; 5 s unless said otherwise, 2 s to 60 s.
    pub const fn max_staleness(mut self, span: Duration) -> Self {
        self.max_staleness = span;
        self
    }

    /// How often keys are fetched in the background; 5 min unless said otherwise. A key that an emergency took back is good here for so long.
    pub const fn key_refresh(mut self, every: Duration) -> Self {
        self.keys.refresh = every;
        self
    }

    /// At least this long between two fetches for unknown keys; 10 s unless said otherwise (H08).
    pub const fn key_cooldown(mut self, span: Duration) -> Self {
        self.keys.cooldown = span;
        self
    }

    /// Keys that could not be fetched again for so long are not used any more; 1 h unless said otherwise.
    pub const fn key_max_age(mut self, span: Duration) -> Self {
        self.keys.max_age = span;
        self
    }

    /// Another wall clock: for tests.
    pub fn clock(mut self, now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(now);
        self
    }

    /// What makes it less safe, by name.
    pub const fn dangerous(self) -> Dangerous {
        Dangerous(self)
    }

    /// Starts: fetches keys and follows the feed in the background, on the current tokio runtime, until the last clone of the verifier is dropped.
    /// Does not wait for either: see [`Verifier::ready`].
    ///
    /// # Errors
    /// [`ConfigError`].
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn start(self) -> Result<Verifier, ConfigError> {
        let environment = Environment::parse(&self.environment)?;
        let development = !environment.is_hardened();
        // The issuer is compared as text; it must be an origin all the same, or it is a slip of the pen.
        let _issuer = Origin::parse(&self.issuer, development)?;
        if self.audience.is_empty() || self.audience.iter().any(|name| name.is_empty()) {
            return Err(ConfigError::NoAudience);
        }
        if !self.accepts.access_tokens && !self.accepts.assertions {
            return Err(ConfigError::NothingAccepted);
        }
        if self.accepts.access_tokens && self.key.is_none() && !self.without_revocations {
            return Err(ConfigError::NoRevocations);
        }
        let seconds = Duration::from_secs;
        let ranges = [
            ("leeway", self.leeway, Duration::ZERO, MAX_LEEWAY),
            ("max_staleness", self.max_staleness, seconds(2), seconds(60)),
            ("key_refresh", self.keys.refresh, seconds(1), seconds(24 * 3600)),
            ("key_cooldown", self.keys.cooldown, seconds(1), seconds(3600)),
            ("key_max_age", self.keys.max_age, self.keys.refresh, seconds(7 * 24 * 3600)),
        ];
        if let Some((name, ..)) = ranges.iter().find(|(_, value, least, most)| value < least || value > most)
        {
            return Err(ConfigError::OutOfRange(name));
        }
        let origin = Origin::parse(self.origin.as_deref().unwrap_or(&self.issuer), development)?;
        let tls = if origin.https {
            let named = self.certificates.as_deref().map(read_pem).transpose()?;
            Some(tls_client(named.as_deref()).ok_or(ConfigError::Certificates)?)
        } else {
            None
        };
        Ok(Verifier::spawn(Parts {
            issuer: self.issuer.into(),
            environment,
            audience: self.audience,
            accepts: self.accepts,
            leeway: self.leeway,
            max_staleness: self.max_staleness,
            keys: self.keys,
            door: Door::new(origin, tls, self.time_out),
            key: self.key,
            clock: self.clock,
        }))
    }
}

fn read_pem(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    read.ok().filter(|found| !found.is_empty()).ok_or(ConfigError::Certificates)
}

/// Less safe ways, each by name.
#[derive(Debug)]
#[must_use]
pub struct Dangerous(Builder);

impl Dangerous {
    /// Accepts access tokens without knowing what was revoked: after a sign-out or a theft they are good here until they expire (15 min).
    pub fn without_revocations(mut self) -> Builder {
        self.0.without_revocations = true;
        self.0
    }
}
