//! Access tokens of other issuers whose keys the configuration trusts (A04).
//!
//! No session of ours stands behind one: it is judged by itself, each time, and by what this node was told to revoke. It
//! opens routes of the gateway as a bearer token, never our own end points, and is never taken from a cookie.

use std::sync::{Arc, PoisonError};

use super::engine::{Context, Engine};
use super::principal::{ForeignPrincipal, Principal};
use super::verify::VerifyError;
use crate::domain::token::trust::{Issuers, Trusted};
use crate::domain::token::{TokenRefusal, access};
use crate::port::{Outside, StoreError};

impl<O: Outside> Engine<O> {
    /// Trusts these issuers beside our own from now on, and no others.
    pub fn trust(&self, issuers: Issuers) {
        *self.issuers.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(issuers);
    }

    /// Verifies a bearer access token, of ours or of a trusted issuer.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub async fn verify_bearer(&self, token: &str, context: &Context) -> Result<Principal, VerifyError> {
        match self.verify_access(token, context).await {
            Err(VerifyError::Refused(TokenRefusal::Issuer)) => {
                self.verify_foreign(token).map(|foreign| Principal::Foreign(Arc::new(foreign)))
            }
            ours => ours.map(Principal::Session),
        }
    }

    fn verify_foreign(&self, token: &str) -> Result<ForeignPrincipal, VerifyError> {
        let (now, keys) = (self.now(), self.active_keys());
        let issuers = Arc::clone(&self.issuers.read().unwrap_or_else(PoisonError::into_inner));
        let trusted = Trusted::only(&self.policy.access.issuer, &keys.verifying).beside(&issuers);
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
