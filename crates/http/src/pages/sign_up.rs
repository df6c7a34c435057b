//! `/auth/signup`.

use askama::Template;

use super::shell::{FormSecret, Shell, password_hint, with_return_to};

/// The sign-up form. Posts `_csrf`, `return_to`, `email`, `password` and, if there is one, `invitation` to `/auth/signup`.
#[derive(Debug, Template)]
#[template(path = "sign_up.html")]
pub struct SignUp<'a> {
    /// The frame.
    pub shell: Shell<'a>,
    /// The pre-session's (or session's) CSRF token (C09).
    pub csrf: FormSecret<'a>,
    /// Where to go afterwards: an own-origin path that was already checked (K08), or empty.
    pub return_to: &'a str,
    /// The code of the invitation that led here.
    pub invitation: Option<FormSecret<'a>>,
    /// What the visitor typed before, or empty.
    pub email: &'a str,
    /// The shortest password accepted, in code points (F01); shown, not enforced, by the page.
    pub min_password: usize,
    /// An error of the whole form.
    pub form_error: Option<&'a str>,
    /// An error of the address field.
    pub email_error: Option<&'a str>,
    /// An error of the password field: why it is refused (F03).
    pub password_error: Option<&'a str>,
}

impl SignUp<'_> {
    fn has_errors(&self) -> bool {
        self.form_error.is_some() || self.email_error.is_some() || self.password_error.is_some()
    }

    fn focus_password(&self) -> bool {
        self.has_errors() && self.email_error.is_none()
    }

    fn hint(&self) -> String {
        password_hint(self.min_password)
    }

    fn sign_in_link(&self) -> String {
        with_return_to("/auth/login", self.return_to)
    }
}

/// The 202 answer to a sign-up that goes by mail. It is the same for a taken address (F06).
#[derive(Debug, Template)]
#[template(path = "check_mail.html")]
pub struct CheckMail<'a> {
    /// The frame.
    pub shell: Shell<'a>,
    /// The address as typed.
    pub email: &'a str,
}
