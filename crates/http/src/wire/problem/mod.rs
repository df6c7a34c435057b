//! Problems (RFC 9457): what a refusal looks like. Which refusal becomes which problem is in [`map`].

mod map;

use std::time::Duration;

use countersign_core::domain::id::{RequestId, Sid};
use countersign_core::domain::time::Timestamp;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Response, StatusCode};

use super::body::{Answer, AnswerBody};
pub(crate) use map::{change_password, confirm, log_in, sign_up};

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $word:literal, $status:ident, $title:literal;)*) => {
        /// The codes of design §7.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(crate) enum Code { $($(#[$doc])* $variant,)* }

        impl Code {
            /// All of them.
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
    /// Which one, where its genuine refresh token was presented.
    pub(crate) sid: Option<Sid>,
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

    pub(crate) fn retry(mut self, after: Duration) -> Self {
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
