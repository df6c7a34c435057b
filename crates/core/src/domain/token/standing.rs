//! From a token that is genuine to a proof that its bearer may act: what is still to be known in between.

use crate::domain::id::{Epoch, Generation, Sid, UserId};

use super::access::AccessClaims;
use super::refusal::TokenRefusal;

/// A genuine, current access token for us, of which nobody has yet said whether its session lives. Its claims cannot be
/// had before somebody has.
#[derive(Debug)]
#[must_use = "a token proves nothing before its session's standing is known"]
pub struct Statement {
    claims: AccessClaims,
    foreign: Option<Box<str>>,
}

/// What to look up.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'s> {
    /// The issuer, if it is not the home issuer.
    pub foreign: Option<&'s str>,
    /// The user.
    pub user: &'s UserId,
    /// The session.
    pub sid: Sid,
    /// The session's generation at issue.
    pub generation: Generation,
    /// The user's epoch when the session was opened.
    pub epoch: Epoch,
}

/// How a session stands, as far as anybody knows who must be asked (design §6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// It lives, and its user's epoch is this one (0 where none was ever raised).
    Live {
        /// The user's epoch.
        epoch: Epoch,
    },
    /// It was ended, or there is none.
    Revoked,
    /// It is past a deadline.
    Expired,
    /// It lives, but the token's generation was abandoned: somebody else may hold it.
    Abandoned,
}

/// Why a genuine token proves nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Fallen {
    /// Its session ended, or its user's epoch was raised.
    #[error("session revoked")]
    Revoked,
    /// Its session is past a deadline.
    #[error("session expired")]
    Expired,
    /// Its generation was abandoned.
    #[error("abandoned generation presented")]
    Abandoned,
}

impl Subject<'_> {
    /// What a standing means for this token.
    ///
    /// # Errors
    /// [`Fallen`].
    pub fn judge(&self, standing: Standing) -> Result<(), Fallen> {
        match standing {
            Standing::Live { epoch } if self.epoch >= epoch => Ok(()),
            Standing::Live { .. } | Standing::Revoked => Err(Fallen::Revoked),
            Standing::Expired => Err(Fallen::Expired),
            Standing::Abandoned => Err(Fallen::Abandoned),
        }
    }
}

impl Fallen {
    /// The reason code for events and logs.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Revoked => "session_revoked",
            Self::Expired => "session_expired",
            Self::Abandoned => "abandoned_access_token",
        }
    }
}

/// Why an access token does not prove anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unproven {
    /// The token itself.
    #[error(transparent)]
    Refused(#[from] TokenRefusal),
    /// Its session.
    #[error(transparent)]
    Fallen(#[from] Fallen),
}

/// Proof that an access token is good, its session's standing included. Only verification makes one, and minting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proven {
    claims: AccessClaims,
    foreign: Option<Box<str>>,
}

impl Statement {
    pub(super) const fn new(claims: AccessClaims, foreign: Option<Box<str>>) -> Self {
        Self { claims, foreign }
    }

    /// What to look up.
    #[must_use]
    pub fn subject(&self) -> Subject<'_> {
        subject(&self.claims, self.foreign.as_deref())
    }

    /// Says how its session stands.
    ///
    /// # Errors
    /// [`Fallen`].
    pub fn stands(self, standing: Standing) -> Result<Proven, Fallen> {
        self.subject().judge(standing)?;
        Ok(Proven { claims: self.claims, foreign: self.foreign })
    }
}

impl Proven {
    /// Claims that we have just signed ourselves, for a session that has just been read.
    pub(crate) const fn minted(claims: AccessClaims) -> Self {
        Self { claims, foreign: None }
    }

    /// The claims.
    #[must_use]
    pub const fn claims(&self) -> &AccessClaims {
        &self.claims
    }

    /// The claims, to keep; the proof is spent.
    #[must_use]
    pub fn into_claims(self) -> AccessClaims {
        self.claims
    }

    /// The issuer, if it is not the home issuer.
    #[must_use]
    pub fn foreign_issuer(&self) -> Option<&str> {
        self.foreign.as_deref()
    }

    /// What to look up when the proof is used again later: sessions end.
    #[must_use]
    pub fn subject(&self) -> Subject<'_> {
        subject(&self.claims, self.foreign.as_deref())
    }
}

fn subject<'s>(claims: &'s AccessClaims, foreign: Option<&'s str>) -> Subject<'s> {
    let AccessClaims { user, sid, generation, epoch, .. } = claims;
    Subject { foreign, user, sid: *sid, generation: *generation, epoch: *epoch }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// I05: reason codes are words that events and alerts go by.
    #[test]
    fn i05_reason_codes() {
        assert_eq!(Fallen::Revoked.reason(), "session_revoked");
        assert_eq!(Fallen::Expired.reason(), "session_expired");
        assert_eq!(Fallen::Abandoned.reason(), "abandoned_access_token");
    }
}
