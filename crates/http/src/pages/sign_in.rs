//! `/auth/login`.

use askama::Template;

use super::notice::Notice;
use super::shell::{FormSecret, Shell, with_return_to};

/// The sign-in form. Posts `_csrf`, `return_to`, `email` and `password` to `/auth/login`.
#[derive(Debug, Template)]
#[template(path = "sign_in.html")]
pub struct SignIn<'a> {
    /// The frame.
    pub shell: Shell<'a>,
    /// The pre-session's (or session's) CSRF token (C09).
    pub csrf: FormSecret<'a>,
    /// Where to go afterwards: an own-origin path that was already checked (K08), or empty.
    pub return_to: &'a str,
    /// What the visitor typed before, or empty.
    pub email: &'a str,
    /// Why the last session ended, or why somebody signed in is asked again.
    pub notice: Option<Notice<'a>>,
    /// Somebody signed in proves once more who they are.
    pub confirms: bool,
    /// An error of the whole form. Wrong credentials go here: naming the field would tell who has an account (F06).
    pub form_error: Option<&'a str>,
    /// An error of the address field.
    pub email_error: Option<&'a str>,
    /// An error of the password field.
    pub password_error: Option<&'a str>,
    /// Whether to offer the way to sign up.
    pub signup_open: bool,
}

impl SignIn<'_> {
    fn has_errors(&self) -> bool {
        self.form_error.is_some() || self.email_error.is_some() || self.password_error.is_some()
    }

    /// One field takes the focus: the address if it is wrong, else the password, which has to be typed again.
    fn focus_password(&self) -> bool {
        (self.has_errors() || self.confirms) && self.email_error.is_none()
    }

    fn sign_up_link(&self) -> String {
        with_return_to("/auth/signup", self.return_to)
    }
}
