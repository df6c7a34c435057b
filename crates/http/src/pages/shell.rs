//! What every page shares: its frame, and how it carries secrets.

use std::fmt;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::assets;

/// The frame around a page.
#[derive(Debug, Clone, Copy)]
pub struct Shell<'a> {
    /// The nonce of this answer's [`policy`](super::policy): base64, at least 128 random bits, never used twice.
    pub nonce: &'a str,
    /// The request's id, as in the log; stands in the footer of error pages.
    pub request_id: &'a str,
    /// The name the visitor knows the application by.
    pub product: &'a str,
    /// The address of the signed-in user, shown with a link to the account page.
    pub signed_in_email: Option<&'a str>,
}

impl Shell<'_> {
    pub(super) fn stylesheet(&self) -> &'static str {
        assets::stylesheet()
    }

    pub(super) fn script(&self) -> &'static str {
        assets::script()
    }

    pub(super) fn icon(&self) -> &'static str {
        assets::icon()
    }
}

/// A secret that a form carries back: a CSRF token, a confirmation code. Printing a page with `{:?}` does not show it.
#[derive(Clone, Copy)]
pub struct FormSecret<'a>(&'a str);

impl<'a> FormSecret<'a> {
    /// Takes a secret to be written into a hidden field, and nowhere else.
    pub fn new(secret: &'a str) -> Self {
        Self(secret)
    }

    pub(super) fn expose(&self) -> &'a str {
        self.0
    }
}

impl fmt::Debug for FormSecret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FormSecret(..)")
    }
}

/// `path?return_to=…`, or the bare path where there is nothing to return to.
pub(super) fn with_return_to(path: &str, return_to: &str) -> String {
    if return_to.is_empty() {
        return path.to_owned();
    }
    format!("{path}?return_to={}", utf8_percent_encode(return_to, NON_ALPHANUMERIC))
}

/// What a new password must be (F01); the server checks it, the browser only shows it.
pub(super) fn password_hint(min_length: usize) -> String {
    format!("At least {min_length} characters. A few unrelated words make a good one; spaces are welcome.")
}
