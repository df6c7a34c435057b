//! GET `/auth/session`, GET `/auth/sessions`, DELETE `/auth/sessions/{public id}`.

use std::sync::Arc;
use std::time::Duration;

use countersign_core::domain::cookie::CookieKind;
use countersign_core::domain::csrf::{Binding, token};
use countersign_core::domain::id::PublicId;
use countersign_core::domain::time::Timestamp;
use countersign_core::port::Outside;
use countersign_core::service::{Opened, SessionView, Tokens};
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Response, StatusCode};
use serde::Serialize;

use super::Reply;
use super::call::Call;
use super::client::TokenPart;
use crate::site::Site;
use crate::wire::body::{Answer, AnswerBody};
use crate::wire::cookie;
use crate::wire::problem::{Code, Problem};

#[derive(Serialize)]
struct SessionResponse<'a> {
    user: UserPart<'a>,
    session: SessionPart<'a>,
    access_expires_at: Timestamp,
    csrf_token: &'a str,
    #[serde(flatten)]
    tokens: Option<TokenPart<'a>>,
    #[serde(skip_serializing_if = "<[&str]>::is_empty")]
    cookies: &'a [&'a str],
    #[serde(skip_serializing_if = "Option::is_none")]
    handover: Option<&'a str>,
}

#[derive(Serialize)]
struct UserPart<'a> {
    id: &'a str,
    email: &'a str,
    email_verified: bool,
}

#[derive(Serialize)]
struct SessionPart<'a> {
    id: &'a str,
    created_at: Timestamp,
    expires_at: Timestamp,
    idle_expires_at: Timestamp,
    auth_time: Timestamp,
    bound: bool,
}

#[derive(Serialize)]
struct ListedSession<'a> {
    id: &'a str,
    created_at: Timestamp,
    last_seen_at: Timestamp,
    expires_at: Timestamp,
    idle_expires_at: Timestamp,
    current: bool,
    bound: bool,
    user_agent: &'a str,
    ip: Option<std::net::IpAddr>,
}

/// What a session body brings beside the session: nothing, for browsers.
#[derive(Default)]
struct Carried<'a> {
    tokens: Option<TokenPart<'a>>,
    cookies: &'a [&'a str],
    handover: Option<&'a str>,
}

/// 200 with JSON.
pub(super) fn json(body: &impl Serialize) -> Answer {
    let mut answer = Response::new(AnswerBody::from(serde_json::to_vec(body).unwrap_or_default()));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

/// 204.
pub(super) fn no_content() -> Answer {
    let mut answer = Response::new(AnswerBody::empty());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    answer
}

pub(super) async fn current<O: Outside>(site: Arc<Site<O>>, call: Call) -> Reply {
    let principal = call.principal(&site).await?;
    let view = site
        .engine
        .session_view(&principal)
        .await?
        .ok_or_else(|| Problem::new(Code::SessionRevoked, "The session was ended. Sign in again."))?;
    Ok(site.session_answer(&view, principal.claims().expires_at, Carried::default()))
}

pub(super) async fn list<O: Outside>(site: Arc<Site<O>>, call: Call) -> Reply {
    let principal = call.principal(&site).await?;
    let sessions = site.engine.live_sessions(principal.user()).await?;
    let policy = &site.engine.policy().session;
    let listed: Vec<_> = sessions
        .iter()
        .map(|s| ListedSession {
            id: s.public_id.as_str(),
            created_at: s.created_at,
            last_seen_at: s.seen_at,
            expires_at: s.expires_at,
            idle_expires_at: s.idle_expires_at(policy),
            current: s.sid == principal.claims().sid,
            bound: false,
            user_agent: &s.device.user_agent,
            ip: s.device.ip,
        })
        .collect();
    Ok(json(&serde_json::json!({ "sessions": listed })))
}

pub(super) async fn end<O: Outside>(site: Arc<Site<O>>, mut call: Call) -> Reply {
    call.json_only()?;
    let principal = call.principal_for_change(&site).await?;
    let id = call.parameter().await.and_then(|id| PublicId::parse(&id));
    let ended = match id {
        Some(id) => site.engine.end_own_session(principal.user(), &id, &call.context).await?,
        None => false,
    };
    if ended { Ok(no_content()) } else { Err(Problem::new(Code::NotFound, "You have no such session.")) }
}

impl<O: Outside> Site<O> {
    /// 200 with the session body of design §7. The tokens are in it for a registered client only, else the CSRF token alone.
    pub(super) fn session_body(&self, view: &SessionView, tokens: &Tokens) -> Answer {
        let carried = Carried { tokens: self.token_part(view, tokens), ..Carried::default() };
        self.session_answer(view, tokens.access_expires_at, carried)
    }

    /// The same for an application that opened the session: with the cookies to set, or the code to hand over.
    pub(super) fn opened_body(&self, opened: &Opened, cookies: &[&str], handover: Option<&str>) -> Answer {
        let carried = Carried { tokens: None, cookies, handover };
        self.session_answer(&opened.view, opened.tokens.access_expires_at, carried)
    }

    fn session_answer(
        &self,
        view: &SessionView,
        access_expires_at: Timestamp,
        Carried { tokens, cookies, handover }: Carried<'_>,
    ) -> Answer {
        let (session, user) = (&view.held.session, &view.held.user);
        let csrf = token(self.engine.keyring(), Binding::Session(session.sid), self.engine.random16());
        json(&SessionResponse {
            user: UserPart {
                id: user.id.as_str(),
                email: user.email.as_str(),
                email_verified: user.email_verified,
            },
            session: SessionPart {
                id: session.public_id.as_str(),
                created_at: session.created_at,
                expires_at: session.expires_at,
                idle_expires_at: view.idle_expires_at,
                auth_time: session.auth_time,
                bound: false,
            },
            access_expires_at,
            csrf_token: csrf.as_ref().map_or("", |t| t.expose()),
            tokens,
            cookies,
            handover,
        })
    }

    /// Sets the session's cookies. Their Max-Age is the session's remaining life; that is never the enforcement (B10).
    pub(crate) fn set_session_cookies(&self, out: &mut HeaderMap, tokens: &Tokens, view: &SessionView) {
        let session = &view.held.session;
        let left = session.expires_at.since(self.engine.now()).min(Duration::from_secs(400 * 86_400));
        let cookies = &self.settings.cookies;
        cookie::set(out, cookies, CookieKind::Access, tokens.access.expose(), left);
        if let Some(refresh) = &tokens.refresh {
            cookie::set(out, cookies, CookieKind::Refresh, refresh.expose(), left);
        }
        if let Some(csrf) =
            token(self.engine.keyring(), Binding::Session(session.sid), self.engine.random16())
        {
            cookie::set(out, cookies, CookieKind::Csrf, csrf.expose(), left);
        }
        cookie::set(out, cookies, CookieKind::Hint, "1", left);
    }
}
