//! An answer, and what tests ask of it.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::jar::Cookie;

/// The codes that a problem may have (design §7).
const CODES: [&str; 23] = [
    "invalid_credentials",
    "token_missing",
    "token_expired",
    "token_invalid",
    "wrong_audience",
    "wrong_environment",
    "wrong_purpose",
    "session_revoked",
    "session_expired",
    "refresh_reused",
    "csrf_failed",
    "origin_denied",
    "insufficient_scope",
    "step_up_required",
    "proof_required",
    "rate_limited",
    "invalid_request",
    "unsupported_media_type",
    "password_too_weak",
    "signup_closed",
    "upstream_unavailable",
    "store_unavailable",
    "not_found",
];

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub(crate) asked: String,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// Status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// Headers.
    #[must_use]
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The value of a header; several are joined by `, `.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let values: Vec<_> =
            self.headers.get_all(name).iter().map(|v| String::from_utf8_lossy(v.as_bytes())).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// Body.
    #[must_use]
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// Body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Body as JSON; `Null` if it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The member `code` of a problem; empty if there is none.
    #[must_use]
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// What the answer sets, deletions included.
    #[must_use]
    pub fn set_cookies(&self) -> Vec<Cookie> {
        let values = self.headers.get_all("set-cookie").iter();
        values.map(|v| Cookie::parse(v.to_str().expect("ASCII"))).collect()
    }

    /// What the answer sets under a name, if it does.
    #[must_use]
    pub fn set_cookie(&self, name: &str) -> Option<Cookie> {
        self.set_cookies().into_iter().find(|cookie| cookie.name == name)
    }

    /// Names of the cookies that the answer deletes, sorted.
    #[must_use]
    pub fn deleted(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.set_cookies().into_iter().filter(Cookie::deletes).map(|c| c.name).collect();
        names.sort_unstable();
        names
    }

    /// Asserts the status.
    #[track_caller]
    pub fn expect_status(self, status: u16) -> Self {
        assert_eq!(
            self.status.as_u16(),
            status,
            "{}: {:?}\n{}",
            self.asked,
            self.headers,
            self.text().chars().take(2000).collect::<String>()
        );
        self
    }

    /// Asserts a whole problem (RFC 9457): status, listed code, the members of design §7, and `no-store`.
    #[track_caller]
    pub fn expect(self, status: u16, code: &str) -> Self {
        assert!(CODES.contains(&code), "{code} is not a listed code");
        let answer = self.expect_status(status);
        let problem = answer.json();
        assert_eq!(answer.code(), code, "{}: {problem}", answer.asked);
        assert_eq!(
            answer.header("content-type").as_deref(),
            Some("application/problem+json"),
            "{}",
            answer.asked
        );
        assert_eq!(problem["status"], status, "{}", answer.asked);
        assert_eq!(
            problem["request_id"].as_str(),
            answer.header("x-request-id").as_deref(),
            "{}",
            answer.asked
        );
        for member in ["type", "title", "detail"] {
            let text = problem[member].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{}: {member} is missing in {problem}", answer.asked);
        }
        answer
    }

    /// Asserts that no cookie is set or deleted.
    #[track_caller]
    pub fn sets_no_cookie(self) -> Self {
        assert!(self.set_cookies().is_empty(), "{} set {:?}", self.asked, self.set_cookies());
        self
    }

    /// Asserts that no cookie is deleted.
    #[track_caller]
    pub fn clears_nothing(self) -> Self {
        assert!(self.deleted().is_empty(), "{} deleted {:?}", self.asked, self.deleted());
        self
    }
}
