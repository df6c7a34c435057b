//! The gateway: every request that is not under `/auth` (design §7). Straight from hyper, without a router.

mod admit;
mod bounce;
pub(crate) mod cors;
pub(crate) mod identity;
pub(crate) mod inflight;
mod respond;
pub(crate) mod retrofit;
mod take_over;

pub(crate) use bounce::wanted as bounce_wanted;
pub(crate) use respond::{Refusal, Shape, html, login_location, see_other};

use std::sync::Arc;

use countersign_core::domain::route::{RouteAuth, RouteCors};
use countersign_core::port::Outside;
use countersign_core::service::{Context, Principal, RotateOutcome};
use countersign_proxy::{Body, ForwardContext, Protected, hygiene};
use http::request::Parts;
use http::{Request, StatusCode};
use hyper::body::Incoming;

use crate::live::LiveConnection;
use crate::site::Site;
use crate::wire::body::Answer;
use crate::wire::cookie::{self, Jar};
use crate::wire::problem::{Code, Problem};
use crate::wire::request::{self, Client};

/// Methods that are forwarded (K09): those of RFC 9110 but TRACE and CONNECT, PATCH, QUERY, and WebDAV's.
pub(crate) const METHODS: [&str; 21] = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "QUERY",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
    "REPORT",
    "SEARCH",
    "MKCALENDAR",
    "ACL",
    "BIND",
    "UNBIND",
];

/// Who a request acts for, and what the client must be handed for it.
pub(crate) struct Admitted {
    pub(crate) principal: Option<Principal>,
    pub(crate) rotated: Option<Arc<RotateOutcome>>,
    /// Our cookies were read: the answer depends on them.
    pub(crate) read_session: bool,
}

/// A request on its way to an upstream.
struct Passage {
    parts: Parts,
    body: Body,
}

impl<O: Outside> Site<O> {
    /// Answers a request for an application.
    pub(crate) async fn gateway(self: &Arc<Self>, request: Request<Incoming>, client: &Client) -> Answer {
        let (parts, body) = request.into_parts();
        // What an error page needs, before the parts move on.
        let shape = Shape::of(&parts);
        match self.pass(parts, body, client, &shape).await {
            Ok(answer) => answer,
            Err(refusal) => self.refuse(*refusal, &shape, client),
        }
    }

    async fn pass(
        self: &Arc<Self>,
        parts: Parts,
        body: Incoming,
        client: &Client,
        shape: &Shape,
    ) -> Result<Answer, Box<Refusal>> {
        if !METHODS.contains(&parts.method.as_str()) {
            let problem = Problem::new(Code::InvalidRequest, "This method is not supported.");
            return Err(problem.status(StatusCode::METHOD_NOT_ALLOWED).into());
        }
        let matched = self.settings.routes.find(parts.uri.path());
        let Some(rule) = matched.rule() else {
            return Err(Problem::new(
                Code::NotFound,
                "There is nothing here, or the path can be read in two ways.",
            )
            .into());
        };
        let Some(target) = self.settings.upstreams.get(rule.upstream) else {
            return Err(Problem::new(Code::NotFound, "There is nothing here.").into());
        };
        if rule.cors == RouteCors::Countersign
            && let Some(answer) = self.preflight(&parts, client)
        {
            return Ok(answer);
        }
        let context = client.context(&parts.headers);
        if let Some(retrofit) = target.retrofit.as_deref() {
            let visit = retrofit::Visit { rule, target, retrofit, client, context: &context, shape };
            return Box::pin(self.pass_retrofit(parts, body, &visit)).await;
        }
        // A preflight that the upstream answers carries no credentials: demanding some would end every request behind it.
        let open = rule.auth == RouteAuth::None || cors::is_preflight(&parts);
        let (admitted, passage) = if open {
            (Admitted { principal: None, rotated: None, read_session: false }, self.open_passage(parts, body))
        } else {
            self.admit(parts, body, rule, &context).await?
        };
        let Passage { mut parts, body } = passage;
        let may_sign_in = self.may_sign_in(&parts, rule, target);

        let cleaned = hygiene::clean_request(&mut parts.headers, self.protected());
        cookie::strip(&mut parts.headers, &self.settings.cookies);
        if let Some(principal) = &admitted.principal {
            identity::add(&mut parts.headers, principal, target, &self.engine)
                .map_err(|e| Problem::from(&e))?;
        }
        let live = Arc::new(LiveConnection::new(&self.engine, &self.live, admitted.principal.clone()));
        let forward = ForwardContext {
            cleaned,
            client: client.ip,
            public: &self.settings.public,
            timeouts: Self::timeouts(target, rule.first_byte, rule.between_bytes),
            live: Some(Arc::clone(&live) as _),
        };
        let answer = target.upstream.forward(Request::from_parts(parts, body), forward).await;
        let mut answer = answer.map_err(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            let (upstream, origin) = (target.upstream.name(), target.upstream.origin().to_string());
            tracing::warn!(upstream, origin, %error, cause, request_id = %client.request, "no answer from an upstream");
            Refusal::after(Problem::from(&error), admitted.rotated.clone())
        })?;
        let taken = if answer.headers().contains_key(&take_over::CODE) {
            // Rare, and boxed: the server moves the future of each request, and its size is the largest branch's.
            let taken =
                Box::pin(self.take_over(answer.headers(), may_sign_in, target, &admitted, &context)).await;
            let taken = taken.map_err(|problem| Refusal::after(problem, admitted.rotated.clone()))?;
            if taken.is_some() {
                live.outlive();
            }
            taken
        } else {
            None
        };
        self.clean_answer(&mut answer, rule, &admitted, taken.as_ref(), shape);
        Ok(answer.map(|body| crate::wire::body::AnswerBody::Proxy(Box::new(body))))
    }

    /// A route without authentication: cookies are not read, ours are stripped all the same, and so are bearer tokens of ours.
    fn open_passage(&self, mut parts: Parts, body: Incoming) -> Passage {
        crate::credentials::withhold(&mut parts.headers);
        Passage { parts, body: body.into() }
    }

    fn protected(&self) -> &Protected {
        &self.settings.protected
    }

    /// Reads our cookies, and refuses those that came twice (B04).
    pub(crate) fn read_jar(&self, parts: &Parts, context: &Context) -> Result<Jar, Problem> {
        let jar = Jar::read(&parts.headers, &self.settings.cookies);
        self.refuse_tossed(&jar, context)?;
        Ok(jar)
    }
}

/// Whether the method changes state.
pub(crate) fn is_unsafe(parts: &Parts) -> bool {
    !request::is_safe(&parts.method)
}
