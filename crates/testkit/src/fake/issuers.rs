//! Other issuers, as a test decides.

use std::sync::{Arc, Mutex, PoisonError};

use countersign_core::domain::token::trust::Issuers;
use countersign_core::port::{IssuerKeys, IssuerTrouble};

/// Whom a site trusts beside itself. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct FakeIssuers(Arc<Mutex<Told>>);

#[derive(Debug, Default)]
struct Told {
    now: Arc<Issuers>,
    later: Option<Arc<Issuers>>,
    looked: usize,
    troubles: Vec<IssuerTrouble>,
}

impl FakeIssuers {
    /// Trusts these from now on.
    pub fn trust(&self, issuers: Issuers) {
        self.lock().now = Arc::new(issuers);
    }

    /// Trusts these as soon as somebody looks again.
    pub fn trust_at_second_look(&self, issuers: Issuers) {
        self.lock().later = Some(Arc::new(issuers));
    }

    /// How often somebody looked again.
    #[must_use]
    pub fn looked(&self) -> usize {
        self.lock().looked
    }

    /// What is wrong with their keys.
    pub fn fail(&self, troubles: Vec<IssuerTrouble>) {
        self.lock().troubles = troubles;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl IssuerKeys for FakeIssuers {
    fn trusted(&self) -> Arc<Issuers> {
        Arc::clone(&self.lock().now)
    }

    async fn look_again(&self, _issuer: &str) -> Arc<Issuers> {
        let mut told = self.lock();
        told.looked += 1;
        if let Some(later) = told.later.take() {
            told.now = later;
        }
        Arc::clone(&told.now)
    }

    fn troubles(&self) -> Vec<IssuerTrouble> {
        self.lock().troubles.clone()
    }
}
