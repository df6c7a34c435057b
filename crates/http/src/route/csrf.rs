//! GET `/auth/csrf`: a token for the session, or for the pre-session of somebody not signed in.

use std::sync::Arc;

use countersign_core::domain::cookie::{CookieKind, PRE_SESSION_TTL};
use countersign_core::domain::csrf::{Binding, PreSession, token};
use countersign_core::domain::secret::SecretString;
use countersign_core::port::Outside;
use http::HeaderMap;

use super::call::Call;
use super::{Reply, session};
use crate::credentials::Genuine;
use crate::site::Site;
use crate::wire::cookie::{self, Jar};
use crate::wire::problem::Problem;

pub(super) async fn issue<O: Outside>(site: Arc<Site<O>>, call: Call) -> Reply {
    let jar = call.jar(&site)?;
    let genuine = site.genuine_or_none(&jar).await?;
    let mut headers = HeaderMap::new();
    let token = site.csrf_token(genuine, &jar, &mut headers);
    let mut answer = session::json(&serde_json::json!({ "csrf_token": token.expose() }));
    answer.headers_mut().extend(headers);
    Ok(answer)
}

impl<O: Outside> Site<O> {
    /// The session that the cookies name, or none: for pages and tokens that everybody may have.
    pub(super) async fn genuine_or_none(&self, jar: &Jar) -> Result<Option<Genuine>, Problem> {
        match self.genuine(jar).await {
            Ok(genuine) => Ok(genuine),
            Err(problem) if problem.status.is_server_error() => Err(problem),
            // Damaged or foreign cookies are like none here.
            Err(_) => Ok(None),
        }
    }

    /// A CSRF token for whoever asks; somebody without a session gets a pre-session cookie with it.
    pub(super) fn csrf_token(
        &self,
        genuine: Option<Genuine>,
        jar: &Jar,
        out: &mut HeaderMap,
    ) -> SecretString {
        let keyring = self.engine.keyring();
        let random = self.engine.random16();
        let made = match genuine {
            Some(genuine) => token(keyring, Binding::Session(genuine.sid), random),
            None => {
                let known = jar.value(CookieKind::PreSession).and_then(PreSession::parse);
                let pre = known.unwrap_or_else(|| PreSession::from_random(self.engine.random16()));
                let cookies = &self.settings.cookies;
                cookie::set(out, cookies, CookieKind::PreSession, pre.to_cookie().expose(), PRE_SESSION_TTL);
                token(keyring, Binding::PreSession(&pre), random)
            }
        };
        // A keyring always has a current secret, so this never is empty; an empty token would match nothing.
        made.unwrap_or_else(|| SecretString::new(String::new()))
    }
}
