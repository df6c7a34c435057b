//! The one map from every refusal of every layer to a status and a listed code: exhaustive, so that a new refusal does not
//! compile until somebody has said what it looks like (style rule 7).

use std::time::Duration;

use countersign_core::domain::api_key::{GrantError, KeyRefusal};
use countersign_core::domain::session::{EndReason, Ended};
use countersign_core::domain::time::Timestamp;
use countersign_core::domain::token::TokenRefusal;
use countersign_core::domain::token::api_key::ApiKeyTokenError;
use countersign_core::domain::token::jws::JwsRefusal;
use countersign_core::domain::token::refresh::RefreshTokenError;
use countersign_core::port::StoreError;
use countersign_core::service::{
    ApiKeyError, ChangePasswordError, ConfirmError, CreateKeyError, LogInError, OpenError, OpenForError,
    RotateError, STEP_UP, ServiceError, SignUpError, TakeOverError, VerifyError,
};
use countersign_proxy::{ForwardError, Phase};
use http::StatusCode;

use super::{Code, EndedSession, Problem};
use crate::wire::words::duration_words;

impl From<&ServiceError> for Problem {
    fn from(error: &ServiceError) -> Self {
        match error {
            ServiceError::Store(inner) => store_unavailable(inner),
            ServiceError::Hash(inner) => {
                tracing::warn!(error = %inner, "password hashing");
                Self::new(Code::StoreUnavailable, "Too many sign-ins at once. Try again in a moment.")
                    .retry(Duration::from_secs(2))
            }
            ServiceError::Signing(inner) => {
                tracing::error!(error = %inner, "signing");
                Self::new(Code::StoreUnavailable, "The service cannot sign tokens. Try again in a moment.")
                    .retry(Duration::from_secs(10))
            }
        }
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        Self::from(&error)
    }
}

impl From<&TokenRefusal> for Problem {
    fn from(refusal: &TokenRefusal) -> Self {
        match refusal {
            TokenRefusal::Expired => Self::new(Code::TokenExpired, "Refresh the session, then try again."),
            TokenRefusal::Audience => {
                Self::new(Code::WrongAudience, "The token's audience does not include this service.")
            }
            TokenRefusal::Environment => {
                Self::new(Code::WrongEnvironment, "Use a token that this environment issued.")
            }
            TokenRefusal::Purpose => Self::new(Code::WrongPurpose, "Send an access token."),
            TokenRefusal::Bound => {
                // The listed code for a bound token without its proof is for clients that can make one.
                Self::new(Code::TokenInvalid, "The token is bound to a device key and needs its proof.")
            }
            TokenRefusal::Jws(
                JwsRefusal::TooLong
                | JwsRefusal::Malformed
                | JwsRefusal::Algorithm
                | JwsRefusal::Header
                | JwsRefusal::Kind
                | JwsRefusal::KeyId
                | JwsRefusal::UnknownKey
                | JwsRefusal::Signature,
            )
            | TokenRefusal::Claim(_)
            | TokenRefusal::Issuer
            | TokenRefusal::NotYet
            | TokenRefusal::Lifetime => {
                Self::new(Code::TokenInvalid, "The token is not one of ours, or damaged.")
            }
        }
    }
}

impl From<&VerifyError> for Problem {
    fn from(error: &VerifyError) -> Self {
        match error {
            VerifyError::Refused(refusal) => refusal.into(),
            VerifyError::Revoked => Self::new(Code::SessionRevoked, "The session was ended. Sign in again."),
            VerifyError::SessionExpired => {
                Self::new(Code::SessionExpired, "The session has expired. Sign in again.")
            }
            VerifyError::Reused => Self::new(
                Code::RefreshReused,
                "The session was ended because its tokens were used twice. Sign in again.",
            ),
            VerifyError::Store(inner) => store_unavailable(inner),
        }
    }
}

impl From<RefreshTokenError> for Problem {
    fn from(error: RefreshTokenError) -> Self {
        match error {
            RefreshTokenError::Malformed => {
                Self::new(Code::TokenInvalid, "The refresh token is not one of ours, or damaged.")
            }
            RefreshTokenError::WrongEnvironment => {
                Self::new(Code::WrongEnvironment, "Use a session that this environment opened.")
            }
        }
    }
}

impl From<&RotateError> for Problem {
    fn from(error: &RotateError) -> Self {
        match error {
            RotateError::Unknown => {
                Self::new(Code::TokenInvalid, "The refresh token is not one of ours, or damaged.")
            }
            RotateError::Reused => Self::new(
                Code::RefreshReused,
                "The session was ended because its tokens were used twice. Sign in again.",
            ),
            RotateError::Denied => {
                Self::new(Code::TokenExpired, "This copy of the session is out of date. Load the page again.")
            }
            RotateError::Revoked(Ended { at, reason }) => {
                let mut problem = Self::new(Code::SessionRevoked, "The session was ended. Sign in again.");
                problem.ended =
                    Some(EndedSession { at: *at, replaced: *reason == EndReason::Replaced, sid: None });
                problem
            }
            RotateError::Expired { at } => {
                let mut problem = Self::new(Code::SessionExpired, "The session has expired. Sign in again.");
                problem.ended = Some(EndedSession { at: *at, replaced: false, sid: None });
                problem
            }
            RotateError::Service(error) => error.into(),
        }
    }
}

impl From<&ApiKeyError> for Problem {
    fn from(error: &ApiKeyError) -> Self {
        match error {
            ApiKeyError::Token(ApiKeyTokenError::WrongEnvironment) => {
                Self::new(Code::WrongEnvironment, "Use a key that this environment issued.")
            }
            // One answer for noise, unknown and wrong: a prober learns nothing.
            ApiKeyError::Token(ApiKeyTokenError::Malformed) | ApiKeyError::Unknown => {
                Self::new(Code::TokenInvalid, "The API key is not one of ours, or damaged.")
            }
            // Only who holds the whole key reads these.
            ApiKeyError::Refused(KeyRefusal::Revoked) => {
                Self::new(Code::TokenInvalid, "The API key was revoked.")
            }
            ApiKeyError::Refused(KeyRefusal::OwnerDisabled) => {
                Self::new(Code::TokenInvalid, "The owner of the API key may not sign in.")
            }
            ApiKeyError::Refused(KeyRefusal::Expired) => {
                Self::new(Code::TokenExpired, "The API key has expired. Make a new one.")
            }
            ApiKeyError::Refused(KeyRefusal::Address) => {
                Self::new(Code::InsufficientScope, "The API key may not be used from this address.")
            }
            ApiKeyError::Store(inner) => store_unavailable(inner),
        }
    }
}

impl From<CreateKeyError> for Problem {
    fn from(error: CreateKeyError) -> Self {
        match error {
            CreateKeyError::StepUp => Self::step_up(STEP_UP),
            CreateKeyError::SessionEnded | CreateKeyError::NoOwner => {
                Self::new(Code::SessionRevoked, "The session was ended. Sign in again.")
            }
            CreateKeyError::Grant(error @ (GrantError::BeyondOwner(_) | GrantError::OperatorsOnly(_))) => {
                Self::new(Code::InsufficientScope, sentence(&error))
            }
            CreateKeyError::Grant(error @ (GrantError::OpenSessionsAlone | GrantError::Expiry { .. })) => {
                Self::new(Code::InvalidRequest, sentence(&error))
            }
            CreateKeyError::TooMany(_) => {
                Self::new(Code::InvalidRequest, sentence(&error)).status(StatusCode::CONFLICT)
            }
            CreateKeyError::Service(error) => error.into(),
        }
    }
}

/// An error as a sentence of its own.
fn sentence(error: &impl ToString) -> String {
    let text = error.to_string();
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

fn store_unavailable(inner: &StoreError) -> Problem {
    tracing::error!(error = %inner, "store");
    Problem::new(Code::StoreUnavailable, "The service cannot reach its store. Try again in a moment.")
        .retry(Duration::from_secs(2))
}

impl From<OpenError> for Problem {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::LimitReached => {
                Self::new(Code::RateLimited, "There are too many sessions. Sign out on another device first.")
            }
            OpenError::Revoked => {
                Self::new(Code::SessionRevoked, "The account's sessions were just ended. Sign in again.")
            }
            OpenError::Service(error) => error.into(),
        }
    }
}

impl From<OpenForError> for Problem {
    fn from(error: OpenForError) -> Self {
        match error {
            OpenForError::NoUser => {
                Self::new(Code::NotFound, "There is no such user, or not one who may sign in.")
            }
            OpenForError::Issuer => {
                Self::new(Code::InvalidRequest, "The issuer is not one of open_sessions.issuers.")
            }
            OpenForError::EmailMissing => {
                Self::new(Code::InvalidRequest, "The user is new here. Send user.email for the account.")
            }
            OpenForError::EmailTaken => Self::new(
                Code::InvalidRequest,
                "There is an account with this address, and it is not this user's.",
            )
            .status(StatusCode::CONFLICT),
            OpenForError::AuthTime => Self::new(
                Code::InvalidRequest,
                "auth_time lies in the future, or so far back that the session would have ended.",
            ),
            OpenForError::Open(error) => error.into(),
            OpenForError::Service(error) => error.into(),
        }
    }
}

impl From<&TakeOverError> for Problem {
    fn from(error: &TakeOverError) -> Self {
        match error {
            // The browser can do nothing about it: the application's answer is no good.
            TakeOverError::Unknown | TakeOverError::OtherApplication | TakeOverError::Spent => Self::new(
                Code::UpstreamUnavailable,
                "The application opened no session that could be handed over. Sign in again.",
            ),
            TakeOverError::Service(error) => error.into(),
        }
    }
}

fn rate_limited(retry_at: Timestamp, now: Timestamp) -> Problem {
    let wait = retry_at.since(now);
    let text = format!(
        "There were too many attempts. Wait {}, then try again; trying sooner does not help, and nothing is locked for good.",
        duration_words(wait)
    );
    Problem::new(Code::RateLimited, text).retry(wait)
}

/// Needs the present, to say how long to wait.
pub(crate) fn log_in(error: LogInError, now: Timestamp) -> Problem {
    match error {
        LogInError::InvalidCredentials => {
            Problem::new(Code::InvalidCredentials, "The address or the password is wrong.")
        }
        LogInError::RateLimited { retry_at } => rate_limited(retry_at, now),
        LogInError::Open(error) => error.into(),
        LogInError::Service(error) => error.into(),
    }
}

/// Needs the present, to say how long to wait.
pub(crate) fn sign_up(error: SignUpError, now: Timestamp) -> Problem {
    match error {
        SignUpError::Closed => {
            Problem::new(Code::SignupClosed, "New accounts are made by invitation or by an operator.")
        }
        SignUpError::Invitation => Problem::new(
            Code::SignupClosed,
            "This invitation was used before, has expired, or is for another address. Ask for a new one.",
        ),
        SignUpError::Weak(weak) => Problem::new(Code::PasswordTooWeak, weak.to_string()),
        SignUpError::Taken => {
            Problem::new(Code::InvalidRequest, "There is an account with this address. Sign in instead.")
                .status(StatusCode::CONFLICT)
        }
        SignUpError::RateLimited { retry_at } => rate_limited(retry_at, now),
        SignUpError::Open(error) => error.into(),
        SignUpError::Service(error) => error.into(),
    }
}

/// Needs the present, to say how long to wait.
pub(crate) fn change_password(error: ChangePasswordError, now: Timestamp) -> Problem {
    match error {
        ChangePasswordError::Weak(weak) => Problem::new(Code::PasswordTooWeak, weak.to_string()),
        ChangePasswordError::Ended => {
            Problem::new(Code::SessionRevoked, "The session was ended. Sign in again.")
        }
        ChangePasswordError::LogIn(error) => log_in(error, now),
    }
}

/// Needs the present, to say how long to wait.
pub(crate) fn confirm(error: ConfirmError, now: Timestamp) -> Problem {
    match error {
        ConfirmError::Unknown => Problem::new(
            Code::InvalidRequest,
            "This link was used before or has expired. Sign up again to get a new one.",
        ),
        ConfirmError::WrongPassword => Problem::new(
            Code::InvalidCredentials,
            "This is not the password that was chosen with this link. Try again, or open the link of your other mail if you got two.",
        ),
        ConfirmError::RateLimited { retry_at } => rate_limited(retry_at, now),
        ConfirmError::Service(error) => error.into(),
    }
}

impl From<&ForwardError> for Problem {
    fn from(error: &ForwardError) -> Self {
        let unavailable = |status, detail: &str| Self::new(Code::UpstreamUnavailable, detail).status(status);
        match error {
            ForwardError::BadRequest(bad) => Self::new(Code::InvalidRequest, bad.to_string()).closing(),
            ForwardError::ClientGone => Self::new(Code::InvalidRequest, "The request body did not arrive.")
                .status(StatusCode::REQUEST_TIMEOUT)
                .closing(),
            ForwardError::Saturated => unavailable(
                StatusCode::SERVICE_UNAVAILABLE,
                "The application is busy. Try again in a moment.",
            )
            .retry(Duration::from_secs(2)),
            ForwardError::TimedOut(Phase::Connect) | ForwardError::Connect(_) => {
                unavailable(StatusCode::BAD_GATEWAY, "The application cannot be reached.")
            }
            ForwardError::TimedOut(Phase::FirstByte) => {
                unavailable(StatusCode::GATEWAY_TIMEOUT, "The application took too long.")
            }
            ForwardError::Upstream(_) => {
                unavailable(StatusCode::BAD_GATEWAY, "The application closed the connection.")
            }
            ForwardError::BrokenUpstream(_) => {
                unavailable(StatusCode::BAD_GATEWAY, "The application's answer was malformed.")
            }
        }
    }
}
