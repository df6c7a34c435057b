//! What every attack gets: the target, the accounts, a client, and what was detected.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use aws_lc_rs::hmac;
use countersign_core::domain::time::Timestamp;
use data_encoding::HEXLOWER;

use crate::account::Account;
use crate::client::{Agent, Device, Limits, Net, NetError, Pace, TlsError, Trust};
use crate::credential::Credential;
use crate::detect::{App, Session};
use crate::profile::Profile;
use crate::report::{BlastRadius, Obtained, Theft};
use crate::target::{Origin, Target};
use crate::vault::Vault;

/// The wall clock, passed in.
#[derive(Clone)]
pub struct Present(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Present {
    /// Asks this function.
    #[must_use]
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The present.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl std::fmt::Debug for Present {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Present")
    }
}

/// Words that were never seen before, from a seed that is passed in.
#[derive(Debug)]
pub struct Words {
    key: hmac::Key,
    drawn: AtomicU64,
}

impl Words {
    /// From 32 random bytes.
    #[must_use]
    pub fn new(seed: &[u8; 32]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, seed), drawn: AtomicU64::new(0) }
    }

    /// The next word: `drill` and 16 hexadecimal digits.
    #[must_use]
    pub fn next(&self) -> String {
        let count = self.drawn.fetch_add(1, Ordering::Relaxed);
        let tag = hmac::sign(&self.key, &count.to_be_bytes());
        format!("drill{}", HEXLOWER.encode(tag.as_ref().get(..8).unwrap_or_default()))
    }
}

/// What is allowed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Data of the test accounts may be changed.
    pub active: bool,
    /// Expiries may be waited for.
    pub wait: bool,
}

/// A log file of the application's, to be searched for tokens.
#[derive(Debug, Clone)]
pub struct LogFile {
    /// For people.
    pub name: String,
    /// Where it lies; read at the end.
    pub path: std::path::PathBuf,
}

/// What the caller gives; [`Scene::new`] makes a scene of it.
#[derive(Debug)]
pub struct Setting {
    /// The application.
    pub target: Target,
    /// One account at least; two for most attacks.
    pub accounts: Vec<Account>,
    /// What cannot be guessed.
    pub profile: Profile,
    /// What is allowed.
    pub options: Options,
    /// Log files to search.
    pub logs: Vec<LogFile>,
    /// Whose certificates are believed.
    pub trust: Trust,
    /// What is waited for and read.
    pub limits: Limits,
    /// Requests in a second.
    pub rate: u32,
    /// The wall clock.
    pub present: Present,
    /// 32 random bytes.
    pub seed: [u8; 32],
}

/// Why an attack could not be tried.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The network, or the server.
    #[error(transparent)]
    Net(#[from] NetError),
    /// A log file that was named cannot be read.
    #[error("{} cannot be read, so it was not searched: {error}", .path.display())]
    Log {
        /// Which.
        path: std::path::PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// Signing in did not work.
    #[error("signing in as {login} failed: {why}")]
    LogIn {
        /// As whom.
        login: String,
        /// What came back.
        why: String,
    },
    /// Signing in is throttled: neither good nor bad, but the attack needs a session.
    #[error("the application throttles sign-ins ({0}); run this check alone, later")]
    Throttled(String),
    /// Something has to be known first.
    #[error("{0}")]
    Unknown(String),
}

/// Everything an attack needs.
#[derive(Debug)]
pub struct Scene {
    /// The application.
    pub target: Target,
    /// The accounts: the first is the victim, the second the attacker's own.
    pub accounts: Vec<Account>,
    /// What the caller knows.
    pub profile: Profile,
    /// What is allowed.
    pub options: Options,
    /// Log files to search.
    pub logs: Vec<LogFile>,
    /// The wall clock.
    pub present: Present,
    /// Words for markers.
    pub words: Words,
    /// All secrets seen.
    pub vault: Arc<Vault>,
    net: Arc<Net>,
    /// Where [`Profile::elsewhere`] is.
    elsewhere: Option<Target>,
    app: OnceLock<App>,
    /// Whether the account that is guessed at could sign in on the guesses' device before the first guess.
    pub(crate) welcome: OnceLock<bool>,
    sessions: Mutex<Vec<Session>>,
    obtained: Mutex<Vec<Obtained>>,
    thefts: Mutex<Vec<Theft>>,
}

/// Why there is no scene.
#[derive(Debug, thiserror::Error)]
pub enum NoScene {
    /// TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The profile's second deployment.
    #[error("the profile's `elsewhere`: {0}")]
    Elsewhere(#[from] crate::target::NotATarget),
    /// Nobody to sign in as.
    #[error(
        "name a test account: --account NAME:PASSWORD, --accounts-file FILE or COUNTERSIGN_DRILL_ACCOUNT"
    )]
    NoAccount,
}

impl Scene {
    /// Sets the scene; nothing is asked yet.
    ///
    /// # Errors
    /// [`NoScene`].
    pub fn new(setting: Setting) -> Result<Self, NoScene> {
        if setting.accounts.is_empty() {
            return Err(NoScene::NoAccount);
        }
        let vault = Arc::new(Vault::default());
        for account in &setting.accounts {
            vault.steal(&account.password);
        }
        let elsewhere = setting.profile.elsewhere.as_deref().map(Target::parse).transpose()?;
        let named: Vec<Origin> =
            std::iter::once(&setting.target).chain(&elsewhere).map(Target::origin).collect();
        let pace = Pace::new(setting.rate);
        let net = Net::new(
            named,
            &setting.trust,
            setting.limits,
            pace,
            setting.present.clone(),
            Arc::clone(&vault),
        )?;
        Ok(Self {
            target: setting.target,
            accounts: setting.accounts,
            profile: setting.profile,
            options: setting.options,
            logs: setting.logs,
            present: setting.present,
            words: Words::new(&setting.seed),
            vault,
            net: Arc::new(net),
            elsewhere,
            app: OnceLock::new(),
            welcome: OnceLock::new(),
            sessions: Mutex::default(),
            obtained: Mutex::default(),
            thefts: Mutex::default(),
        })
    }

    /// A fresh browser of an honest person, or of a thief ([`Device::Other`]).
    #[must_use]
    pub fn agent(&self, device: Device) -> Agent {
        Agent::new(Arc::clone(&self.net), device)
    }

    /// The way to the target, for attacks below HTTP.
    #[must_use]
    pub fn net(&self) -> &Net {
        &self.net
    }

    /// The other deployment, if one was named.
    #[must_use]
    pub const fn elsewhere(&self) -> Option<&Target> {
        self.elsewhere.as_ref()
    }

    /// What was detected.
    ///
    /// # Errors
    /// [`Broken::Unknown`] before that, or if nothing was.
    pub fn app(&self) -> Result<&App, Broken> {
        self.app.get().ok_or_else(|| Broken::Unknown("how people sign in was not found out".to_owned()))
    }

    /// Finds out how the application signs people in, once.
    ///
    /// # Errors
    /// [`Broken`], with a sentence that says what to write into the profile.
    pub async fn find_out(&self, progress: &dyn crate::runner::Progress) -> Result<&App, Broken> {
        if self.app.get().is_none() {
            self.detected(crate::detect::detect(self, progress).await?);
        }
        self.app()
    }

    /// Remembers what was detected; the first word counts.
    pub(crate) fn detected(&self, app: App) {
        if self.app.set(app).is_err() {
            tracing::debug!("the application was detected twice");
        }
    }

    /// A fresh session of an account, by its index.
    ///
    /// # Errors
    /// [`Broken`] if there is no such account, or signing in fails.
    pub async fn log_in(&self, account: usize) -> Result<Session, Broken> {
        crate::detect::log_in(self, &self.target, self.account(account)?, &self.agent(Device::Own)).await
    }

    /// An account by its index.
    ///
    /// # Errors
    /// [`Broken::Unknown`] if only fewer were given.
    pub fn account(&self, index: usize) -> Result<&Account, Broken> {
        let missing = || Broken::Unknown("this needs a second test account: --account2".to_owned());
        self.accounts.get(index).ok_or_else(missing)
    }

    /// The session of an account that lives through the whole drill. Attacks that end it take one of their own
    /// ([`Scene::log_in`]): sign-ins are few where they are throttled.
    ///
    /// # Errors
    /// As [`Scene::log_in`].
    pub async fn session(&self, account: usize) -> Result<Session, Broken> {
        let login = &self.account(account)?.login;
        let kept = {
            let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
            sessions.iter().find(|session| session.account.login == *login).cloned()
        };
        if let Some(session) = kept {
            return Ok(session);
        }
        let session = self.log_in(account).await?;
        self.keep_session(session.clone());
        Ok(session)
    }

    /// Puts a session in the place of the account's kept one.
    pub fn keep_session(&self, session: Session) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|kept| kept.account.login != session.account.login);
        sessions.push(session);
    }

    /// Notes what was learned of a stolen credential's blast radius; it gets into the report with the first word.
    pub fn radius(&self, session: &Session, credential: &Credential, change: impl FnOnce(&mut BlastRadius)) {
        let mut all = self.obtained.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.iter().position(|obtained| obtained.place == credential.place);
        let at = known.unwrap_or_else(|| {
            all.push(Obtained::new(session, credential));
            all.len() - 1
        });
        if let Some(obtained) = all.get_mut(at) {
            change(&mut obtained.radius);
        }
    }

    /// Puts the story of a theft into the report.
    pub fn theft(&self, theft: Theft) {
        self.thefts.lock().unwrap_or_else(PoisonError::into_inner).push(theft);
    }

    /// What attacks put into the report so far.
    pub(crate) fn told(&self) -> (Vec<Obtained>, Vec<Theft>) {
        let obtained = self.obtained.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let thefts = self.thefts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        (obtained, thefts)
    }
}
