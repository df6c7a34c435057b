//! The public keys of other issuers, wherever they are kept: a file, or an address that they are fetched from (A04, H08, H09).

use std::sync::Arc;

use crate::domain::token::trust::Issuers;

/// Why the keys of an issuer are not as they should be; for operators.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IssuerTrouble {
    /// Whose.
    pub issuer: Box<str>,
    /// What went wrong when they were last read.
    pub what: String,
    /// Whether keys from before are still in use.
    pub has_keys: bool,
}

impl std::fmt::Display for IssuerTrouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { issuer, what, has_keys } = self;
        let so = if *has_keys {
            "those from before are used"
        } else {
            "there are none, and its tokens are refused"
        };
        write!(f, "the keys of {issuer} cannot be read: {what}; {so}")
    }
}

/// Other issuers whose access tokens are accepted, by configuration.
pub trait IssuerKeys: Send + Sync {
    /// Whom to trust now. Never waits. An issuer whose keys are not there, or too old, is in it without keys.
    fn trusted(&self) -> Arc<Issuers>;

    /// A token names a key of this issuer that [`trusted`](Self::trusted) does not have: reads the issuer's keys again, unless that
    /// was done a moment ago. All who ask at the same time wait for one reading, so that invented names cost the issuer nothing (H08).
    fn look_again(&self, issuer: &str) -> impl Future<Output = Arc<Issuers>> + Send;

    /// What is wrong now.
    fn troubles(&self) -> Vec<IssuerTrouble>;
}

/// Nobody is trusted but this deployment.
impl IssuerKeys for () {
    fn trusted(&self) -> Arc<Issuers> {
        Arc::default()
    }

    async fn look_again(&self, _issuer: &str) -> Arc<Issuers> {
        Arc::default()
    }

    fn troubles(&self) -> Vec<IssuerTrouble> {
        Vec::new()
    }
}
