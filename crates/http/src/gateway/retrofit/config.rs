//! An upstream's rules, with the header names that requests need.

use countersign_core::domain::retrofit::{Retrofit, TokenLocation};
use http::header::HeaderName;
use percent_encoding::percent_decode_str;

/// How an upstream's own tokens are kept from browsers.
#[derive(Debug)]
pub struct SiteRetrofit {
    pub(crate) rules: Retrofit,
    /// The header that the token is sent in.
    pub(super) inject: HeaderName,
    /// Headers of answers that hold tokens.
    pub(super) in_headers: Vec<HeaderName>,
    /// Cookies that hold tokens, in answers and in what is sent.
    pub(super) cookies: Vec<Box<str>>,
}

impl SiteRetrofit {
    /// From the rules. `None` if a header in them is none: parsed rules hold no such name.
    #[must_use]
    pub fn new(rules: Retrofit) -> Option<Self> {
        let inject = HeaderName::from_bytes(rules.inject.header().as_bytes()).ok()?;
        let places =
            || rules.locations().chain(rules.refresh.as_ref().and_then(|refresh| refresh.send.as_ref()));
        let in_headers: Result<Vec<HeaderName>, _> = places()
            .filter_map(TokenLocation::header)
            .map(|name| HeaderName::from_bytes(name.as_bytes()))
            .collect();
        let cookies =
            places().filter_map(TokenLocation::cookie).chain(rules.inject.cookie()).map(Into::into).collect();
        Some(Self { inject, in_headers: in_headers.ok()?, cookies, rules })
    }

    /// Whether a token lies in a cookie that the upstream may set at any time, before login too.
    pub(super) fn in_cookie(&self) -> bool {
        self.rules.token.cookie().is_some()
    }

    /// Whether some token may be in the body of an answer.
    pub(super) fn in_body(&self) -> bool {
        self.rules.locations().any(|place| place.json().is_some())
    }

    pub(super) fn holds(&self, cookie: &str) -> bool {
        self.cookies.iter().any(|name| **name == *cookie)
    }

    /// Whether an upstream may take a client's cookie for one that holds a token: older Rack decodes names, PHP makes `_` of
    /// what is no part of a variable's name.
    pub(super) fn reads_as_ours(&self, cookie: &str) -> bool {
        let folded = |name: &str| name.replace(['.', ' ', '['], "_");
        let decoded = percent_decode_str(cookie).decode_utf8_lossy();
        let decoded = folded(decoded.trim());
        self.holds(cookie) || self.cookies.iter().any(|name| folded(name) == decoded)
    }
}
