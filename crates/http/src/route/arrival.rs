//! Who comes to the sign-in page, as far as the server itself knows: from the cookies presented and its own store, never from a
//! parameter of the link, which anybody can write.

use std::sync::Arc;
use std::time::Duration;

use countersign_core::domain::cookie::CookieKind;
use countersign_core::port::Outside;
use countersign_core::service::{Ending, Fate, ServiceError, SessionPrincipal};

use super::call::Call;
use super::ending;
use crate::credentials::patiently;
use crate::pages::{Link, Notice};
use crate::site::Site;
use crate::wire::cookie::Jar;
use crate::wire::problem::Problem;
use crate::wire::words::duration_words;

/// Who comes.
pub(super) enum Arrival {
    /// Nobody we know anything of, or nothing that we would tell.
    Stranger,
    /// Somebody whose session is over.
    Ended(Ending),
    /// Somebody signed in, by a verified access token.
    SignedIn {
        /// Who.
        principal: Arc<SessionPrincipal>,
        /// The page they want takes no sign-in older than this, and theirs is older.
        older_than: Option<Duration>,
    },
}

impl<O: Outside> Site<O> {
    /// Who comes with these cookies, on the way to `return_to`.
    pub(super) async fn arrival(&self, call: &Call, jar: &Jar, return_to: &str) -> Result<Arrival, Problem> {
        if let Some(Ok(principal)) = self.access_cookie(jar, &call.context).await {
            let older_than = self.too_old_for(&principal, return_to);
            return Ok(Arrival::SignedIn { principal, older_than });
        }
        if let Some(fate) = self.fate(jar).await? {
            return Ok(match fate {
                Fate::Over(ending) => Arrival::Ended(ending),
                Fate::Lives => Arrival::Stranger,
            });
        }
        let Some(text) = jar.value(CookieKind::Farewell) else { return Ok(Arrival::Stranger) };
        let ending = patiently(self.engine.farewell_ending(text), ServiceError::Store).await;
        Ok(ending.map_err(|e| Problem::from(&e))?.map_or(Arrival::Stranger, Arrival::Ended))
    }

    /// What became of the session that the refresh cookie genuinely names.
    pub(super) async fn fate(&self, jar: &Jar) -> Result<Option<Fate>, Problem> {
        let Some(Ok(token)) = self.refresh_cookie(jar) else { return Ok(None) };
        let fate = patiently(self.engine.fate(&token), ServiceError::Store).await;
        fate.map_err(|e| Problem::from(&e))
    }

    /// Whether the browser holds a session that lives.
    pub(super) async fn holds_session(&self, call: &Call, jar: &Jar) -> Result<bool, Problem> {
        if let Some(Ok(_)) = self.access_cookie(jar, &call.context).await {
            return Ok(true);
        }
        Ok(self.fate(jar).await? == Some(Fate::Lives))
    }

    fn too_old_for(&self, principal: &SessionPrincipal, return_to: &str) -> Option<Duration> {
        let path = return_to.split(['?', '#']).next().filter(|path| !path.is_empty()).unwrap_or("/");
        let max = self.settings.routes.find(path).rule()?.max_auth_age?;
        (self.engine.now().since(principal.claims().auth_time) > max).then_some(max)
    }

    /// What the sign-in page says to them.
    pub(super) fn greeting<'a>(&self, arrival: &Arrival, return_to: &'a str) -> Option<Notice<'a>> {
        match arrival {
            Arrival::Stranger => None,
            Arrival::Ended(ending) => {
                let session = &self.engine.policy().session;
                ending::notice(ending, self.engine.now(), session, &self.settings.product)
            }
            Arrival::SignedIn { older_than: Some(max), .. } => Some(Notice {
                grave: false,
                happened: format!(
                    "You are signed in, but what you want to open asks for a sign-in of the last {}",
                    duration_words(*max)
                ),
                when: None,
                advice: String::from("Enter your password once more to go on."),
                link: None,
            }),
            Arrival::SignedIn { principal, older_than: None } => Some(Notice {
                grave: false,
                happened: format!("You are signed in as {}", principal.email().as_str()),
                when: None,
                advice: String::from("Sign in again below if you were asked to, or"),
                link: Some(Link {
                    href: if return_to.is_empty() { "/" } else { return_to },
                    label: "go on as you are",
                }),
            }),
        }
    }
}
