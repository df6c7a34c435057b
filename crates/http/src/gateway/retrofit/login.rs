//! The answer to a login: its token becomes a session of ours, and a placeholder goes to the browser.

use bytes::Bytes;
use countersign_core::domain::cookie::CookieKind;
use countersign_core::domain::event::EventName;
use countersign_core::domain::retrofit::{Holder, TokenPath, UpstreamToken};
use countersign_core::domain::secret::SecretString;
use countersign_core::port::Outside;
use countersign_core::service::{Opened, UpstreamLogin};
use countersign_proxy::ProxyBody;
use http::header::{HeaderMap, LOCATION};
use http::response::Parts;
use http::{Method, Response, StatusCode};

use super::body::{self, Passing, Read};
use super::head::Catch;
use super::{Identity, Visit, answer, decode};
use crate::credentials::patiently;
use crate::gateway::respond::Refusal;
use crate::site::Site;
use crate::wire::body::{Answer, AnswerBody};
use crate::wire::cookie::{self, Jar};
use crate::wire::headers;
use crate::wire::problem::{Code, Problem};

/// A body as the client will have it.
enum Outgoing {
    /// As the upstream sends it.
    Streamed(ProxyBody),
    /// As the upstream sends it, some of it read.
    Begun(Bytes, ProxyBody),
    /// Read whole.
    Whole(Bytes),
}

impl<O: Outside> Site<O> {
    /// What becomes of the answer to a login.
    #[expect(clippy::too_many_arguments, reason = "an exchange has this many parts, and they are used once")]
    pub(super) async fn login_answer(
        self: &std::sync::Arc<Self>,
        mut parts: Parts,
        body: ProxyBody,
        mut found: Catch,
        mut who: Identity,
        jar: &Jar,
        asked: &Method,
        visit: &Visit<'_>,
    ) -> Result<Answer, Box<Refusal>> {
        let succeeded = succeeded(&parts, asked, visit);
        let has_body = *asked != Method::HEAD
            && !parts.status.is_informational()
            && !matches!(parts.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        // What the head held may stand in the body once more, in a refusal's too.
        let expected =
            (parts.status.is_success() && visit.retrofit.in_body()) || found.texts().next().is_some();
        let outgoing = if has_body && expected {
            self.take_out(&mut parts, body, &mut found, visit).await?
        } else {
            Outgoing::Streamed(body)
        };
        answer::withhold(&mut parts.headers, &found);
        if parts.status.is_redirection() && answer::leads_to_token(&parts.headers) {
            self.tell(EventName::RetrofitUnchanged, "token_in_location", visit, None);
        }
        let token = match found.token.take() {
            Some(token) if succeeded => {
                Some(UpstreamToken::new(token.value, found.refresh.take(), token.declared))
            }
            // Some frameworks set a session cookie with each answer, a refusal too.
            Some(token) => {
                found.token = Some(token);
                None
            }
            // The session of before login goes on upstream; ours must be a new one all the same (fixation, D09).
            None => carried(&who).filter(|_| succeeded && visit.retrofit.in_cookie()),
        };
        let Some(token) = token else {
            if succeeded && found.token.is_none() && !matches!(outgoing, Outgoing::Begun(..)) {
                self.tell(EventName::RetrofitUnchanged, "token_missing", visit, None);
            }
            let pre = Box::pin(self.follow(found, &mut who, jar, &mut parts.headers, visit)).await?;
            let mut answer = self.out(parts, outgoing, &who, visit);
            self.hand_visitor(&mut answer, pre.as_ref());
            return Ok(answer);
        };
        let opened = self.open_for_upstream(token, &who, jar, visit).await?;
        // Nothing of the session before is handed out any more.
        who.admitted.rotated = None;
        who.admitted.read_session = true;
        let mut answer = self.out(parts, outgoing, &who, visit);
        self.hand_over(answer.headers_mut(), jar, &opened);
        Ok(answer)
    }

    /// Reads the body, and takes the tokens out of it.
    async fn take_out(
        &self,
        parts: &mut Parts,
        body: ProxyBody,
        found: &mut Catch,
        visit: &Visit<'_>,
    ) -> Result<Outgoing, Box<Refusal>> {
        let rules = &visit.retrofit.rules;
        let whole = match body::read(body, rules.body_limit).await {
            Ok(Read::Whole(whole)) => whole,
            Ok(Read::Longer(begun, rest)) => {
                self.tell(EventName::RetrofitUnchanged, "body_limit", visit, None);
                return Ok(Outgoing::Begun(begun, rest));
            }
            Err(error) => {
                tracing::warn!(upstream = visit.target.upstream.name(), %error, request_id = %visit.client.request, "the answer to a login broke off");
                return Err(unreadable());
            }
        };
        let Some(plain) = decode::plain(&parts.headers, &whole, rules.body_limit) else {
            // It was asked not to. Whether there is a token in it nobody knows, so nobody gets it.
            self.tell(EventName::RetrofitUnchanged, "unknown_coding", visit, None);
            return Err(unreadable());
        };
        match answer::rewrite(&plain, visit.retrofit, &rules.token, found) {
            Some(rewritten) => {
                answer::fit(&mut parts.headers, rewritten.len(), found);
                Ok(Outgoing::Whole(rewritten.into()))
            }
            None => Ok(Outgoing::Whole(whole)),
        }
    }

    fn out(&self, parts: Parts, outgoing: Outgoing, who: &Identity, visit: &Visit<'_>) -> Answer {
        match outgoing {
            Outgoing::Streamed(body) => self.finish(parts, body, &who.admitted, visit),
            Outgoing::Begun(begun, rest) => {
                let parts = self.cleaned(parts, &who.admitted, visit);
                Response::from_parts(parts, AnswerBody::Passing(Box::new(Passing::new(begun, rest))))
            }
            Outgoing::Whole(whole) => {
                if answer::is_json(&parts.headers) && answer::holds_jwt(&whole) {
                    self.tell(
                        EventName::RetrofitTokenSeen,
                        "login_answer",
                        visit,
                        who.admitted.principal.as_ref(),
                    );
                }
                Response::from_parts(self.cleaned(parts, &who.admitted, visit), AnswerBody::from(whole))
            }
        }
    }

    async fn open_for_upstream(
        &self,
        token: UpstreamToken,
        who: &Identity,
        jar: &Jar,
        visit: &Visit<'_>,
    ) -> Result<Opened, Box<Refusal>> {
        let rules = &visit.retrofit.rules;
        let subject = rules.subject.as_ref().and_then(|pointer| token.subject(pointer));
        // A cookie's end moves with its use; what a refresh call renews has none that we know.
        let until = token.expires_at.filter(|_| rules.refresh.is_none() && !visit.retrofit.in_cookie());
        let replaces = match self.genuine(jar).await {
            Ok(genuine) => genuine.map(|genuine| genuine.sid),
            Err(problem) if problem.status.is_server_error() => return Err(problem.into()),
            // Damaged or foreign cookies name nobody.
            Err(_) => None,
        };
        let login = UpstreamLogin {
            upstream: &visit.target.audience,
            subject: subject.as_deref(),
            token,
            until,
            replaces,
        };
        let opening = Box::pin(self.engine.open_at_upstream(login, visit.context));
        let late = |error| countersign_core::service::ServiceError::Store(error).into();
        let (opened, _) = patiently(opening, late).await.map_err(Problem::from)?;
        if let Some(holder @ Holder::Visitor(_)) = who.holder
            && let Err(error) = self.engine.forget_upstream_token(holder, &visit.target.audience).await
        {
            // It hangs on a cookie that is cleared now, and is gone within the hour.
            tracing::warn!(%error, "a visitor's token could not be deleted");
        }
        Ok(opened)
    }

    /// Our cookies; the pre-session ends here (C09).
    fn hand_over(&self, out: &mut HeaderMap, jar: &Jar, opened: &Opened) {
        self.set_session_cookies(out, &opened.tokens, &opened.view);
        if jar.value(CookieKind::PreSession).is_some() {
            cookie::clear(out, &self.settings.cookies, CookieKind::PreSession);
        }
        headers::unshare(out, true);
    }
}

fn unreadable() -> Box<Refusal> {
    let what = "The application's answer cannot be read, so nobody knows whether a token is in it.";
    Refusal::plain(Problem::new(Code::UpstreamUnavailable, what).status(StatusCode::BAD_GATEWAY))
}

/// Whether an answer says that the login succeeded. Tokens in bodies and headers speak for themselves. A form's answer is a
/// redirect to another page, or no page at all: a page is the form once more.
fn succeeded(parts: &Parts, asked: &Method, visit: &Visit<'_>) -> bool {
    if !visit.retrofit.in_cookie() {
        return parts.status.is_success();
    }
    if parts.status.is_redirection() {
        let to = parts.headers.get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default();
        let path = to
            .split_once("://")
            .map_or(to, |(_, rest)| rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"));
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let back = visit.retrofit.rules.token_path(asked.as_str(), path) == Some(TokenPath::Login);
        return parts.status != StatusCode::NOT_MODIFIED && !back;
    }
    parts.status.is_success() && !answer::is_page(&parts.headers)
}

/// The token of before login.
fn carried(who: &Identity) -> Option<UpstreamToken> {
    let copy = |text: &SecretString| SecretString::new(text.expose().to_owned());
    let token = &who.kept.as_ref()?.token;
    Some(UpstreamToken {
        value: copy(&token.value),
        refresh: token.refresh.as_ref().map(copy),
        expires_at: token.expires_at,
    })
}
