//! `/auth/account`, and the page that follows signing out.

use askama::Template;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::notice::Notice;
use super::shell::{FormSecret, Shell, password_hint};

/// An instant, in both of its spellings.
#[derive(Debug, Clone)]
pub struct Moment {
    /// RFC 3339 UTC, for the `datetime` attribute.
    pub iso: String,
    /// For people, such as `5 minutes ago`; script adds the local time as a tooltip.
    pub text: String,
}

/// One of the user's live sessions (D12).
#[derive(Debug, Clone)]
pub struct SessionView {
    /// The session's public id, never its sid.
    pub public_id: String,
    /// For people, such as `Firefox on Linux`.
    pub device: String,
    /// The address it was last seen at.
    pub address: String,
    /// When it was opened.
    pub created: Moment,
    /// When it was last used.
    pub last_seen: Moment,
    /// Whether it is the session that asks.
    pub current: bool,
    /// Whether it is tied to a device key.
    pub bound: bool,
}

impl SessionView {
    /// One's own session ends by logging out, which also clears this browser's cookies (B13).
    fn end_action(&self) -> String {
        if self.current {
            return "/auth/logout".to_owned();
        }
        format!("/auth/account/sessions/{}/end", utf8_percent_encode(&self.public_id, NON_ALPHANUMERIC))
    }
}

/// One of the user's sessions that are over.
#[derive(Debug, Clone)]
pub struct EndedView {
    /// For people, such as `Firefox on Linux`.
    pub device: String,
    /// The address it was last seen at.
    pub address: String,
    /// When it ended.
    pub ended: Moment,
    /// Why, in a few words.
    pub reason: &'static str,
    /// Whether somebody else held a copy of it.
    pub stolen: bool,
}

/// The account page: who I am, where I am signed in, my password.
///
/// Posts `_csrf` to `/auth/logout`, `/auth/logout/all`, `/auth/account/sessions/{public id}/end` and
/// `/auth/account/sessions/end-others`; `_csrf`, `current_password` and `new_password` to `/auth/account/password`.
#[derive(Debug, Template)]
#[template(path = "account.html")]
pub struct Account<'a> {
    /// The frame.
    pub shell: Shell<'a>,
    /// The session's CSRF token, for every form of the page.
    pub csrf: FormSecret<'a>,
    /// The user's address.
    pub email: &'a str,
    /// Whether the address is verified.
    pub email_verified: bool,
    /// In the order to show; the current one is best first.
    pub sessions: Vec<SessionView>,
    /// Sessions that are over, in the order to show.
    pub ended: Vec<EndedView>,
    /// What the last form did.
    pub notice: Option<&'a str>,
    /// What the user should look at.
    pub alarm: Option<Notice<'a>>,
    /// An error of the current password.
    pub current_password_error: Option<&'a str>,
    /// An error of the new password: why it is refused (F03).
    pub new_password_error: Option<&'a str>,
    /// The shortest new password accepted, in code points (F01).
    pub min_password: usize,
}

impl Account<'_> {
    fn has_errors(&self) -> bool {
        self.current_password_error.is_some() || self.new_password_error.is_some()
    }

    fn has_others(&self) -> bool {
        self.sessions.iter().any(|session| !session.current)
    }

    /// At most one field of a page takes the focus.
    fn focus_new(&self) -> bool {
        self.new_password_error.is_some() && self.current_password_error.is_none()
    }

    fn hint(&self) -> String {
        password_hint(self.min_password)
    }
}

/// What follows `/auth/logout` and `/auth/logout/all`.
#[derive(Debug, Template)]
#[template(path = "signed_out.html")]
pub struct SignedOut<'a> {
    /// The frame, without a signed-in address.
    pub shell: Shell<'a>,
}
