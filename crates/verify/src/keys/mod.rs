//! The issuer's public keys: cached, refreshed in the background, fetched again for an unknown `kid` (H08).

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use countersign_core::domain::token::jwks;
use countersign_core::domain::token::jws::KeySet;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use crate::chance;
use crate::fetch::{Door, FetchError, Get};

const PATH: &str = "/.well-known/jwks.json";
const TYPES: &[&str] = &["application/jwk-set+json", "application/json"];
/// Between attempts while there are no keys at all.
const START_PAUSE: Duration = Duration::from_secs(1);

/// How often keys are fetched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyTimes {
    /// In the background.
    pub(crate) refresh: Duration,
    /// At least this long between two fetches that unknown `kid`s cause, however many come.
    pub(crate) cooldown: Duration,
    /// Keys that could not be confirmed for so long are not used any more: an emergency at the issuer must reach everybody.
    pub(crate) max_age: Duration,
}

/// The cache.
#[derive(Debug)]
pub(crate) struct Keys {
    door: Door,
    times: KeyTimes,
    loaded: RwLock<Option<Loaded>>,
    /// When a fetch was last begun or ended. Held while one is on its way, so that all who need it wait for that one.
    attempt: Mutex<Option<Instant>>,
}

#[derive(Clone, Debug)]
struct Loaded {
    set: Arc<KeySet>,
    at: Instant,
}

impl Keys {
    pub(crate) fn new(door: Door, times: KeyTimes) -> Self {
        Self { door, times, loaded: RwLock::default(), attempt: Mutex::default() }
    }

    /// The keys, if there are any that are young enough.
    pub(crate) fn current(&self) -> Option<Arc<KeySet>> {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        loaded.as_ref().filter(|l| l.at.elapsed() < self.times.max_age).map(|l| Arc::clone(&l.set))
    }

    /// The keys after a fetch, if one may be made now: for a `kid` that `seen` does not have. Callers at the same time share
    /// one fetch; within the cooldown nothing is fetched, so that invented `kid`s cost the issuer nothing (H08).
    pub(crate) async fn newer(&self, seen: Option<&Arc<KeySet>>) -> Option<Arc<KeySet>> {
        let mut attempt = self.attempt.lock().await;
        let now = self.current();
        let changed = match (seen, &now) {
            (Some(seen), Some(now)) => !Arc::ptr_eq(seen, now),
            (None, Some(_)) => true,
            (_, None) => false,
        };
        let pause = if now.is_some() { self.times.cooldown } else { START_PAUSE };
        if changed || attempt.is_some_and(|at| at.elapsed() < pause) {
            return now;
        }
        *attempt = Some(Instant::now());
        let fetched = self.fetch().await;
        // From its end too: those who waited for a slow issuer must not each try it in turn.
        *attempt = Some(Instant::now());
        match fetched {
            Ok(()) => self.current(),
            Err(error) => {
                tracing::warn!(%error, issuer = %self.door.origin(), "cannot fetch keys");
                now
            }
        }
    }

    /// Fetches in the background. Never returns.
    pub(crate) async fn follow(self: Arc<Self>) {
        loop {
            let mut attempt = self.attempt.lock().await;
            *attempt = Some(Instant::now());
            let fetched = self.fetch().await;
            *attempt = Some(Instant::now());
            drop(attempt);
            let pause = match fetched {
                Ok(()) => self.times.refresh,
                Err(error) => {
                    tracing::warn!(%error, issuer = %self.door.origin(), "cannot fetch keys");
                    if self.current().is_some() { self.times.cooldown } else { START_PAUSE }
                }
            };
            sleep(chance::spread(pause)).await;
        }
    }

    /// One fetch. A set that is not usable as a whole changes nothing.
    async fn fetch(&self) -> Result<(), FetchError> {
        let at = Instant::now();
        let get = Get { target: PATH, types: TYPES, key: None, header: None };
        let body = self.door.fetch(get, jwks::MAX_JWKS).await?;
        let set = jwks::parse(&body).map_err(FetchError::Keys)?;
        let mut loaded = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
        // The same keys stay the same set: whoever waits for another one sees that none came.
        let set = match loaded.take() {
            Some(before) if same(&before.set, &set) => before.set,
            _ => Arc::new(set),
        };
        *loaded = Some(Loaded { set, at });
        Ok(())
    }
}

/// Whether the same names stand for the same keys: [`VerifyingKey::kid`](countersign_core::domain::token::jwk::VerifyingKey::kid) is a thumbprint.
fn same(a: &KeySet, b: &KeySet) -> bool {
    a.len() == b.len()
        && a.iter().all(|(name, key)| b.get(name).is_some_and(|other| other.kid() == key.kid()))
}
