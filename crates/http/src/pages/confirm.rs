//! `/auth/confirm`.

use askama::Template;

use super::shell::{FormSecret, Shell};

/// What the link in the mail opens. Only its button posts `_csrf`, `code` and `password`: mail scanners and link previews fetch
/// links, and a GET that confirmed would let them confirm in the user's place (B08).
#[derive(Debug, Template)]
#[template(path = "confirm.html")]
pub struct Confirm<'a> {
    /// The frame.
    pub shell: Shell<'a>,
    /// The pre-session's (or session's) CSRF token.
    pub csrf: FormSecret<'a>,
    /// The code from the link.
    pub code: FormSecret<'a>,
    /// The address that the account would have.
    pub email: &'a str,
    /// What is wrong with the password.
    pub password_error: Option<&'a str>,
}

/// The answer to a good code.
#[derive(Debug, Template)]
#[template(path = "confirmed.html")]
pub struct Confirmed<'a> {
    /// The frame.
    pub shell: Shell<'a>,
}
