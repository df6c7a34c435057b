//! Why a signed token was refused: exact inside, a listed code outside (I06).

use std::borrow::Cow;

use super::jws::JwsRefusal;

/// Why a signed token was refused. Its text and its [`reason`](Self::reason) are for logs; answers say less.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TokenRefusal {
    /// The JWS itself.
    #[error(transparent)]
    Jws(#[from] JwsRefusal),
    /// A required claim is missing, or a claim that is read has the wrong JSON type or an impossible value (A10).
    #[error("claim missing or of the wrong type: {0}")]
    Claim(&'static str),
    /// `iss` is nobody whose keys are trusted (A04, A13).
    #[error("issued by somebody else")]
    Issuer,
    /// `aud` names others only (A12).
    #[error("meant for somebody else")]
    Audience,
    /// `env` is another, or an unverifiable token claims another (A13).
    #[error("token of another environment")]
    Environment,
    /// `typ` or `purpose` is of another kind (A08, A09).
    #[error("token of another kind")]
    Purpose,
    /// Past `exp` (A11).
    #[error("expired")]
    Expired,
    /// `iat` or `nbf` in the future (A11).
    #[error("not yet valid")]
    NotYet,
    /// It would live longer than its kind may: revocations are not remembered for so long (design §4, §6).
    #[error("lives longer than its kind may")]
    Lifetime,
    /// It is bound to a device key and came without a proof (E04).
    #[error("bound to a device key")]
    Bound,
}

impl TokenRefusal {
    /// The reason code for events and logs. Different for each cause, and no part of it comes from the token.
    #[must_use]
    pub fn reason(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Jws(JwsRefusal::TooLong) => "token_too_long",
            Self::Jws(JwsRefusal::Malformed) => "token_malformed",
            Self::Jws(JwsRefusal::Algorithm) => "token_algorithm",
            Self::Jws(JwsRefusal::Header) => "token_header_member",
            Self::Jws(JwsRefusal::Kind) => "token_kind",
            Self::Jws(JwsRefusal::KeyId) => "token_key_id",
            Self::Jws(JwsRefusal::UnknownKey) => "token_unknown_key",
            Self::Jws(JwsRefusal::Signature) => "token_signature",
            Self::Claim(name) => return Cow::Owned(format!("token_claim_{name}")),
            Self::Issuer => "token_issuer",
            Self::Audience => "token_audience",
            Self::Environment => "token_environment",
            Self::Purpose => "token_purpose",
            Self::Expired => "token_expired",
            Self::NotYet => "token_not_yet_valid",
            Self::Lifetime => "token_lifetime",
            Self::Bound => "token_bound",
        })
    }
}
