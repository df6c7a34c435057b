//! What the proxy is told: 200 with the headers that the application should see, or a refusal.

use countersign_core::domain::event::EventName;
use countersign_core::domain::return_to::ReturnTo;
use countersign_core::domain::route::RouteAuth;
use countersign_core::port::Outside;
use countersign_core::service::{Context, NewEvent};
use http::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};

use super::judge::{Passed, Stopped};
use super::naming::{ForwardingProxy, Misnamed, Named};
use crate::credentials;
use crate::gateway::{METHODS, Refusal, Shape, identity, see_other};
use crate::route::refresh_location;
use crate::site::{Site, SiteUpstream};
use crate::wire::body::{Answer, AnswerBody};
use crate::wire::cookie;
use crate::wire::problem::{Code, Problem};
use crate::wire::request::{Client, accepts_html, is_document, single};

/// `no-store` where the application's answer depends on a session: the proxy must not let it be kept (J04).
const CACHE: HeaderName = HeaderName::from_static("countersign-cache");
/// What else the application's answer depends on (C11).
const VARY: HeaderName = HeaderName::from_static("countersign-vary");
/// Which headers Envoy takes away from the request.
const ENVOY_REMOVES: HeaderName = HeaderName::from_static("x-envoy-auth-headers-to-remove");

/// Who will read a refusal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reader {
    /// The proxy: 401 and 403 only, with a `Location` where the browser should go.
    Proxy,
    /// The browser, which gets the answer as it is.
    Client,
    /// The same, when the proxy was refused before and asks what to say: it cannot pass the request any more.
    ClientOfRefused,
}

/// For questions that cannot be answered any more: as if nothing were here.
pub(super) fn silence(client: &Client) -> Answer {
    Problem::new(Code::NotFound, "There is no such end point.").into_answer(&client.request)
}

/// 400: the proxy's configuration is at fault, or a client got through what it should remove.
pub(super) fn misnamed(misnamed: Misnamed, client: &Client) -> Answer {
    let detail = format!("The proxy did not say what it asks about, or a client interfered: {misnamed}.");
    Problem::new(Code::InvalidRequest, detail).into_answer(&client.request)
}

impl<O: Outside> Site<O> {
    /// Answers for the request that was named.
    pub(super) async fn answer_forward_auth(
        &self,
        named: Named,
        proxy: ForwardingProxy,
        reader: Reader,
        client: &Client,
    ) -> Answer {
        let shape = Shape::of(&named.parts);
        let context = client.context(&named.parts.headers);
        let stopped = match self.find_and_judge(&named, proxy, &context).await {
            Ok(passed) if reader == Reader::ClientOfRefused => {
                // Somebody signed in or refreshed between the two questions: the same request passes now.
                drop(passed);
                return self.stale(&named.parts, &shape, client, Again::Same);
            }
            Ok(passed) => return passed,
            Err(stopped) => stopped,
        };
        let mut answer = match stopped {
            Stopped::Stale => self.stale(&named.parts, &shape, client, Again::Refreshed),
            Stopped::Refused(refusal) => {
                let refusal = if reader == Reader::Proxy { for_proxy(*refusal) } else { *refusal };
                self.refuse(refusal, &shape, client)
            }
        };
        if reader == Reader::Proxy && answer.status() == StatusCode::SEE_OTHER {
            // Where the browser should go stays in `Location`, for proxies that can make a redirect of it.
            *answer.status_mut() = StatusCode::UNAUTHORIZED;
        }
        answer
    }

    async fn find_and_judge(
        &self,
        named: &Named,
        proxy: ForwardingProxy,
        context: &Context,
    ) -> Result<Answer, Stopped> {
        let parts = &named.parts;
        if !self.knows_host(&named.host) {
            let what = format!("This is {}. The request names another host.", self.settings.public_origin);
            let problem = Problem::new(Code::InvalidRequest, what);
            return Err(problem.status(StatusCode::MISDIRECTED_REQUEST).into());
        }
        if !METHODS.contains(&parts.method.as_str()) {
            let problem = Problem::new(Code::InvalidRequest, "This method is not supported.");
            return Err(problem.status(StatusCode::METHOD_NOT_ALLOWED).into());
        }
        let matched = self.settings.routes.find(parts.uri.path());
        // Our own end points are for us to answer: the proxy sends them here, and asks nothing.
        let rule = matched.rule().filter(|_| !crate::dispatch::is_own(parts.uri.path()));
        let Some((rule, target)) =
            rule.and_then(|rule| Some((rule, self.settings.upstreams.get(rule.upstream)?)))
        else {
            let event = NewEvent::refused(EventName::AuthzFail, "forward_auth_no_route");
            self.engine.record(event, context);
            let what = "There is nothing here, or the path can be read in two ways.";
            return Err(Problem::new(Code::NotFound, what).into());
        };
        let passed = self.judge(parts, rule, context).await?;
        Ok(self.verified(&parts.headers, proxy, rule.auth, target, &passed)?)
    }

    /// 200, with everything that takes the place of what the client sent under these names.
    fn verified(
        &self,
        asked: &HeaderMap,
        proxy: ForwardingProxy,
        auth: RouteAuth,
        target: &SiteUpstream,
        passed: &Passed,
    ) -> Result<Answer, Problem> {
        let mut answer = Response::new(AnswerBody::empty());
        let out = answer.headers_mut();
        if let Some(cookies) = self.other_cookies(asked) {
            out.insert(COOKIE, cookies);
        }
        if let Some(authorization) = other_authorization(asked, passed) {
            out.insert(AUTHORIZATION, authorization);
        }
        if let Some(principal) = &passed.principal {
            identity::add(out, principal, target, &self.engine).map_err(|e| Problem::from(&e))?;
        }
        if proxy == ForwardingProxy::Envoy {
            // The other proxies are told by their configuration to take all of these from here, absent ones too.
            let absent = self.spoken_for(out);
            out.insert(ENVOY_REMOVES, absent);
        }
        if passed.read_session {
            out.insert(CACHE, HeaderValue::from_static("no-store"));
        }
        if auth != RouteAuth::None {
            out.insert(VARY, HeaderValue::from_static("Cookie, Sec-Fetch-Site, Origin"));
        }
        Ok(answer)
    }

    /// The client's cookies without ours (B09), in one line: proxies copy one value.
    fn other_cookies(&self, asked: &HeaderMap) -> Option<HeaderValue> {
        let mut cookies = HeaderMap::new();
        for value in asked.get_all(COOKIE) {
            cookies.append(COOKIE, value.clone());
        }
        cookie::strip(&mut cookies, &self.settings.cookies);
        let lines: Vec<&[u8]> = cookies.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
        let mut line = HeaderValue::from_bytes(&lines.join(&b"; "[..])).ok().filter(|v| !v.is_empty())?;
        line.set_sensitive(true);
        Some(line)
    }

    /// The names that only we may speak under, and do not.
    fn spoken_for(&self, out: &HeaderMap) -> HeaderValue {
        let own = [
            "cookie",
            "authorization",
            "dpop",
            "countersign-assertion",
            "x-auth-user",
            "x-auth-email",
            "x-auth-session",
            "x-auth-scopes",
        ];
        let identities = self.settings.upstreams.iter().map(|upstream| &upstream.identity);
        let configured = identities.flat_map(|i| [&i.user, &i.email, &i.session, &i.scopes]).flatten();
        let names = own.into_iter().chain(configured.map(HeaderName::as_str));
        let absent: Vec<&str> = names.filter(|name| !out.contains_key(*name)).collect();
        HeaderValue::try_from(absent.join(",")).unwrap_or(HeaderValue::from_static("cookie,authorization"))
    }

    /// Page loads are sent to be refreshed, or once more to where they wanted to go; others are told that they are late.
    fn stale(&self, parts: &Parts, shape: &Shape, client: &Client, again: Again) -> Answer {
        let late = |detail| Problem::new(Code::TokenExpired, detail);
        if is_page_load(parts) {
            let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
            return see_other(&match again {
                Again::Refreshed => refresh_location(target),
                // `//e` is a path to the proxy, and a host to the browser (K08).
                Again::Same => ReturnTo::parse(target, &self.settings.public_origin).as_str().to_owned(),
            });
        }
        let problem = if is_document(parts) {
            // Its body would be lost on the way through the refresh.
            late("The page was open for too long. Go back, load it again, and send the form once more.")
        } else {
            late("Refresh the session with POST /auth/refresh, then try again.")
        };
        self.refuse(*Refusal::plain(problem), shape, client)
    }
}

/// Where a page load goes.
#[derive(Clone, Copy)]
enum Again {
    /// By way of a refresh.
    Refreshed,
    /// Straight there: nothing stands in its way any more.
    Same,
}

/// A load that a redirect can take elsewhere and back: of a document, or within a frame of one.
fn is_page_load(parts: &Parts) -> bool {
    let navigates = single(&parts.headers, "sec-fetch-mode") == Some("navigate");
    let page = is_document(parts) || (navigates && accepts_html(&parts.headers));
    page && matches!(parts.method, Method::GET | Method::HEAD)
}

/// `Authorization` that is the application's own: of another scheme, or on an open route a token that is none of ours.
fn other_authorization(asked: &HeaderMap, passed: &Passed) -> Option<HeaderValue> {
    let token = matches!(credentials::authorization(asked), credentials::Authorization::Token(_));
    if token && passed.principal.is_some() {
        return None;
    }
    let mut own = HeaderMap::new();
    for value in asked.get_all(AUTHORIZATION) {
        own.append(AUTHORIZATION, value.clone());
    }
    credentials::withhold(&mut own);
    let mut values = own.get_all(AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => {
            let mut value = value.clone();
            value.set_sensitive(true);
            Some(value)
        }
        _ => None,
    }
}

/// Proxies understand 401 and 403 as "no", and other refusals as faults of ours.
fn for_proxy(refusal: Refusal) -> Refusal {
    let forbidden = |problem: Problem| match problem.status {
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::MISDIRECTED_REQUEST => {
            problem.status(StatusCode::FORBIDDEN)
        }
        _ => problem,
    };
    match refusal {
        Refusal::Bounce => Refusal::Bounce,
        Refusal::Problem(problem, rotated) => Refusal::Problem(forbidden(problem), rotated),
        Refusal::Plain(problem) => Refusal::Plain(forbidden(problem)),
    }
}
