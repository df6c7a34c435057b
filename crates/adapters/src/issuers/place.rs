//! The keys of one issuer: where they come from, which ones are held, and what went wrong.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use countersign_core::domain::token::jwks::{self, JwksRefusal, MAX_JWKS};
use countersign_core::domain::token::jws::KeySet;
use countersign_core::port::IssuerTrouble;
use tokio::time::{Instant, sleep};
use tokio_rustls::TlsConnector;

use super::address::JwksUrl;
use super::fetch;

/// How often a file is read again: as often as TLS files.
const FILE_EVERY: Duration = Duration::from_secs(30);

/// How often keys are fetched.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// In the background.
    pub(super) refresh: Duration,
    /// At least so long after a fetch before the next one, whatever asks for it (H08).
    pub(super) cooldown: Duration,
    /// The same while there are no keys at all.
    pub(super) start_pause: Duration,
    /// Fetched keys that were not confirmed for so long are used no more: what an issuer takes back must go here too. No access token
    /// lives longer, so an issuer that is away for so long has none left that could be good.
    pub(super) max_age: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            refresh: Duration::from_secs(300),
            cooldown: Duration::from_secs(10),
            start_pause: Duration::from_secs(1),
            max_age: Duration::from_secs(3600),
        }
    }
}

/// Where the keys of an issuer are.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file, read again every 30 s. One that cannot be used changes nothing.
    File(PathBuf),
    /// An address.
    Url(JwksUrl),
}

/// A file of keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system refused.
    #[error("{}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It holds what must not be used (A18).
    #[error("{}: {source}", path.display())]
    Keys {
        /// Which.
        path: PathBuf,
        /// Why.
        source: JwksRefusal,
    },
}

#[derive(Debug, Default)]
struct Held {
    keys: Arc<KeySet>,
    at: Option<Instant>,
    trouble: Option<String>,
}

#[derive(Debug)]
pub(super) struct Place {
    issuer: Box<str>,
    source: Source,
    tls: Option<TlsConnectorDebug>,
    times: Times,
    held: Mutex<Held>,
    /// When a fetch last ended. Held while one is on its way: whoever needs it waits for that one.
    fetched: tokio::sync::Mutex<Option<Instant>>,
}

/// The library's connector says nothing of itself.
pub(super) struct TlsConnectorDebug(pub(super) TlsConnector);

impl std::fmt::Debug for TlsConnectorDebug {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TlsConnector")
    }
}

impl Place {
    pub(super) fn new(issuer: &str, source: Source, tls: Option<TlsConnector>, times: Times) -> Self {
        let tls = tls.map(TlsConnectorDebug);
        let (held, fetched) = (Mutex::default(), tokio::sync::Mutex::default());
        Self { issuer: issuer.into(), source, tls, times, held, fetched }
    }

    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The keys that may be used now; none if there are none, or they are too old.
    pub(super) fn keys(&self) -> Arc<KeySet> {
        let held = self.held();
        if self.is_good(&held) { Arc::clone(&held.keys) } else { Arc::default() }
    }

    pub(super) fn trouble(&self) -> Option<IssuerTrouble> {
        let held = self.held();
        let what = held.trouble.clone()?;
        Some(IssuerTrouble { issuer: self.issuer.clone(), what, has_keys: self.is_good(&held) })
    }

    fn is_good(&self, held: &Held) -> bool {
        let age = held.at.map(|at| at.elapsed());
        match self.source {
            Source::File(_) => age.is_some(),
            Source::Url(_) => age.is_some_and(|age| age < self.times.max_age),
        }
    }

    /// Reads the keys now, from wherever they are.
    pub(super) async fn read(&self) {
        match &self.source {
            Source::File(path) => {
                let path = path.clone();
                match tokio::task::spawn_blocking(move || from_file(&path)).await {
                    Ok(read) => self.take(read.map_err(|error| error.to_string())),
                    Err(stopped) => self.take(Err(format!("reading them broke off: {stopped}"))),
                }
            }
            Source::Url(url) => {
                let mut fetched = self.fetched.lock().await;
                self.fetch(url).await;
                *fetched = Some(Instant::now());
            }
        }
    }

    /// Reads a file now.
    pub(super) fn read_file(&self) -> Result<(), FileError> {
        let Source::File(path) = &self.source else { return Ok(()) };
        let keys = from_file(path)?;
        self.take(Ok(keys));
        Ok(())
    }

    /// Fetches again, unless that was done within the cooldown. Whoever asks while a fetch is on its way waits for that one: its end is
    /// what the cooldown is counted from, or those who waited for a slow issuer would each try it in turn.
    pub(super) async fn read_again(&self) {
        let Source::Url(url) = &self.source else { return };
        let mut fetched = self.fetched.lock().await;
        if fetched.is_some_and(|at| at.elapsed() < self.pause()) {
            return;
        }
        self.fetch(url).await;
        *fetched = Some(Instant::now());
    }

    /// Reads again and again. Never returns.
    pub(super) async fn follow(&self) {
        if matches!(self.source, Source::File(_)) {
            // It was read at the start.
            sleep(FILE_EVERY).await;
        }
        loop {
            self.read().await;
            let pause = match self.source {
                Source::File(_) => FILE_EVERY,
                Source::Url(_) if self.held().trouble.is_some() => self.pause(),
                Source::Url(_) => self.times.refresh,
            };
            sleep(pause).await;
        }
    }

    fn pause(&self) -> Duration {
        if self.is_good(&self.held()) { self.times.cooldown } else { self.times.start_pause }
    }

    async fn fetch(&self, url: &JwksUrl) {
        let tls = self.tls.as_ref().filter(|_| !url.is_plain()).map(|tls| &tls.0);
        let read = fetch::fetch(url, tls).await;
        self.take(read.map_err(|error| format!("{url}: {error}")));
    }

    /// What could not be read, or must not be used as a whole, changes nothing: a half-written file or an outage of the issuer locks
    /// nobody out.
    fn take(&self, read: Result<KeySet, String>) {
        let issuer = &*self.issuer;
        let mut held = self.held();
        match read {
            Ok(keys) => {
                if held.trouble.take().is_some() {
                    tracing::info!(issuer, "the keys of an issuer can be read again");
                }
                (held.keys, held.at) = (Arc::new(keys), Some(Instant::now()));
            }
            Err(error) => {
                if held.trouble.is_none() {
                    let has_keys = self.is_good(&held);
                    tracing::error!(
                        issuer,
                        error,
                        has_keys,
                        "the keys of an issuer cannot be read; those from before stay, fetched ones for an hour"
                    );
                }
                held.trouble = Some(error);
            }
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // A panic while it is held leaves it as it was.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn from_file(path: &Path) -> Result<KeySet, FileError> {
    let failed = |error| FileError::Read { path: path.to_owned(), source: error };
    let mut text = Vec::new();
    let most = u64::try_from(MAX_JWKS).unwrap_or(u64::MAX).saturating_add(1);
    std::fs::File::open(path).map_err(failed)?.take(most).read_to_end(&mut text).map_err(failed)?;
    jwks::parse(&text).map_err(|refusal| FileError::Keys { path: path.to_owned(), source: refusal })
}
