//! Who may pass: credentials, isolation, CSRF, rotation on the way through, in the order of design §7.

use std::sync::Arc;

use countersign_core::domain::event::EventName;
use countersign_core::domain::isolation::Isolation;
use countersign_core::domain::rotation::Carrier;
use countersign_core::domain::route::{RouteAuth, RouteCsrf, RouteRule};
use countersign_core::domain::token::TokenRefusal;
use countersign_core::port::Outside;
use countersign_core::service::{Context, NewEvent, Principal, VerifyError};
use countersign_proxy::Body;
use http::StatusCode;
use http::header::{AUTHORIZATION, HeaderName};
use http::request::Parts;
use hyper::body::Incoming;

use super::respond::Refusal;
use super::{Admitted, Passage, bounce, is_unsafe};
use crate::credentials::{self, Authorization};
use crate::site::Site;
use crate::wire::cookie::Jar;
use crate::wire::problem::{Code, Problem};
use crate::wire::{field, request};

const DPOP: HeaderName = HeaderName::from_static("dpop");

impl<O: Outside> Site<O> {
    /// Admits a request to a route that reads credentials.
    pub(super) async fn admit(
        self: &Arc<Self>,
        mut parts: Parts,
        body: Incoming,
        rule: &RouteRule,
        context: &Context,
    ) -> Result<(Admitted, Passage), Box<Refusal>> {
        match credentials::authorization(&parts.headers) {
            Authorization::Malformed => {
                return Err(Refusal::plain(credentials::unreadable()));
            }
            Authorization::Token(token) => {
                let principal = Box::pin(self.bearer(token, context)).await.map_err(Refusal::plain)?;
                self.require(&principal, rule, context).map_err(Refusal::plain)?;
                parts.headers.remove(AUTHORIZATION);
                parts.headers.remove(DPOP);
                let admitted = Admitted { principal: Some(principal), rotated: None, read_session: true };
                return Ok((admitted, Passage { parts, body: body.into() }));
            }
            Authorization::Absent => credentials::withhold(&mut parts.headers),
        }
        let jar = self.read_jar(&parts, context).map_err(Refusal::plain)?;
        if !jar.has_session() {
            return self.anonymous(parts, body.into(), rule, &jar, Problem::missing());
        }
        let provenance = request::provenance(&parts);
        if self.isolate(&provenance, context)? == Isolation::WithoutIdentity {
            return self.anonymous(parts, body.into(), rule, &jar, Problem::missing());
        }
        // What is rare is boxed here and below: the server moves the future of each request, and its size is the largest branch's.
        let (parts, body) = if rule.csrf == RouteCsrf::Token && is_unsafe(&parts) {
            Box::pin(self.demand_csrf(parts, body, &jar, context)).await?
        } else {
            (parts, body.into())
        };
        let admitted = match self.by_cookies(&parts, &jar, context).await {
            Ok(admitted) => admitted,
            Err(problem) => {
                let (mut admitted, passage) = self.anonymous(parts, body, rule, &jar, problem)?;
                // The answer depends on cookies that were read and refused.
                admitted.read_session = true;
                return Ok((admitted, passage));
            }
        };
        if let Some(principal) = &admitted.principal {
            self.require(principal, rule, context)
                .map_err(|p| Refusal::after(p, admitted.rotated.clone()))?;
        }
        Ok((admitted, Passage { parts, body }))
    }

    /// Access cookie first; a stale or missing one with a good refresh cookie is rotated on the way through.
    async fn by_cookies(&self, parts: &Parts, jar: &Jar, context: &Context) -> Result<Admitted, Problem> {
        let refused = match self.access_cookie(jar, context).await {
            Some(Ok(principal)) => {
                let principal = Some(Principal::Session(principal));
                return Ok(Admitted { principal, rotated: None, read_session: true });
            }
            Some(Err(error)) => Some(error),
            None => None,
        };
        if let Some(error) = &refused {
            // Nothing that a refresh could mend: another environment, theft, or a store that does not answer.
            let settled = matches!(
                error,
                VerifyError::Refused(TokenRefusal::Environment) | VerifyError::Reused | VerifyError::Store(_)
            );
            if settled || jar.value(countersign_core::domain::cookie::CookieKind::Refresh).is_none() {
                self.record_verify(error, context);
                return Err(error.into());
            }
        }
        let carrier = if request::is_stale_copy(parts) { Carrier::StaleCopy } else { Carrier::Jar };
        let outcome = Box::pin(self.rotate(jar, carrier, context)).await?;
        Ok(Admitted {
            principal: Some(Principal::Session(Arc::clone(&outcome.principal))),
            rotated: Some(outcome),
            read_session: true,
        })
    }

    /// Nobody: bounced, let through where that is optional, or refused.
    fn anonymous(
        &self,
        parts: Parts,
        body: Body,
        rule: &RouteRule,
        jar: &Jar,
        problem: Problem,
    ) -> Result<(Admitted, Passage), Box<Refusal>> {
        if rule.bounce && bounce::wanted(&parts, jar) {
            return Err(Box::new(Refusal::Bounce));
        }
        if rule.auth == RouteAuth::Required || problem.code == Code::StoreUnavailable {
            return Err(problem.into());
        }
        Ok((
            Admitted { principal: None, rotated: None, read_session: jar.has_session() },
            Passage { parts, body },
        ))
    }

    /// Routes with `csrf = "token"` demand one on unsafe methods, in the header or in the form.
    async fn demand_csrf(
        &self,
        parts: Parts,
        body: Incoming,
        jar: &Jar,
        context: &Context,
    ) -> Result<(Parts, Body), Problem> {
        let Some(genuine) = self.genuine(jar).await? else {
            return Err(Problem::new(Code::TokenInvalid, "The session cookies are not ours, or damaged."));
        };
        if let Some(token) = request::single(&parts.headers, &self.settings.csrf_header) {
            self.check_csrf(genuine.sid, Some(token), context)?;
            return Ok((parts, body.into()));
        }
        let peeked = field::peek(&parts.headers, body).await.map_err(|field::Interrupted| {
            let gone = Problem::new(Code::InvalidRequest, "The request body did not arrive.");
            gone.status(StatusCode::REQUEST_TIMEOUT).closing()
        })?;
        self.check_csrf(genuine.sid, peeked.token.as_deref(), context)?;
        let body = match peeked.rest {
            Some(rest) => Body::prefixed(peeked.prefix, rest),
            None => Body::full(peeked.prefix),
        };
        Ok((parts, body))
    }

    /// Scope and freshness that the route asks for.
    pub(crate) fn require(
        &self,
        principal: &Principal,
        rule: &RouteRule,
        context: &Context,
    ) -> Result<(), Problem> {
        if !principal.scope().covers(&rule.scope) {
            let mut event =
                NewEvent::refused(EventName::AuthzFail, "insufficient_scope").user(principal.user());
            if let Some(session) = principal.session() {
                event = event.session(session);
            }
            self.engine.record(event, context);
            return Err(Problem::new(
                Code::InsufficientScope,
                format!("This needs the scope: {}.", rule.scope),
            ));
        }
        if let Some(max) = rule.max_auth_age
            // With an API key nobody proved anything: what asks for a recent sign-in is not for keys.
            && principal.auth_time().is_none_or(|at| self.engine.now().since(at) > max)
        {
            return Err(Problem::step_up(max));
        }
        Ok(())
    }
}
