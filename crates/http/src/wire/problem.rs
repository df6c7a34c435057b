//! Problems (RFC 9457): the one map from every refusal to a status and a listed code (style rule 7).

use std::time::Duration;

use countersign_core::domain::id::RequestId;
use countersign_core::domain::session::Ended;
use countersign_core::domain::time::Timestamp;
use countersign_core::domain::token::access::AccessRefusal;
use countersign_core::domain::token::jws::JwsRefusal;
use countersign_core::domain::token::refresh::RefreshTokenError;
use countersign_core::service::{
    ChangePasswordError, ConfirmError, LogInError, OpenError, RotateError, ServiceError, SignUpError,
    VerifyError,
};
use countersign_proxy::{ForwardError, Phase};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Response, StatusCode};

use super::body::{Answer, AnswerBody};

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $word:literal, $status:ident, $title:literal;)*) => {
        /// The codes of design §7.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(crate) enum Code { $($(#[$doc])* $variant,)* }

        impl Code {
            #[cfg(test)]
            pub(crate) const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The word in `code`.
            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The usual status.
            pub(crate) const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)* }
            }

            /// The title.
            pub(crate) const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

codes! {
    InvalidCredentials = "invalid_credentials", UNAUTHORIZED, "Wrong address or password";
    TokenMissing = "token_missing", UNAUTHORIZED, "Not signed in";
    TokenExpired = "token_expired", UNAUTHORIZED, "The access token has expired";
    TokenInvalid = "token_invalid", UNAUTHORIZED, "The token is not valid";
    WrongAudience = "wrong_audience", UNAUTHORIZED, "The token is meant for another audience";
    WrongEnvironment = "wrong_environment", UNAUTHORIZED, "The token belongs to another environment";
    WrongPurpose = "wrong_purpose", UNAUTHORIZED, "The token has another purpose";
    SessionRevoked = "session_revoked", UNAUTHORIZED, "The session was ended";
    SessionExpired = "session_expired", UNAUTHORIZED, "The session has expired";
    RefreshReused = "refresh_reused", UNAUTHORIZED, "A spent refresh token was presented";
    CsrfFailed = "csrf_failed", FORBIDDEN, "The CSRF token is missing or wrong";
    OriginDenied = "origin_denied", FORBIDDEN, "The request came from another site";
    InsufficientScope = "insufficient_scope", FORBIDDEN, "Not allowed";
    StepUpRequired = "step_up_required", UNAUTHORIZED, "Sign in again to go on";
    RateLimited = "rate_limited", TOO_MANY_REQUESTS, "Too many attempts";
    InvalidRequest = "invalid_request", BAD_REQUEST, "The request is not valid";
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "The content type is not supported";
    PasswordTooWeak = "password_too_weak", UNPROCESSABLE_ENTITY, "The password is refused";
    SignupClosed = "signup_closed", FORBIDDEN, "Sign-up is closed";
    UpstreamUnavailable = "upstream_unavailable", BAD_GATEWAY, "The application does not answer";
    StoreUnavailable = "store_unavailable", SERVICE_UNAVAILABLE, "Please try again";
    NotFound = "not_found", NOT_FOUND, "Not found";
}

/// A refusal on its way out.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) code: Code,
    pub(crate) status: StatusCode,
    /// What happened and what to do; never a secret, never the inner reason (I06).
    pub(crate) detail: String,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) authenticate: Option<String>,
    /// When the session that was asked for ended, if that is why, and whether a login took its place.
    pub(crate) ended: Option<EndedSession>,
    /// Close the connection afterwards.
    pub(crate) close: bool,
}

/// A dead session, for the rule on clearing cookies (design §4).
#[derive(Clone, Copy, Debug)]
pub(crate) struct EndedSession {
    pub(crate) at: Timestamp,
    pub(crate) replaced: bool,
}

impl Problem {
    /// With the code's usual status.
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            status: code.status(),
            detail: detail.into(),
            retry_after: None,
            authenticate: None,
            ended: None,
            close: false,
        }
    }

    /// With another status.
    pub(crate) const fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    fn retry(mut self, after: Duration) -> Self {
        self.retry_after = Some(after.max(Duration::from_secs(1)));
        self
    }

    pub(crate) const fn closing(mut self) -> Self {
        self.close = true;
        self
    }

    /// Nobody is signed in.
    pub(crate) fn missing() -> Self {
        Self::new(Code::TokenMissing, "Sign in, or send the session's cookies or a bearer token.")
    }

    /// The user proved who they are too long ago (RFC 9470 §3).
    pub(crate) fn step_up(max_age: Duration) -> Self {
        let mut problem = Self::new(Code::StepUpRequired, "This needs a recent sign-in. Sign in again.");
        problem.authenticate = Some(format!(
            "Bearer error=\"insufficient_user_authentication\", error_description=\"A more recent authentication is required\", max_age={}",
            max_age.as_secs()
        ));
        problem
    }

    /// As JSON.
    pub(crate) fn into_answer(self, request: &RequestId) -> Answer {
        let body = serde_json::json!({
            "type": format!("urn:countersign:problem:{}", self.code.as_str()),
            "title": self.code.title(),
            "status": self.status.as_u16(),
            "code": self.code.as_str(),
            "detail": self.detail,
            "request_id": request.as_str(),
        });
        let mut answer = Response::new(AnswerBody::from(body.to_string()));
        self.dress(&mut answer);
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        answer
    }

    /// Status and headers that JSON and HTML share.
    pub(crate) fn dress<B>(&self, answer: &mut Response<B>) {
        *answer.status_mut() = self.status;
        let headers = answer.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(after) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = self.authenticate.clone().unwrap_or_else(|| match self.code {
                Code::TokenMissing | Code::InvalidCredentials => String::from("Bearer"),
                _ => String::from("Bearer error=\"invalid_token\""),
            });
            if let Ok(value) = HeaderValue::try_from(challenge) {
                headers.insert(WWW_AUTHENTICATE, value);
            }
        }
        if self.close {
            headers.insert(http::header::CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

impl From<&ServiceError> for Problem {
    fn from(error: &ServiceError) -> Self {
        match error {
            ServiceError::Store(inner) => {
                tracing::error!(error = %inner, "store");
                Self::new(
                    Code::StoreUnavailable,
                    "The service cannot reach its store. Try again in a moment.",
                )
                .retry(Duration::from_secs(2))
            }
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

impl From<&AccessRefusal> for Problem {
    fn from(refusal: &AccessRefusal) -> Self {
        match refusal {
            AccessRefusal::Expired => Self::new(Code::TokenExpired, "Refresh the session, then try again."),
            AccessRefusal::Audience => {
                Self::new(Code::WrongAudience, "The token's audience does not include this service.")
            }
            AccessRefusal::Environment => {
                Self::new(Code::WrongEnvironment, "Use a token that this environment issued.")
            }
            AccessRefusal::Purpose => Self::new(Code::WrongPurpose, "Send an access token."),
            AccessRefusal::Bound => {
                // The listed code for a bound token without its proof is for clients that can make one.
                Self::new(Code::TokenInvalid, "The token is bound to a device key and needs its proof.")
            }
            AccessRefusal::Jws(
                JwsRefusal::TooLong
                | JwsRefusal::Malformed
                | JwsRefusal::Algorithm
                | JwsRefusal::Header
                | JwsRefusal::Kind
                | JwsRefusal::UnknownKey
                | JwsRefusal::Signature,
            )
            | AccessRefusal::Claim(_)
            | AccessRefusal::Issuer
            | AccessRefusal::NotYet => {
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
            VerifyError::Store(inner) => {
                tracing::error!(error = %inner, "store");
                Self::new(
                    Code::StoreUnavailable,
                    "The service cannot reach its store. Try again in a moment.",
                )
                .retry(Duration::from_secs(2))
            }
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
        use countersign_core::domain::session::EndReason;
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
                problem.ended = Some(EndedSession { at: *at, replaced: *reason == EndReason::Replaced });
                problem
            }
            RotateError::Expired { at } => {
                let mut problem = Self::new(Code::SessionExpired, "The session has expired. Sign in again.");
                problem.ended = Some(EndedSession { at: *at, replaced: false });
                problem
            }
            RotateError::Service(error) => error.into(),
        }
    }
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

pub(crate) fn rate_limited(retry_at: Timestamp, now: Timestamp) -> Problem {
    let wait = retry_at.since(now);
    Problem::new(Code::RateLimited, format!("Try again in {} s.", wait.as_secs().max(1))).retry(wait)
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
        ChangePasswordError::LogIn(error) => log_in(error, now),
    }
}

impl From<ConfirmError> for Problem {
    fn from(error: ConfirmError) -> Self {
        match error {
            ConfirmError::Unknown => Self::new(
                Code::InvalidRequest,
                "This link was used before or has expired. Sign up again to get a new one.",
            ),
            ConfirmError::Service(error) => error.into(),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// I06: the codes of the contract and no others (`proof_required` comes with bound sessions), each once, each a refusal.
    #[test]
    fn i06_codes_are_those_of_the_contract() {
        let listed = "invalid_credentials token_missing token_expired token_invalid wrong_audience wrong_environment wrong_purpose \
            session_revoked session_expired refresh_reused csrf_failed origin_denied insufficient_scope step_up_required rate_limited \
            invalid_request unsupported_media_type password_too_weak signup_closed upstream_unavailable store_unavailable not_found";
        let ours: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(ours, listed.split_whitespace().collect::<Vec<_>>());
        assert!(
            Code::ALL.iter().all(|code| code.status().is_client_error() || code.status().is_server_error())
        );
    }
}
