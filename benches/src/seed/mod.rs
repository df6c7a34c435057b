//! Sessions and tokens, opened straight through the engine: twenty thousand logins would take minutes of hashing.

mod outside;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use countersign_adapters::files::master_key;
use countersign_adapters::{SystemClock, SystemEntropy};
use countersign_core::domain::api_key::ApiKeyPolicy;
use countersign_core::domain::client::Clients;
use countersign_core::domain::csrf::{self, Binding};
use countersign_core::domain::device::Device;
use countersign_core::domain::environment::Environment;
use countersign_core::domain::id::{Epoch, UserId};
use countersign_core::domain::key::Keyring;
use countersign_core::domain::password::PasswordPolicy;
use countersign_core::domain::policy::{ApplicationPolicy, Policy, SignUp};
use countersign_core::domain::retrofit::{Holder, UpstreamToken};
use countersign_core::domain::rotation::{AfterRollback, RotationPolicy};
use countersign_core::domain::scope::ScopeSet;
use countersign_core::domain::secret::SecretString;
use countersign_core::domain::session::SessionPolicy;
use countersign_core::domain::signing_key::Algorithm;
use countersign_core::domain::throttle::ThrottleRule;
use countersign_core::domain::token::access::AccessProfile;
use countersign_core::domain::user::{Email, User};
use countersign_core::port::{Clock as _, NewUser, Outside as _, Store as _};
use countersign_core::service::{Audience, Context, Engine};
use countersign_store::{AnyStore, MemoryStore, OpenMode, SqliteStore};
use tokio::task::JoinSet;

use crate::Failure;
use crate::contender::{PUBLIC_URL, database};
use outside::SeedOutside;

/// Accounts that the sessions are spread over.
const USERS: usize = 1000;
/// Sessions opened at a time, so that the store can commit them in groups.
const CALLERS: usize = 256;
/// As the configuration of the measured server says.
const ACCESS_TTL: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);
/// What all requests of the load say they come from: otherwise each would be a new place.
pub(crate) const CLIENT_IP: &str = "192.0.2.7";
/// The same for the browser.
pub(crate) const USER_AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// A session with what its browser holds.
#[derive(Debug)]
pub(crate) struct Session {
    /// Access token.
    pub(crate) access: String,
    /// Refresh token.
    pub(crate) refresh: String,
    /// CSRF token.
    pub(crate) csrf: String,
}

impl Session {
    /// The `Cookie` header.
    pub(crate) fn cookies(&self) -> String {
        format!(
            "__Host-Http-cs-access={}; __Host-Http-cs-refresh={}; __Host-cs-csrf={}; __Host-cs-hint=1",
            self.access, self.refresh, self.csrf
        )
    }
}

/// An engine on a store.
pub(crate) struct Seeder {
    engine: Arc<Engine<SeedOutside>>,
}

impl Seeder {
    /// On the database of a bench directory, with the master secret beside it. Holds the store's lock until dropped.
    pub(crate) async fn on_database(directory: &Path) -> Result<Self, Failure> {
        let store = SqliteStore::open(&database(directory), OpenMode::Create)?;
        Self::start(AnyStore::Sqlite(store), directory, Algorithm::EdDsa).await
    }

    /// In memory, signing with ES256: tokens of the same shape, for verifiers that know no Ed25519.
    pub(crate) async fn es256(directory: &Path) -> Result<Self, Failure> {
        Self::start(AnyStore::Memory(MemoryStore::default()), directory, Algorithm::Es256).await
    }

    async fn start(store: AnyStore, directory: &Path, algorithm: Algorithm) -> Result<Self, Failure> {
        let master_key = directory.join("master.key");
        let (secrets, _created) = master_key::load_or_create(&master_key, &SystemEntropy)?;
        let keyring = Keyring::new(environment()?, secrets)?;
        let outside = SeedOutside::new(store, master_key);
        let engine = Engine::start(outside, keyring, policy(algorithm)?).await?;
        for n in 0..USERS {
            engine.outside().store().create_user(NewUser { user: user(n)? }).await?;
        }
        Ok(Self { engine: Arc::new(engine) })
    }

    /// The engine.
    pub(crate) fn engine(&self) -> Arc<Engine<SeedOutside>> {
        Arc::clone(&self.engine)
    }

    /// Opens sessions.
    pub(crate) async fn sessions(&self, count: usize) -> Result<Vec<Session>, Failure> {
        self.open(count, false).await
    }

    /// The same, each with a token of the application's beside it.
    pub(crate) async fn sessions_with_tokens(&self, count: usize) -> Result<Vec<Session>, Failure> {
        self.open(count, true).await
    }

    async fn open(&self, count: usize, tokens: bool) -> Result<Vec<Session>, Failure> {
        let mut tasks = JoinSet::new();
        for caller in 0..CALLERS {
            tasks.spawn(open_some(Arc::clone(&self.engine), caller, count, tokens));
        }
        let mut sessions = Vec::with_capacity(count);
        while let Some(opened) = tasks.join_next().await {
            sessions.append(&mut opened??);
        }
        self.engine.flush().await?;
        Ok(sessions)
    }

    /// The sum of all sessions' generations: 1 each, and one more for each rotation that was written.
    pub(crate) async fn generations(&self) -> Result<u64, Failure> {
        let mut sum = 0;
        for n in 0..USERS {
            let sessions = self.engine.outside().store().sessions_of(&user(n)?.id, true).await?;
            sum += sessions.iter().map(|session| u64::from(session.rotation.current.0)).sum::<u64>();
        }
        Ok(sum)
    }

    /// The public signing key in PEM (SubjectPublicKeyInfo of P-256; RFC 5480).
    pub(crate) fn es256_pem(&self) -> Result<String, Failure> {
        const PREFIX: &[u8] = &[
            0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
            0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
        ];
        let jwks: serde_json::Value = serde_json::from_str(&self.engine.jwks())?;
        let mut der = PREFIX.to_vec();
        for coordinate in ["/keys/0/x", "/keys/0/y"] {
            let text = jwks.pointer(coordinate).and_then(serde_json::Value::as_str).ok_or("no P-256 key")?;
            der.extend(data_encoding::BASE64URL_NOPAD.decode(text.as_bytes())?);
        }
        let body = data_encoding::BASE64.encode(&der);
        Ok(format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n"))
    }
}

async fn open_some(
    engine: Arc<Engine<SeedOutside>>,
    caller: usize,
    count: usize,
    tokens: bool,
) -> Result<Vec<Session>, Failure> {
    let device = Device::new(CLIENT_IP.parse().ok(), USER_AGENT);
    let context = Context { request: None, device };
    let mut sessions = Vec::new();
    for n in (caller..count).step_by(CALLERS) {
        let opened = engine.open(&user(n % USERS)?, &["pwd"], None, &context).await?;
        let sid = opened.principal.claims().sid;
        if tokens {
            let token =
                UpstreamToken::new(SecretString::new(opened.tokens.access.expose().to_owned()), None, None);
            let (holder, until) = (Holder::Session(sid), opened.view.held.session.expires_at);
            let upstream = Audience { index: 0, names: vec!["app".into()] };
            engine
                .keep_upstream_token(holder, &upstream, token, None, until)
                .await?
                .ok_or("no token kept")?;
        }
        let csrf = csrf::token(engine.keyring(), Binding::Session(sid), engine.random16());
        sessions.push(Session {
            access: opened.tokens.access.expose().to_owned(),
            refresh: opened.tokens.refresh.as_ref().ok_or("no refresh token")?.expose().to_owned(),
            csrf: csrf.ok_or("no CSRF token")?.expose().to_owned(),
        });
    }
    Ok(sessions)
}

fn user(n: usize) -> Result<User, Failure> {
    Ok(User {
        id: UserId::parse(&format!("bench-user-{n:011}")).ok_or("user id")?,
        email: Email::parse(&format!("user-{n}@example.com"))?,
        email_verified: true,
        scope: ScopeSet::default(),
        epoch: Epoch(0),
        password: None,
        created_at: SystemClock.now(),
        disabled_at: None,
    })
}

fn environment() -> Result<Environment, Failure> {
    Ok(Environment::parse("production")?)
}

/// The rules of the measured server, as far as tokens depend on them.
fn policy(algorithm: Algorithm) -> Result<Policy, Failure> {
    let leeway = Duration::from_secs(5);
    let throttle = ThrottleRule {
        free: 5,
        first_delay: Duration::from_secs(1),
        longest_delay: Duration::from_secs(900),
        cap: 100,
        window: Duration::from_secs(3600),
    };
    Ok(Policy {
        access: AccessProfile {
            issuer: PUBLIC_URL.into(),
            audience: vec!["app".into()],
            environment: environment()?,
            leeway,
        },
        session: SessionPolicy { access_ttl: ACCESS_TTL, idle_ttl: DAY * 7, absolute_ttl: DAY * 30, leeway },
        rotation: RotationPolicy::new(Duration::from_secs(10), ACCESS_TTL + leeway, AfterRollback::Heal),
        product: "Bench".into(),
        sign_up: SignUp::Off,
        session_limit: None,
        password: PasswordPolicy::single_factor([], []),
        account_throttle: throttle,
        network_throttle: throttle,
        api_keys: ApiKeyPolicy::default(),
        clients: Clients::default(),
        applications: ApplicationPolicy::default(),
        algorithm,
        prepublish: DAY,
        rotate_every: None,
        max_staleness: Duration::from_secs(5),
        code_ttl: Duration::from_secs(1800),
    })
}
