//! The refresh call: a fresh token from the upstream, asked for once at a time for each session.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use countersign_core::domain::event::EventName;
use countersign_core::domain::retrofit::{Holder, RefreshCall, TokenLocation, UpstreamToken, object_at};
use countersign_core::port::Outside;
use countersign_core::service::{Context, Kept, NewEvent, ServiceError};
use countersign_proxy::{Body, ForwardContext, ProxyBody, hygiene};
use http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN, USER_AGENT,
};
use http::{Method, Request, Response, StatusCode};

use super::body::{self, Read};
use super::head::{self, Catch};
use super::{Identity, SiteRetrofit, Visit, answer, decode, request};
use crate::credentials::patiently;
use crate::gateway::respond::Refusal;
use crate::site::{Site, SiteUpstream};
use crate::wire::body::{Answer, AnswerBody};
use crate::wire::problem::{Code, Problem};
use crate::wire::request::Client;

/// How long before its end a token is renewed: the clocks of two machines differ, and a request takes its time.
pub(super) const AHEAD: Duration = Duration::from_secs(30);
/// How long the upstream may take for it.
const PATIENCE: Duration = Duration::from_secs(20);
/// Sessions that may be told apart before the list is swept.
const MANY: usize = 512;

/// One after the other.
type Turn = tokio::sync::Mutex<()>;

/// Renewals under way, one at a time for each token: most refresh tokens work once.
#[derive(Debug, Default)]
pub(crate) struct Renewals(Mutex<HashMap<(Holder, usize), Weak<Turn>>>);

impl Renewals {
    fn of(&self, slot: (Holder, usize)) -> Arc<Turn> {
        let mut under_way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lock) = under_way.get(&slot).and_then(Weak::upgrade) {
            return lock;
        }
        if under_way.len() >= MANY {
            under_way.retain(|_, lock| lock.strong_count() > 0);
        }
        let lock = Arc::default();
        under_way.insert(slot, Arc::downgrade(&lock));
        lock
    }
}

/// What came of a renewal.
pub(super) enum Renewal {
    /// This token stands now.
    Fresh(Arc<Kept>),
    /// There is none: the upstream refused, or could not be asked.
    Stale,
}

/// The upstream's answer as the client may see it.
struct Shown {
    status: StatusCode,
    kind: Option<HeaderValue>,
    body: Bytes,
}

enum Called {
    /// Somebody else has just renewed it.
    Already(Arc<Kept>),
    Renewed(Arc<Kept>, Shown),
    Refused(Option<Shown>),
    Unavailable,
}

/// What a renewal needs to go on if the client goes away: a refresh token that was spent must not be lost with the answer.
struct Job {
    upstream: usize,
    holder: Holder,
    /// The token that is not good any more; none if a fresh one is wanted in any case.
    stale: Option<Arc<Kept>>,
    client: Client,
    context: Context,
}

impl<O: Outside> Site<O> {
    /// Renews a session's token. Whoever comes while that is under way shares what comes of it.
    pub(super) async fn renew(
        self: &Arc<Self>,
        holder: Holder,
        stale: &Arc<Kept>,
        visit: &Visit<'_>,
    ) -> Renewal {
        if stale.was_refused() {
            return Renewal::Stale;
        }
        match self.called(holder, Some(Arc::clone(stale)), visit).await {
            Called::Already(kept) | Called::Renewed(kept, _) => Renewal::Fresh(kept),
            Called::Refused(_) | Called::Unavailable => Renewal::Stale,
        }
    }

    /// A front end asks for a fresh token itself: the gateway asks for it, with what only the gateway has.
    pub(super) async fn refresh_for_client(
        self: &Arc<Self>,
        who: Identity,
        visit: &Visit<'_>,
    ) -> Result<Answer, Box<Refusal>> {
        let (Some(holder), Some(_)) = (who.session(), &who.kept) else {
            // Nobody's refresh token passes from outside: a stolen one is worth nothing here.
            return Err(Refusal::plain(Problem::missing()));
        };
        let shown = match self.called(holder, None, visit).await {
            Called::Renewed(_, shown) | Called::Refused(Some(shown)) => shown,
            Called::Already(_) | Called::Refused(None) => {
                return Err(Refusal::after(Problem::missing(), who.admitted.rotated.clone()));
            }
            Called::Unavailable => {
                let what = "The application did not hand out a fresh token. Try again in a moment.";
                let problem = Problem::new(Code::UpstreamUnavailable, what);
                return Err(Refusal::after(problem, who.admitted.rotated.clone()));
            }
        };
        let mut answer = Response::new(());
        *answer.status_mut() = shown.status;
        if let Some(kind) = shown.kind {
            answer.headers_mut().insert(CONTENT_TYPE, kind);
        }
        let parts = self.cleaned(answer.into_parts().0, &who.admitted, visit);
        Ok(Response::from_parts(parts, AnswerBody::from(shown.body)))
    }

    async fn called(self: &Arc<Self>, holder: Holder, stale: Option<Arc<Kept>>, visit: &Visit<'_>) -> Called {
        let (client, context) = (visit.client.clone(), visit.context.clone());
        let job = Job { upstream: visit.rule.upstream, holder, stale, client, context };
        let site = Arc::clone(self);
        match tokio::spawn(async move { site.call(job).await }).await {
            Ok(called) => called,
            Err(error) => {
                tracing::error!(%error, "a renewal broke off");
                Called::Unavailable
            }
        }
    }

    async fn call(&self, job: Job) -> Called {
        let Some(target) = self.settings.upstreams.get(job.upstream) else { return Called::Unavailable };
        let Some((retrofit, refresh)) =
            target.retrofit.as_deref().and_then(|of| Some((of, of.rules.refresh.as_ref()?)))
        else {
            return Called::Refused(None);
        };
        let lock = self.renewals.of((job.holder, job.upstream));
        let _alone = lock.lock().await;
        // Not from memory: another node may have been first.
        let current = self.engine.upstream_token_now(job.holder, &target.audience);
        let current = match patiently(current, ServiceError::Store).await {
            Ok(Some(current)) => current,
            Ok(None) => return Called::Refused(None),
            Err(error) => {
                tracing::warn!(%error, "a token could not be looked up for its renewal");
                return Called::Unavailable;
            }
        };
        if job.stale.as_ref().is_some_and(|stale| !current.is(stale)) {
            return Called::Already(current);
        }
        let asked = self.ask(target, retrofit, refresh, &current.token, &job);
        let Some((status, kind, bytes, found)) =
            tokio::time::timeout(PATIENCE, Box::pin(asked)).await.ok().flatten()
        else {
            return Called::Unavailable;
        };
        let shown = Shown { status, kind, body: bytes };
        let name = target.upstream.name();
        let refused = |reason| {
            let event = NewEvent::refused(EventName::RetrofitRefreshRefused, reason).detail(name);
            self.engine.record(event, &job.context);
        };
        if status.is_client_error()
            && !matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
        {
            refused(if status == StatusCode::UNAUTHORIZED { "unauthorized" } else { "refused" });
            // Asked once: until there is another token, the answer will be the same.
            current.mark_refused();
            return Called::Refused(Some(shown));
        }
        let Some(token) = found.token.filter(|_| status.is_success()) else {
            refused(if status.is_success() { "token_missing" } else { "unavailable" });
            return Called::Unavailable;
        };
        let token = UpstreamToken::new(token.value, found.refresh, token.declared);
        let renewed = self.engine.renew_upstream_token(job.holder, &target.audience, token, &current);
        match patiently(Box::pin(renewed), ServiceError::Store).await {
            Ok(Some(kept)) => {
                let event = NewEvent::done(EventName::SessionRenewed, "upstream_token").detail(name);
                self.engine.record(event, &job.context);
                Called::Renewed(kept, shown)
            }
            // The session ended meanwhile.
            Ok(None) => Called::Refused(None),
            Err(error) => {
                tracing::error!(%error, "a fresh token could not be kept");
                Called::Unavailable
            }
        }
    }

    /// Asks the upstream: status, content type, a body without tokens, and the tokens.
    async fn ask(
        &self,
        target: &SiteUpstream,
        retrofit: &SiteRetrofit,
        refresh: &RefreshCall,
        token: &UpstreamToken,
        job: &Job,
    ) -> Option<(StatusCode, Option<HeaderValue>, Bytes, Catch)> {
        let (request, cleaned) = self.question(retrofit, refresh, token, job)?;
        let forward = ForwardContext {
            cleaned,
            client: job.client.ip,
            public: &self.settings.public,
            timeouts: Self::timeouts(target, None, None),
            live: None,
        };
        let answer = match target.upstream.forward(request, forward).await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::warn!(upstream = target.upstream.name(), %error, "no answer to a refresh call");
                return None;
            }
        };
        let (mut parts, body) = answer.into_parts();
        let mut found = head::take(&mut parts.headers, retrofit, &refresh.answer, self.engine.now());
        let limit = retrofit.rules.body_limit;
        let whole = whole(body, limit).await?;
        let plain = decode::plain(&parts.headers, &whole, limit)?;
        let rewritten = answer::rewrite(&plain, retrofit, &refresh.answer, &mut found);
        let body = rewritten.map_or(plain, Bytes::from);
        Some((parts.status, parts.headers.get(CONTENT_TYPE).cloned(), body, found))
    }

    fn question(
        &self,
        retrofit: &SiteRetrofit,
        refresh: &RefreshCall,
        token: &UpstreamToken,
        job: &Job,
    ) -> Option<(Request<Body>, countersign_proxy::Cleaned)> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, */*;q=0.5"));
        request::ask_plainly(&mut headers);
        let public = &self.settings.public_origin;
        let host = public.split_once("://").map_or("", |(_, host)| host);
        headers.insert(HOST, HeaderValue::from_str(host).ok()?);
        // As a page of the application would ask: some upstreams look at it.
        headers.insert(ORIGIN, HeaderValue::from_str(public).ok()?);
        if let Ok(agent) = HeaderValue::from_str(&job.context.device.user_agent) {
            headers.insert(USER_AGENT, agent);
        }
        let cleaned = hygiene::clean_request(&mut headers, self.protected());
        let sent = token.refresh.as_ref().unwrap_or(&token.value);
        let mut body = Body::empty();
        match &refresh.send {
            None => {
                if !request::inject(&mut headers, retrofit, token) {
                    return None;
                }
            }
            Some(TokenLocation::Json(pointer)) => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                body = Body::full(object_at(pointer, sent.expose()).to_string().into());
            }
            Some(TokenLocation::Header(name)) => {
                let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
                let scheme = if name == AUTHORIZATION { "Bearer " } else { "" };
                let mut value = HeaderValue::from_str(&format!("{scheme}{}", sent.expose())).ok()?;
                value.set_sensitive(true);
                headers.insert(name, value);
            }
            Some(TokenLocation::Cookie(name)) => {
                if !request::add_cookie(&mut headers, &format!("{name}={}", sent.expose())) {
                    return None;
                }
            }
        }
        let mut request = Request::new(body);
        *request.method_mut() = Method::from_bytes(refresh.request.method().as_bytes()).ok()?;
        *request.uri_mut() = refresh.request.path().parse().ok()?;
        *request.headers_mut() = headers;
        Some((request, cleaned))
    }
}

async fn whole(body: ProxyBody, limit: usize) -> Option<Bytes> {
    match body::read(body, limit).await {
        Ok(Read::Whole(whole)) => Some(whole),
        Ok(Read::Longer(..)) => {
            tracing::warn!(limit, "the answer to a refresh call is longer than retrofit.body_limit");
            None
        }
        Err(error) => {
            tracing::warn!(%error, "the answer to a refresh call broke off");
            None
        }
    }
}
