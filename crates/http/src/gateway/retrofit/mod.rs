//! Retrofit (design §7): the upstream keeps its own login, and its tokens stay here.
//!
//! One request on its way: whose token it needs, renewed if that is due; the token in, the client's own out; a 401 that a fresh
//! token may mend; and the answer, out of which every token is taken before the client sees it.

mod answer;
mod body;
mod config;
mod decode;
mod exchange;
mod follow;
mod head;
mod login;
mod renew;
mod request;
mod visitor;

use std::sync::Arc;

use countersign_core::domain::event::EventName;
use countersign_core::domain::isolation::Isolation;
use countersign_core::domain::retrofit::{Holder, TokenPath};
use countersign_core::domain::route::{RouteAuth, RouteRule};
use countersign_core::port::Outside;
use countersign_core::service::{Context, Kept, NewEvent, Principal, ServiceError};
use http::request::Parts;
use hyper::body::Incoming;

pub(crate) use body::Passing;
pub use config::SiteRetrofit;
pub(crate) use renew::Renewals;

use super::respond::Refusal;
use super::{Admitted, Shape, cors};
use crate::credentials::patiently;
use crate::site::{Site, SiteUpstream};
use crate::wire::body::Answer;
use crate::wire::cookie::Jar;
use crate::wire::problem::{Code, Problem};
use crate::wire::request::{Client, provenance};
use renew::Renewal;

/// What a request is about.
pub(super) struct Visit<'a> {
    pub(super) rule: &'a RouteRule,
    pub(super) target: &'a SiteUpstream,
    pub(super) retrofit: &'a SiteRetrofit,
    pub(super) client: &'a Client,
    pub(super) context: &'a Context,
    pub(super) shape: &'a Shape,
}

/// Who a request acts for, and with which token.
struct Identity {
    admitted: Admitted,
    holder: Option<Holder>,
    kept: Option<Arc<Kept>>,
}

impl Identity {
    fn session(&self) -> Option<Holder> {
        self.holder.filter(|holder| matches!(holder, Holder::Session(_)))
    }
}

impl<O: Outside> Site<O> {
    /// Answers a request for an application that keeps its own login.
    pub(super) async fn pass_retrofit(
        self: &Arc<Self>,
        parts: Parts,
        body: Incoming,
        visit: &Visit<'_>,
    ) -> Result<Answer, Box<Refusal>> {
        let preflight = cors::is_preflight(&parts);
        let open = visit.rule.auth == RouteAuth::None || preflight;
        let kind = if visit.rule.tokens && !preflight {
            visit.retrofit.rules.token_path(parts.method.as_str(), parts.uri.path())
        } else {
            None
        };
        if kind.is_some() {
            self.demand_origin(&parts, visit.context)?;
        }
        let jar = if open { Jar::default() } else { Jar::read(&parts.headers, &self.settings.cookies) };
        let safe = provenance(&parts).isolate(&self.settings.origins) == Isolation::Identity;
        let (admitted, passage) = if open {
            (Admitted { principal: None, rotated: None, read_session: false }, self.open_passage(parts, body))
        } else {
            self.admit(parts, body, visit.rule, visit.context).await?
        };
        let mut who = self.with_token(admitted, &jar, safe, open, visit).await?;
        self.renew_if_due(&mut who, kind, visit).await?;
        if kind == Some(TokenPath::Refresh) {
            return self.refresh_for_client(who, visit).await;
        }
        if kind == Some(TokenPath::Logout) {
            self.leave(&who, visit).await?;
        }
        let (asked, answer, kept) = self.exchange(passage, &mut who, kind, visit).await?;
        who.kept = kept;
        let (mut parts, body) = answer.into_parts();
        let token = &visit.retrofit.rules.token;
        let found = head::take(&mut parts.headers, visit.retrofit, token, self.engine.now());
        match kind {
            Some(TokenPath::Login) => {
                Box::pin(self.login_answer(parts, body, found, who, &jar, &asked, visit)).await
            }
            _ if open => {
                if found.token.is_some() {
                    self.tell(EventName::RetrofitTokenSeen, "open_route", visit, None);
                }
                Ok(self.finish(parts, body, &who.admitted, visit))
            }
            Some(TokenPath::Logout | TokenPath::Refresh) => {
                Ok(self.finish(parts, body, &who.admitted, visit))
            }
            None => {
                let pre = Box::pin(self.follow(found, &mut who, &jar, &mut parts.headers, visit)).await?;
                let mut answer = self.finish(parts, body, &who.admitted, visit);
                self.hand_visitor(&mut answer, pre.as_ref());
                Ok(answer)
            }
        }
    }

    /// Token paths demand the origin check of everybody: another site must neither sign a browser in nor out (C09, C12).
    fn demand_origin(&self, parts: &Parts, context: &Context) -> Result<(), Box<Refusal>> {
        if provenance(parts).isolate(&self.settings.origins) == Isolation::Identity {
            return Ok(());
        }
        self.engine.record(NewEvent::refused(EventName::MaliciousCsrf, "origin_denied"), context);
        Err(Refusal::plain(Problem::new(
            Code::OriginDenied,
            "Sign-in, sign-out and refresh are for the application's own pages: the request came from another site, or does not say where from.",
        )))
    }

    async fn with_token(
        &self,
        admitted: Admitted,
        jar: &Jar,
        safe: bool,
        open: bool,
        visit: &Visit<'_>,
    ) -> Result<Identity, Box<Refusal>> {
        let holder = match &admitted.principal {
            Some(Principal::Session(session)) => Some(Holder::Session(session.claims().sid)),
            Some(Principal::ApiKey(_) | Principal::Foreign(_)) => None,
            None if open || !safe || !visit.retrofit.in_cookie() => None,
            None => visitor::holder(jar),
        };
        let kept = match holder {
            Some(holder) => {
                patiently(self.engine.upstream_token(holder, &visit.target.audience), ServiceError::Store)
                    .await
                    .map_err(|error| Refusal::after(Problem::from(&error), admitted.rotated.clone()))?
            }
            None => None,
        };
        let mut admitted = admitted;
        // What it answers depends on whose token it got (J04).
        admitted.read_session |= kept.is_some();
        Ok(Identity { admitted, holder, kept })
    }

    /// Renews a token that is about to end; a session whose token has ended for good ends with it.
    async fn renew_if_due(
        self: &Arc<Self>,
        who: &mut Identity,
        kind: Option<TokenPath>,
        visit: &Visit<'_>,
    ) -> Result<(), Box<Refusal>> {
        let (Some(holder), Some(kept)) = (who.holder, &who.kept) else { return Ok(()) };
        // Whoever signs in, or asks for a fresh one, does not need it.
        if matches!(kind, Some(TokenPath::Login | TokenPath::Refresh)) {
            return Ok(());
        }
        let now = self.engine.now();
        let rules = &visit.retrofit.rules;
        let ahead = if rules.refresh.is_some() { renew::AHEAD } else { std::time::Duration::ZERO };
        if !kept.token.has_expired(now.plus(ahead)) {
            return Ok(());
        }
        if rules.refresh.is_some()
            && let Holder::Session(_) = holder
            && let Renewal::Fresh(fresh) = self.renew(holder, kept, visit).await
        {
            who.kept = Some(fresh);
            return Ok(());
        }
        if kept.token.has_expired(now) {
            self.end(who, "upstream_token_expired", visit).await?;
        }
        Ok(())
    }

    /// Ends a session with its upstream's, and goes on as nobody.
    async fn end(&self, who: &mut Identity, reason: &str, visit: &Visit<'_>) -> Result<(), Box<Refusal>> {
        match who.holder {
            Some(Holder::Session(sid)) => {
                self.engine.end_with_upstream(sid, visit.context).await.map_err(Problem::from)?;
                tracing::info!(reason, upstream = visit.target.upstream.name(), request_id = %visit.client.request, "a session ended with its upstream's");
            }
            Some(holder @ Holder::Visitor(_)) => {
                self.engine
                    .forget_upstream_token(holder, &visit.target.audience)
                    .await
                    .map_err(Problem::from)?;
            }
            None => {}
        }
        (who.holder, who.kept, who.admitted.principal, who.admitted.rotated) = (None, None, None, None);
        if visit.rule.auth == RouteAuth::Required {
            let what = "The application's own session has ended. Sign in again.";
            return Err(Problem::new(Code::SessionExpired, what).into());
        }
        Ok(())
    }

    /// A logout ends our session first: whatever becomes of the upstream's, nothing works from outside any more.
    async fn leave(&self, who: &Identity, visit: &Visit<'_>) -> Result<(), Box<Refusal>> {
        match who.holder {
            Some(Holder::Session(sid)) => self.engine.log_out(sid, visit.context).await,
            Some(holder @ Holder::Visitor(_)) => {
                self.engine.forget_upstream_token(holder, &visit.target.audience).await
            }
            None => Ok(()),
        }
        .map_err(|error| Problem::from(&error).into())
    }
}
