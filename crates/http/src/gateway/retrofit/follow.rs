//! The way back: what the upstream did to its own session, and what the client may see of it.

use std::sync::Arc;

use countersign_core::domain::event::EventName;
use countersign_core::domain::retrofit::Holder;
use countersign_core::domain::secret::SecretString;
use countersign_core::port::Outside;
use countersign_core::service::{NewEvent, Principal};
use countersign_proxy::ProxyBody;
use http::Response;
use http::header::{CONTENT_ENCODING, HeaderMap};
use http::response::Parts;
use http_body::Body as _;

use super::body::Passing;
use super::head::Catch;
use super::{Identity, Visit, answer};
use crate::gateway::Admitted;
use crate::gateway::respond::Refusal;
use crate::site::Site;
use crate::wire::body::{Answer, AnswerBody};
use crate::wire::cookie::Jar;
use crate::wire::problem::Problem;

impl<O: Outside> Site<O> {
    /// Cleans an answer as any other; a JSON answer is watched for tokens that should not be in it.
    pub(super) fn finish(
        &self,
        parts: Parts,
        body: ProxyBody,
        admitted: &Admitted,
        visit: &Visit<'_>,
    ) -> Answer {
        let watched = answer::is_json(&parts.headers)
            && !parts.headers.contains_key(CONTENT_ENCODING)
            && !body.is_end_stream();
        let parts = self.cleaned(parts, admitted, visit);
        let body = if watched {
            AnswerBody::Passing(Box::new(Passing::watched(
                body,
                visit.retrofit.rules.body_limit,
                self.token_seen(admitted, visit),
            )))
        } else {
            AnswerBody::Proxy(Box::new(body))
        };
        Response::from_parts(parts, body)
    }

    pub(super) fn cleaned(&self, parts: Parts, admitted: &Admitted, visit: &Visit<'_>) -> Parts {
        let mut answer = Response::from_parts(parts, ProxyBody::empty());
        // Its tokens are caught where they stand: such an application hands no sessions over.
        self.clean_answer(&mut answer, visit.rule, admitted, None, visit.shape);
        answer.into_parts().0
    }

    /// Says, once the time comes, that script was handed a token.
    fn token_seen(&self, admitted: &Admitted, visit: &Visit<'_>) -> Box<dyn FnOnce() + Send + Sync> {
        let (engine, context) = (Arc::clone(&self.engine), visit.context.clone());
        let user = admitted.principal.as_ref().map(|principal| principal.user().clone());
        let upstream = visit.target.upstream.name().to_owned();
        Box::new(move || {
            let event = NewEvent::refused(EventName::RetrofitTokenSeen, "json_answer").detail(&upstream);
            match &user {
                Some(user) => engine.record(event.user(user), &context),
                None => engine.record(event, &context),
            }
        })
    }

    pub(super) fn tell(
        &self,
        name: EventName,
        reason: &str,
        visit: &Visit<'_>,
        principal: Option<&Principal>,
    ) {
        let event = NewEvent::refused(name, reason).detail(visit.target.upstream.name());
        match principal {
            Some(principal) => self.engine.record(event.user(principal.user()), visit.context),
            None => self.engine.record(event, visit.context),
        }
    }

    /// Follows what an upstream does to its own session in any answer: a new cookie, a rotated token, the end of it. The
    /// pre-session that the browser is to have, if it is to have one.
    pub(super) async fn follow(
        &self,
        found: Catch,
        who: &mut Identity,
        jar: &Jar,
        out: &mut HeaderMap,
        visit: &Visit<'_>,
    ) -> Result<Option<SecretString>, Box<Refusal>> {
        answer::withhold(out, &found);
        if found.cleared && who.kept.is_some() {
            match who.holder {
                Some(Holder::Session(sid)) => self.engine.end_with_upstream(sid, visit.context).await,
                Some(holder @ Holder::Visitor(_)) => {
                    self.engine.forget_upstream_token(holder, &visit.target.audience).await
                }
                None => Ok(()),
            }
            .map_err(|error| Problem::from(&error))?;
            who.admitted.rotated = None;
            return Ok(None);
        }
        if found.token.is_none() && found.refresh.is_none() {
            return Ok(None);
        }
        match (who.holder, &who.admitted.principal) {
            (Some(holder @ Holder::Session(_)), Some(Principal::Session(session))) => {
                let until = session.session_expires_at();
                self.update(holder, who.kept.as_deref(), found, until, visit).await?;
                Ok(None)
            }
            _ if visit.retrofit.in_cookie() && found.token.is_some() => {
                self.visit_again(found, who, jar, visit).await
            }
            _ => {
                self.tell(
                    EventName::RetrofitTokenSeen,
                    "without_session",
                    visit,
                    who.admitted.principal.as_ref(),
                );
                Ok(None)
            }
        }
    }
}
