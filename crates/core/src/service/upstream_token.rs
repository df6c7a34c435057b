//! Tokens of upstreams that keep their own login: kept sealed in the store, and open in this node's memory while they are used.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::assert::Audience;
use super::engine::{Engine, ServiceError};
use crate::domain::id::KeyId;
use crate::domain::key::sealed_under;
use crate::domain::retrofit::{Holder, UpstreamToken};
use crate::domain::time::Timestamp;
use crate::port::{Entropy, KeptToken, Outside, Store};

/// Tokens that are sealed anew at a time.
const BATCH: u32 = 500;

/// An upstream's token, open.
#[derive(Debug)]
pub struct Kept {
    /// The token.
    pub token: UpstreamToken,
    /// Which writing of it this is.
    revision: i64,
    expires_at: Timestamp,
    /// The upstream handed out no other for it.
    refused: AtomicBool,
}

impl Kept {
    const fn new(token: UpstreamToken, revision: i64, expires_at: Timestamp) -> Self {
        Self { token, revision, expires_at, refused: AtomicBool::new(false) }
    }

    /// Remembers that the upstream handed out no other for it: it need not be asked again.
    pub fn mark_refused(&self) {
        self.refused.store(true, Ordering::Relaxed);
    }

    /// Whether that is so, as far as this node knows.
    #[must_use]
    pub fn was_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }

    /// Whether two are the same writing of one token.
    #[must_use]
    pub const fn is(&self, other: &Self) -> bool {
        self.revision == other.revision
    }
}

/// Where in memory a token is: whose, and which upstream's.
pub(super) type Slot = (Holder, u32);

impl<O: Outside> Engine<O> {
    /// The token of a holder for an upstream, from memory if this node used it before.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn upstream_token(
        &self,
        holder: Holder,
        upstream: &Audience,
    ) -> Result<Option<Arc<Kept>>, ServiceError> {
        let slot = (holder, upstream.index);
        // One look at the store for all who wait. Whoever writes meanwhile wins: the cache keeps what was put there first.
        self.kept.get_or_insert_async(&slot, self.stored_token(holder, upstream.name())).await
    }

    /// The same from the store: another node may have renewed it.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn upstream_token_now(
        &self,
        holder: Holder,
        upstream: &Audience,
    ) -> Result<Option<Arc<Kept>>, ServiceError> {
        let found = self.stored_token(holder, upstream.name()).await?;
        self.kept.insert((holder, upstream.index), found.clone());
        Ok(found)
    }

    async fn stored_token(&self, holder: Holder, upstream: &str) -> Result<Option<Arc<Kept>>, ServiceError> {
        let Some(stored) = self.outside.store().upstream_token(holder, upstream).await? else {
            return Ok(None);
        };
        let opened = self.keyring.unseal(&sealed_name(holder, upstream), &stored.sealed);
        let token = match &opened {
            Ok(bytes) => UpstreamToken::from_bytes(bytes),
            Err(error) => {
                tracing::error!(%error, upstream, "an upstream's token cannot be opened; its session has to sign in again");
                None
            }
        };
        let kept = |token| Arc::new(Kept::new(token, stored.revision, stored.expires_at));
        Ok(token.map(kept))
    }

    /// Keeps a token, until `expires_at`, in place of `older` or, without one, of whatever there is. `None` if there is another by now,
    /// or the session has ended.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn keep_upstream_token(
        &self,
        holder: Holder,
        upstream: &Audience,
        token: UpstreamToken,
        older: Option<&Kept>,
        expires_at: Timestamp,
    ) -> Result<Option<Arc<Kept>>, ServiceError> {
        let sealed = self
            .keyring
            .seal(&sealed_name(holder, upstream.name()), self.outside.entropy().bytes(), &token.to_bytes())
            .ok_or_else(|| ServiceError::Signing(String::from("sealing failed")))?;
        let stored = KeptToken {
            holder,
            upstream: upstream.name().into(),
            revision: self.fresh_revision(),
            master_key: sealed_under(&sealed).unwrap_or_else(|| self.keyring.current()),
            sealed,
            expires_at,
        };
        let slot = (holder, upstream.index);
        if !self.outside.store().keep_upstream_token(&stored, older.map(|older| older.revision)).await? {
            self.kept.remove(&slot);
            return Ok(None);
        }
        let kept = Arc::new(Kept::new(token, stored.revision, expires_at));
        self.kept.insert(slot, Some(Arc::clone(&kept)));
        Ok(Some(kept))
    }

    /// Keeps a fresh token in place of an older one, for as long as that would have been kept. What renews it stays if the upstream
    /// sent no other.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn renew_upstream_token(
        &self,
        holder: Holder,
        upstream: &Audience,
        token: UpstreamToken,
        older: &Kept,
    ) -> Result<Option<Arc<Kept>>, ServiceError> {
        let token = token.succeeding(&older.token);
        self.keep_upstream_token(holder, upstream, token, Some(older), older.expires_at).await
    }

    /// Deletes a visitor's token: a login took its place.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn forget_upstream_token(
        &self,
        holder: Holder,
        upstream: &Audience,
    ) -> Result<(), ServiceError> {
        self.outside.store().forget_upstream_token(holder, upstream.name()).await?;
        self.kept.remove(&(holder, upstream.index));
        Ok(())
    }

    /// Seals those anew that are sealed under a master secret. Returns how many.
    pub(super) async fn reseal_upstream_tokens(&self, under: KeyId) -> Result<u64, super::MasterKeyError> {
        let (mut done, store) = (0, self.outside.store());
        loop {
            let batch = store.upstream_tokens_under(under, BATCH).await?;
            if batch.is_empty() {
                return Ok(done);
            }
            for old in batch {
                let (name, holder, upstream) =
                    (sealed_name(old.holder, &old.upstream), old.holder, old.upstream.clone());
                let Ok(plain) = self.keyring.unseal(&name, &old.sealed) else {
                    // Damaged, or put in another's place: its session has to sign in again, and nobody can use it.
                    tracing::error!(
                        upstream = &*upstream,
                        "an upstream's token cannot be opened and is deleted"
                    );
                    store.forget_upstream_token(holder, &upstream).await?;
                    continue;
                };
                let sealed = self.keyring.seal(&name, self.outside.entropy().bytes(), &plain);
                let sealed = sealed.ok_or_else(|| ServiceError::Signing(String::from("sealing failed")))?;
                let Some(master_key) = sealed_under(&sealed).filter(|key| *key != under) else {
                    // It became the current one again meanwhile: nothing is to be done.
                    return Ok(done);
                };
                let was = Some(old.revision);
                let new = KeptToken { revision: self.fresh_revision(), master_key, sealed, ..old };
                // Renewed meanwhile, it is sealed under the current secret already; with its session it is gone.
                done += u64::from(store.keep_upstream_token(&new, was).await?);
            }
            // What is in memory has older revisions now; a renewal by one of those would be refused.
            self.kept.clear();
        }
    }

    /// Another with each write: who renews a token by an older one is told.
    fn fresh_revision(&self) -> i64 {
        i64::from_be_bytes(self.random::<8>()) & i64::MAX
    }
}

/// What a token is bound to while it is sealed: nobody who can write to the store gives it to another session or upstream.
fn sealed_name(holder: Holder, upstream: &str) -> String {
    format!("upstream-token:{}:{upstream}", data_encoding::HEXLOWER.encode(holder.as_bytes()))
}
