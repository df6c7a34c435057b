//! Problems (RFC 9457), with the codes that Countersign itself answers with.

use std::time::Duration;

use bytes::Bytes;
use countersign_core::domain::id::RequestId;
use countersign_core::domain::token::refusal::TokenRefusal;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, Response, StatusCode};

use crate::chance;
use crate::refusal::Refusal;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $word:literal, $status:ident, $title:literal, $detail:literal;)*) => {
        /// What a client is told, one word each.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
        pub enum Code { $($(#[$doc])* $variant,)* }

        impl Code {
            /// The word in `code`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The status.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)* }
            }

            const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            const fn detail(self) -> &'static str {
                match self { $(Self::$variant => $detail,)* }
            }
        }
    };
}

codes! {
    /// No credential.
    TokenMissing = "token_missing", UNAUTHORIZED, "Not signed in", "Sign in, or send a token that this service accepts.";
    /// Past its expiry.
    TokenExpired = "token_expired", UNAUTHORIZED, "The access token has expired", "Refresh the session, then try again.";
    /// Not one of ours, or damaged.
    TokenInvalid = "token_invalid", UNAUTHORIZED, "The token is not valid", "The token is not one of ours, or damaged.";
    /// For another audience.
    WrongAudience = "wrong_audience", UNAUTHORIZED, "The token is meant for another audience", "The token's audience does not include this service.";
    /// Of another environment.
    WrongEnvironment = "wrong_environment", UNAUTHORIZED, "The token belongs to another environment", "Use a token that this environment issued.";
    /// Of another kind.
    WrongPurpose = "wrong_purpose", UNAUTHORIZED, "The token has another purpose", "Send the kind of token that this service accepts.";
    /// The session ended.
    SessionRevoked = "session_revoked", UNAUTHORIZED, "The session was ended", "The session was ended. Sign in again.";
    /// A scope is missing.
    InsufficientScope = "insufficient_scope", FORBIDDEN, "Not allowed", "This needs a scope that the session does not have.";
    /// The sign-in is too long ago.
    StepUpRequired = "step_up_required", UNAUTHORIZED, "Sign in again to go on", "This needs a recent sign-in. Sign in again.";
    /// The service does not know whether the credential is still good.
    StoreUnavailable = "store_unavailable", SERVICE_UNAVAILABLE, "Please try again", "The service cannot check sessions. Try again in a moment.";
}

/// A refusal on its way out: `application/problem+json` with `type title status code detail request_id`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    code: Code,
    challenge: Option<String>,
    request_id: Option<RequestId>,
}

impl Problem {
    /// A problem of this code.
    #[must_use]
    pub const fn new(code: Code) -> Self {
        Self { code, challenge: None, request_id: None }
    }

    /// What it is.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    pub(crate) fn insufficient_scope(wanted: &str) -> Self {
        // Names that could end the quoted string are left out; they are no scopes.
        let clean = wanted.bytes().all(|c| matches!(c, b' ' | 0x21 | 0x23..=0x5b | 0x5d..=0x7e));
        let scope = if clean { format!(", scope=\"{wanted}\"") } else { String::new() };
        let challenge = Some(format!("Bearer error=\"insufficient_scope\"{scope}"));
        Self { challenge, ..Self::new(Code::InsufficientScope) }
    }

    pub(crate) fn step_up(max_age: Duration) -> Self {
        let challenge = Some(format!(
            "Bearer error=\"insufficient_user_authentication\", error_description=\"A more recent authentication is required\", max_age={}",
            max_age.as_secs()
        ));
        Self { challenge, ..Self::new(Code::StepUpRequired) }
    }

    /// With the request's id, if it brought a usable one.
    pub(crate) fn of_request(mut self, headers: &HeaderMap) -> Self {
        self.request_id = headers.get(REQUEST_ID).and_then(|v| v.to_str().ok()).and_then(RequestId::parse);
        self
    }

    /// As an answer.
    #[must_use]
    pub fn into_answer<B: From<Bytes>>(self) -> Response<B> {
        let id = self.request_id.map_or_else(chance::request_id, |id| id.as_str().to_owned());
        let body = serde_json::json!({
            "type": format!("urn:countersign:problem:{}", self.code.as_str()),
            "title": self.code.title(),
            "status": self.code.status().as_u16(),
            "code": self.code.as_str(),
            "detail": self.code.detail(),
            "request_id": id,
        });
        let mut answer = Response::new(B::from(Bytes::from(body.to_string())));
        *answer.status_mut() = self.code.status();
        let headers = answer.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Ok(id) = HeaderValue::try_from(id) {
            headers.insert(REQUEST_ID, id);
        }
        if self.code == Code::StoreUnavailable {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("2"));
        }
        let challenge = match (self.challenge, self.code.status(), self.code) {
            (Some(challenge), _, _) => Some(challenge),
            (None, StatusCode::UNAUTHORIZED, Code::TokenMissing) => Some(String::from("Bearer")),
            (None, StatusCode::UNAUTHORIZED, _) => Some(String::from("Bearer error=\"invalid_token\"")),
            (None, _, _) => None,
        };
        if let Some(value) = challenge.and_then(|text| HeaderValue::try_from(text).ok()) {
            headers.insert(WWW_AUTHENTICATE, value);
        }
        answer
    }
}

impl From<&Refusal> for Problem {
    /// Exhaustive: a new refusal does not compile until somebody has said what it looks like.
    fn from(refusal: &Refusal) -> Self {
        Self::new(match refusal {
            Refusal::Missing => Code::TokenMissing,
            Refusal::Unclear(_) => Code::TokenInvalid,
            Refusal::Token(refusal) => match refusal {
                TokenRefusal::Expired => Code::TokenExpired,
                TokenRefusal::Audience => Code::WrongAudience,
                TokenRefusal::Environment => Code::WrongEnvironment,
                TokenRefusal::Purpose => Code::WrongPurpose,
                TokenRefusal::Jws(_)
                | TokenRefusal::Claim(_)
                | TokenRefusal::Issuer
                | TokenRefusal::NotYet
                | TokenRefusal::Lifetime
                | TokenRefusal::Bound => Code::TokenInvalid,
            },
            Refusal::Revoked => Code::SessionRevoked,
            Refusal::Stale | Refusal::NoKeys => Code::StoreUnavailable,
        })
    }
}
