//! What came back.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_TYPE, LOCATION};
use serde_json::Value;
use url::Url;

use super::set_cookie::SetCookie;

/// An answer, read to its end or to the bound.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What was asked: `GET /api/me`.
    pub asked: String,
    /// Where.
    pub url: Url,
    /// Status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// What it set.
    pub set_cookies: Vec<SetCookie>,
    /// The body, up to the bound.
    pub body: Bytes,
    /// Whether there was more of it.
    pub cut: bool,
    /// From the first byte sent to the first byte of the answer, without connecting.
    pub took: Duration,
}

impl Answer {
    /// A header's first value, if it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// All values of a header in one line.
    #[must_use]
    pub fn header_list(&self, name: &str) -> String {
        let values: Vec<&str> =
            self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
        values.join(", ")
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON, whatever its declared type.
    #[must_use]
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// `text/html`, without parameters and in lower case.
    #[must_use]
    pub fn content_type(&self) -> String {
        let given = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// Whether it is a page.
    #[must_use]
    pub fn is_html(&self) -> bool {
        matches!(&*self.content_type(), "text/html" | "application/xhtml+xml")
    }

    /// 2xx.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }

    /// 3xx with a place to go.
    #[must_use]
    pub fn redirect(&self) -> Option<Url> {
        if !(300..400).contains(&self.status) {
            return None;
        }
        self.url.join(self.headers.get(LOCATION)?.to_str().ok()?).ok()
    }

    /// Whether the application says that it has had enough.
    #[must_use]
    pub const fn is_throttled(&self) -> bool {
        matches!(self.status, 423 | 429)
    }

    /// `GET /api/me → 200`, for evidence.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{} → {}", self.asked, self.status)
    }
}
