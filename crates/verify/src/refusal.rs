//! Why a request was not let in. For logs; answers say less ([`Problem`](crate::Problem)).

use countersign_core::domain::token::refusal::TokenRefusal;
use countersign_core::domain::token::standing::Fallen;

/// Why a request was not let in.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// It has no credential of the kinds that are accepted.
    #[error("no credential")]
    Missing,
    /// It has two, or one that cannot be read: two readers of one request must never see two different users.
    #[error("unclear credentials: {0}")]
    Unclear(&'static str),
    /// The token itself.
    #[error(transparent)]
    Token(#[from] TokenRefusal),
    /// Its session ended, or its generation may be somebody else's.
    #[error("revoked")]
    Revoked,
    /// The revocation feed was not heard for `max_staleness`: never pass through (H03, K11).
    #[error("the revocation feed is stale")]
    Stale,
    /// There are no keys, or none that were confirmed in time.
    #[error("the issuer's keys are not known")]
    NoKeys,
}

impl From<Fallen> for Refusal {
    /// The feed does not say by which of these a session fell.
    fn from(fallen: Fallen) -> Self {
        match fallen {
            Fallen::Revoked | Fallen::Expired | Fallen::Abandoned => Self::Revoked,
        }
    }
}
