//! The exchange with the upstream: the token in, the client's own out, and a 401 that a fresh one may mend.

use std::sync::Arc;

use countersign_core::domain::retrofit::{Fate, Holder, TokenPath};
use countersign_core::port::Outside;
use countersign_core::service::Kept;
use countersign_proxy::{Body, ForwardContext, ProxyBody, hygiene};
use http::header::HeaderMap;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body::Body as _;

use super::renew::Renewal;
use super::{Identity, Visit, request};
use crate::gateway::respond::Refusal;
use crate::gateway::{Passage, identity};
use crate::live::LiveConnection;
use crate::site::Site;
use crate::wire::cookie;
use crate::wire::problem::Problem;

impl<O: Outside> Site<O> {
    /// The exchange with the upstream: what was asked, the answer, and the token that stands after it.
    pub(super) async fn exchange(
        self: &Arc<Self>,
        passage: Passage,
        who: &mut Identity,
        kind: Option<TokenPath>,
        visit: &Visit<'_>,
    ) -> Result<(Method, Response<ProxyBody>, Option<Arc<Kept>>), Box<Refusal>> {
        let Passage { mut parts, body } = passage;
        let cleaned = hygiene::clean_request(&mut parts.headers, self.protected());
        cookie::strip(&mut parts.headers, &self.settings.cookies);
        request::withhold(&mut parts.headers, visit.retrofit);
        if kind.is_some() {
            request::ask_plainly(&mut parts.headers);
        }
        let asked = parts.method.clone();
        // A login with an old token would be refused by some frameworks; one with a cookie needs it (CSRF tokens live there).
        let inject = kind != Some(TokenPath::Login) || visit.retrofit.in_cookie();
        let kept = who.kept.clone().filter(|_| inject);
        let renewable = kind.is_none() && visit.retrofit.rules.refresh.is_some() && who.session().is_some();
        let spare = (kept.is_some() && renewable && body.is_end_stream() && !cleaned.wants_upgrade())
            .then(|| (parts.uri.clone(), parts.headers.clone(), parts.version));
        self.dress(&mut parts.headers, who, kept.as_deref(), visit)?;
        let live = kind != Some(TokenPath::Logout);
        let answer = self.send(parts, body, cleaned, who, live, visit).await?;
        let (Some(stale), None) = (&kept, kind) else { return Ok((asked, answer, who.kept.clone())) };
        if answer.status() != StatusCode::UNAUTHORIZED || who.session().is_none() {
            return Ok((asked, answer, who.kept.clone()));
        }
        // The upstream refuses the token that we sent: once, a fresh one may mend it.
        if let Some(holder) = who.session().filter(|_| renewable)
            && let Renewal::Fresh(fresh) = self.renew(holder, stale, visit).await
        {
            who.kept = Some(Arc::clone(&fresh));
            let Some((uri, mut headers, version)) = spare else {
                return Ok((asked, answer, who.kept.clone()));
            };
            drop(answer);
            let cleaned = hygiene::clean_request(&mut headers, self.protected());
            self.dress(&mut headers, who, Some(&*fresh), visit)?;
            let mut again = Request::new(());
            (*again.method_mut(), *again.uri_mut(), *again.version_mut()) = (asked.clone(), uri, version);
            *again.headers_mut() = headers;
            let answer = self.send(again.into_parts().0, Body::empty(), cleaned, who, true, visit).await?;
            return Ok((asked, answer, who.kept.clone()));
        }
        if stale.token.after_401(visit.retrofit.rules.end_on_401, self.engine.now()) == Fate::Ends {
            // The answer is the upstream's own, and says the same.
            if let Some(Holder::Session(sid)) = who.session() {
                self.engine.end_with_upstream(sid, visit.context).await.map_err(Problem::from)?;
                (who.holder, who.kept, who.admitted.rotated) = (None, None, None);
            }
        }
        Ok((asked, answer, who.kept.clone()))
    }

    /// Puts identity and token on a cleaned request.
    fn dress(
        &self,
        headers: &mut HeaderMap,
        who: &Identity,
        kept: Option<&Kept>,
        visit: &Visit<'_>,
    ) -> Result<(), Box<Refusal>> {
        if let Some(principal) = &who.admitted.principal {
            identity::add(headers, principal, visit.target, &self.engine).map_err(|e| Problem::from(&e))?;
        }
        if let Some(kept) = kept
            && !request::inject(headers, visit.retrofit, &kept.token)
        {
            tracing::warn!(
                upstream = visit.target.upstream.name(),
                "an upstream's token fits no header and is not sent"
            );
        }
        Ok(())
    }

    async fn send(
        &self,
        parts: Parts,
        body: Body,
        cleaned: countersign_proxy::Cleaned,
        who: &Identity,
        live: bool,
        visit: &Visit<'_>,
    ) -> Result<Response<ProxyBody>, Box<Refusal>> {
        // The answer to a logout comes after the session's end, and must arrive.
        let principal = who.admitted.principal.clone().filter(|_| live);
        let live = LiveConnection::new(&self.engine, &self.live, principal);
        let forward = ForwardContext {
            cleaned,
            client: visit.client.ip,
            public: &self.settings.public,
            timeouts: Self::timeouts(visit.target, visit.rule.first_byte, visit.rule.between_bytes),
            live: Some(Arc::new(live)),
        };
        let upstream = &visit.target.upstream;
        upstream.forward(Request::from_parts(parts, body), forward).await.map_err(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            let (name, origin) = (upstream.name(), upstream.origin().to_string());
            tracing::warn!(upstream = name, origin, %error, cause, request_id = %visit.client.request, "no answer from an upstream");
            Refusal::after(Problem::from(&error), who.admitted.rotated.clone())
        })
    }
}
