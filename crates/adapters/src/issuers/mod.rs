//! The public keys of other issuers, from files and from addresses (A04, A18, H08, H09).

mod address;
mod fetch;
mod place;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use countersign_core::domain::token::trust::Issuers;
use countersign_core::port::{IssuerKeys, IssuerTrouble};
use tokio::task::JoinSet;

pub use address::{InvalidJwksUrl, JwksUrl};
pub use place::{FileError, Source};
use place::{Place, Times};

/// There are addresses with `https`, and the system trusts no certificate authority.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "the system has no certificate authorities to check an https address by; install ca-certificates, or set SSL_CERT_FILE"
)]
pub struct NoAuthorities;

/// The keys of each issuer.
#[derive(Debug, Default)]
pub struct IssuerKeySources(Vec<Arc<Place>>);

impl IssuerKeySources {
    /// Of these issuers; nothing is read yet. Of two entries for one issuer the first counts.
    ///
    /// # Errors
    /// [`NoAuthorities`].
    pub fn new<'a>(entries: impl IntoIterator<Item = (&'a str, Source)>) -> Result<Self, NoAuthorities> {
        Self::timed(entries, Times::default())
    }

    fn timed<'a>(
        entries: impl IntoIterator<Item = (&'a str, Source)>,
        times: Times,
    ) -> Result<Self, NoAuthorities> {
        let entries: Vec<_> = entries.into_iter().collect();
        let secured = entries.iter().any(|(_, source)| matches!(source, Source::Url(url) if !url.is_plain()));
        let tls = if secured { Some(fetch::system_tls().ok_or(NoAuthorities)?) } else { None };
        let place = |(issuer, source)| Arc::new(Place::new(issuer, source, tls.clone(), times));
        Ok(Self(entries.into_iter().map(place).collect()))
    }

    /// Reads the files.
    ///
    /// # Errors
    /// [`FileError`] of the first that cannot be used.
    pub fn read_files(&self) -> Result<(), FileError> {
        self.0.iter().try_for_each(|place| place.read_file())
    }

    /// Reads everything once, all at the same time.
    pub async fn read_all(&self) {
        let mut all = JoinSet::new();
        for place in &self.0 {
            let place = Arc::clone(place);
            all.spawn(async move { place.read().await });
        }
        while all.join_next().await.is_some() {}
    }

    /// Reads addresses now, and everything again and again, for as long as the set that it returns is kept.
    #[must_use]
    pub fn follow(&self) -> JoinSet<()> {
        let mut all = JoinSet::new();
        for place in &self.0 {
            let place = Arc::clone(place);
            all.spawn(async move { place.follow().await });
        }
        all
    }
}

impl IssuerKeys for IssuerKeySources {
    fn trusted(&self) -> Arc<Issuers> {
        let mut issuers = Issuers::default();
        for place in &self.0 {
            issuers.trust(place.issuer(), place.keys());
        }
        Arc::new(issuers)
    }

    async fn look_again(&self, issuer: &str) -> Arc<Issuers> {
        if let Some(place) = self.0.iter().find(|place| place.issuer() == issuer) {
            place.read_again().await;
        }
        self.trusted()
    }

    fn troubles(&self) -> Vec<IssuerTrouble> {
        self.0.iter().filter_map(|place| place.trouble()).collect()
    }
}
