//! Access tokens of other issuers whose keys the configuration trusts (A04).
//!
//! No session of ours stands behind one: it is judged by itself, each time, and by what this node was told to revoke. It
//! opens routes of the gateway as a bearer token, never our own end points, and is never taken from a cookie.

use std::sync::Arc;

use super::engine::{Context, Engine};
use super::principal::{ForeignPrincipal, Principal};
use super::verify::VerifyError;
use crate::domain::token::jws::JwsRefusal;
use crate::domain::token::trust::{Issuers, Trusted};
use crate::domain::token::{TokenRefusal, access, unverified};
use crate::port::{IssuerKeys, Outside, StoreError};

impl<O: Outside> Engine<O> {
    /// Verifies a bearer access token, of ours or of a trusted issuer.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub async fn verify_bearer(&self, token: &str, context: &Context) -> Result<Principal, VerifyError> {
        match self.verify_access(token, context).await {
            Err(VerifyError::Refused(TokenRefusal::Issuer)) => {
                let foreign = Box::pin(self.verify_foreign(token)).await?;
                Ok(Principal::Foreign(Arc::new(foreign)))
            }
            ours => ours.map(Principal::Session),
        }
    }

    /// By the keys that are here; where the token names another one, by those that its issuer has now (H08).
    async fn verify_foreign(&self, token: &str) -> Result<ForeignPrincipal, VerifyError> {
        let issuers = self.outside.issuers();
        let refused = match self.judge_foreign(token, &issuers.trusted()) {
            Err(VerifyError::Refused(TokenRefusal::Jws(JwsRefusal::UnknownKey))) => JwsRefusal::UnknownKey,
            judged => return judged,
        };
        // Unproven, and good for nothing but asking: who is not trusted never gets here.
        let Some(issuer) = unverified::read(token).and_then(|token| token.iss) else {
            return Err(TokenRefusal::from(refused).into());
        };
        let newer = issuers.look_again(&issuer).await;
        if newer.lacks_keys(&issuer) {
            return Err(StoreError::Unavailable(format!("the keys of {issuer} cannot be had")).into());
        }
        self.judge_foreign(token, &newer)
    }

    fn judge_foreign(&self, token: &str, issuers: &Issuers) -> Result<ForeignPrincipal, VerifyError> {
        let (now, keys) = (self.now(), self.active_keys());
        let trusted = Trusted::only(&self.policy.access.issuer, &keys.verifying).beside(issuers);
        let statement = access::check(token, &self.policy.access, &trusted, now)?;
        if !self.is_fresh(now) {
            // This node may not have heard of a revocation, and no store can be asked about this session (design §6).
            let why = String::from("no news of revocations, which another issuer's token is judged by");
            return Err(VerifyError::Store(StoreError::Unavailable(why)));
        }
        let standing = self.remembered(&statement.subject());
        let proven = statement.stands(standing)?;
        ForeignPrincipal::new(proven).ok_or(VerifyError::Refused(TokenRefusal::Issuer))
    }

    pub(super) fn foreign_stands(&self, foreign: &ForeignPrincipal) -> bool {
        let subject = foreign.subject();
        subject.judge(self.remembered(&subject)).is_ok()
    }
}
