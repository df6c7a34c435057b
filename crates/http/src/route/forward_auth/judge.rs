//! May this request pass? The gateway's order of checks (`gateway/admit.rs`), less the rotation, and with the head alone.

use countersign_core::domain::cookie::CookieKind;
use countersign_core::domain::isolation::Isolation;
use countersign_core::domain::route::{RouteAuth, RouteCsrf, RouteRule};
use countersign_core::domain::session::Liveness;
use countersign_core::domain::token::TokenRefusal;
use countersign_core::port::Outside;
use countersign_core::service::{Context, Principal, RotateError, ServiceError, VerifyError};
use http::request::Parts;

use crate::credentials::{self, Authorization, patiently};
use crate::gateway::{Refusal, bounce_wanted, cors, is_unsafe};
use crate::misplaced;
use crate::site::Site;
use crate::wire::cookie::Jar;
use crate::wire::problem::{Code, Problem};
use crate::wire::request;

/// Who passes, and what the answer to the browser will depend on.
pub(super) struct Passed {
    pub(super) principal: Option<Principal>,
    /// Our cookies or a token of ours were read.
    pub(super) read_session: bool,
}

/// Why a request does not pass.
pub(super) enum Stopped {
    /// As at the gateway.
    Refused(Box<Refusal>),
    /// The session lives, but its access token ran out: it has to be refreshed where the browser can take new cookies.
    Stale,
}

impl From<Problem> for Stopped {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem.into())
    }
}

impl From<Box<Refusal>> for Stopped {
    fn from(refusal: Box<Refusal>) -> Self {
        Self::Refused(refusal)
    }
}

impl<O: Outside> Site<O> {
    /// Judges a request by its head.
    pub(super) async fn judge(
        &self,
        parts: &Parts,
        rule: &RouteRule,
        context: &Context,
    ) -> Result<Passed, Stopped> {
        if let Some(problem) = misplaced::refuse(self, parts, false, || context.clone()) {
            return Err(Refusal::plain(problem).into());
        }
        // A preflight carries no credentials; the proxy or the application answers it, and demanding some would end every request
        // behind it.
        if rule.auth == RouteAuth::None || cors::is_preflight(parts) {
            return Ok(Passed { principal: None, read_session: false });
        }
        match credentials::authorization(&parts.headers) {
            Authorization::Malformed => {
                return Err(Refusal::plain(credentials::unreadable()).into());
            }
            Authorization::Token(token) => {
                let principal = Box::pin(self.bearer(token, context)).await.map_err(Refusal::plain)?;
                self.require(&principal, rule, context).map_err(Refusal::plain)?;
                return Ok(Passed { principal: Some(principal), read_session: true });
            }
            Authorization::Absent => {}
        }
        let jar = self.read_jar(parts, context).map_err(Refusal::plain)?;
        if !jar.has_session() {
            return self.nobody(parts, rule, &jar, Problem::missing());
        }
        if self.isolate(&request::provenance(parts), context)? == Isolation::WithoutIdentity {
            return self.nobody(parts, rule, &jar, Problem::missing());
        }
        if rule.csrf == RouteCsrf::Token && is_unsafe(parts) {
            self.demand_csrf_header(parts, &jar, context).await?;
        }
        let refused = match self.access_cookie(&jar, context).await {
            Some(Ok(session)) => {
                let principal = Principal::Session(session);
                self.require(&principal, rule, context)?;
                return Ok(Passed { principal: Some(principal), read_session: true });
            }
            Some(Err(error)) => Some(error),
            None => None,
        };
        let problem = self.beyond_repair(refused, &jar, context).await?;
        self.nobody(parts, rule, &jar, problem)
    }

    /// Nobody: bounced, let through where that is optional, or refused.
    fn nobody(
        &self,
        parts: &Parts,
        rule: &RouteRule,
        jar: &Jar,
        problem: Problem,
    ) -> Result<Passed, Stopped> {
        if rule.bounce && bounce_wanted(parts, jar) {
            return Err(Box::new(Refusal::Bounce).into());
        }
        if rule.auth == RouteAuth::Required || problem.code == Code::StoreUnavailable {
            return Err(problem.into());
        }
        Ok(Passed { principal: None, read_session: jar.has_session() })
    }

    /// Only the header: the proxy asks with the head, so there is no form to look into (design §7).
    async fn demand_csrf_header(&self, parts: &Parts, jar: &Jar, context: &Context) -> Result<(), Problem> {
        let Some(genuine) = self.genuine(jar).await? else {
            return Err(Problem::new(Code::TokenInvalid, "The session cookies are not ours, or damaged."));
        };
        let presented = request::single(&parts.headers, &self.settings.csrf_header);
        self.check_csrf(genuine.sid, presented, context)
    }

    /// The access cookie is missing or was refused. Why no refresh would help; [`Stopped::Stale`] if one would.
    ///
    /// The refresh token is only looked at: it is judged, and spent, where the browser brings it to be refreshed.
    async fn beyond_repair(
        &self,
        refused: Option<VerifyError>,
        jar: &Jar,
        context: &Context,
    ) -> Result<Problem, Stopped> {
        if let Some(error) = &refused {
            let settled = matches!(
                error,
                VerifyError::Refused(TokenRefusal::Environment) | VerifyError::Reused | VerifyError::Store(_)
            );
            if settled || jar.value(CookieKind::Refresh).is_none() {
                self.record_verify(error, context);
                return Ok(error.into());
            }
        }
        let token = match self.refresh_cookie(jar) {
            Some(Ok(token)) => token,
            Some(Err(error)) => return Ok(error.into()),
            None => return Ok(Problem::missing()),
        };
        let held = patiently(self.engine.genuine_refresh(&token), ServiceError::Store).await;
        let Some(held) = held.map_err(|error| Problem::from(&error))? else {
            return Ok(Problem::from(&RotateError::Unknown));
        };
        match held.liveness(&self.engine.policy().session, self.engine.now()) {
            Liveness::Live => Err(Stopped::Stale),
            Liveness::Revoked(ended) => Ok(Problem::from(&RotateError::Revoked(ended))),
            Liveness::Expired { at } => Ok(Problem::from(&RotateError::Expired { at })),
        }
    }
}
