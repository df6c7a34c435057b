//! The way back: cleaning an upstream's answer, handing out rotated cookies, refusing.

use std::sync::Arc;

use countersign_core::domain::base62;
use countersign_core::domain::cookie::{BOUNCED_TTL, CookieKind, FAREWELL_TTL};
use countersign_core::domain::return_to::LONGEST_RETURN_TO;
use countersign_core::domain::route::{RouteAuth, RouteCors, RouteRule};
use countersign_core::port::Outside;
use countersign_core::service::{Opened, RotateOutcome};
use countersign_proxy::ProxyBody;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, ORIGIN,
    STRICT_TRANSPORT_SECURITY,
};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::{Admitted, METHODS, cors};
use crate::pages::{self, Bounce, ErrorPage, Shell, Template};
use crate::site::Site;
use crate::wire::body::{Answer, AnswerBody};
use crate::wire::problem::{Code, Problem};
use crate::wire::request::{Client, accepts_html, is_document, single};
use crate::wire::{cookie, headers};

/// Our own sign-in page.
const SIGN_IN: &str = "/auth/login";

/// What a refusal needs to know of its request.
pub(crate) struct Shape {
    document: bool,
    html: bool,
    get: bool,
    target: String,
    origin: Option<String>,
    cookies: bool,
}

impl Shape {
    pub(crate) fn of(parts: &Parts) -> Self {
        let document = is_document(parts);
        Self {
            document,
            html: accepts_html(&parts.headers),
            get: matches!(parts.method, Method::GET | Method::HEAD),
            // Only a page load is sent back to where it wanted to go.
            target: if document {
                parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default()
            } else {
                String::new()
            },
            origin: single(&parts.headers, ORIGIN).map(str::to_owned),
            cookies: parts.headers.contains_key(http::header::COOKIE),
        }
    }
}

/// Why a request does not pass.
pub(crate) enum Refusal {
    /// Ask again from our own page.
    Bounce,
    /// A problem, and the tokens that were handed over before it came up.
    Problem(Problem, Option<Arc<RotateOutcome>>),
    /// A problem that signing in would not mend: said as it is to documents too.
    Plain(Problem),
}

impl Refusal {
    /// A problem after a rotation: the client must get its cookies all the same.
    pub(crate) fn after(problem: Problem, rotated: Option<Arc<RotateOutcome>>) -> Box<Self> {
        Box::new(Self::Problem(problem, rotated))
    }

    /// A problem of a bearer token, or of cookies that somebody planted: a redirect would hide it, and lead back here.
    pub(crate) fn plain(problem: Problem) -> Box<Self> {
        Box::new(Self::Plain(problem))
    }
}

impl From<Problem> for Box<Refusal> {
    fn from(problem: Problem) -> Self {
        Box::new(Refusal::Problem(problem, None))
    }
}

/// What must not break out of a query value in `Location`.
const QUERY_VALUE: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'&')
    .add(b'+')
    .add(b'%')
    .add(b'=')
    .add(b'?');

/// `login_url?return_to=…`.
pub(crate) fn login_location(login_url: &str, target: &str) -> String {
    // One that is too long is not gone back to, and would only be carried along.
    if target.is_empty() || target == "/" || target.len() > LONGEST_RETURN_TO {
        return login_url.to_owned();
    }
    with_return_to(login_url, target)
}

fn with_return_to(login_url: &str, target: &str) -> String {
    let mark = if login_url.contains('?') { '&' } else { '?' };
    format!("{login_url}{mark}return_to={}", utf8_percent_encode(target, QUERY_VALUE))
}

impl<O: Outside> Site<O> {
    /// Takes out of an upstream's answer what only we may say, and adds rotated cookies, or those of a session that it handed over.
    pub(super) fn clean_answer(
        &self,
        answer: &mut Response<ProxyBody>,
        rule: &RouteRule,
        admitted: &Admitted,
        taken: Option<&Opened>,
        shape: &Shape,
    ) {
        let out = answer.headers_mut();
        cookie::strip_set_cookie(out, &self.settings.cookies);
        strip_ours(out);
        keep_cookies(out);
        // Ours where it is hardened; in development an upstream's would catch every port of localhost (J02).
        out.remove(STRICT_TRANSPORT_SECURITY);
        if rule.cors == RouteCors::Countersign {
            cors::mark(out, shape.origin.as_deref(), &self.settings);
        }
        if rule.auth == RouteAuth::None {
            return;
        }
        let sets = match taken {
            // It takes the place of whatever session the browser held.
            Some(opened) => {
                self.set_session_cookies(out, &opened.tokens, &opened.view);
                true
            }
            None => admitted.rotated.as_ref().is_some_and(|rotated| self.hand_out(out, rotated)),
        };
        if sets || admitted.principal.is_some() || admitted.read_session {
            headers::unshare(out, sets);
        }
        // Who is asked for depends on these (C11); a cache must not serve one's page to the other.
        headers::vary(out, "Cookie, Sec-Fetch-Site, Origin");
    }

    /// Sets the cookies of a rotation, if the answer still leaves in time and the session lives; otherwise the answer counts as
    /// lost, so that a slow upload never sets a jar back (design §5 "Inline").
    pub(crate) fn hand_out(&self, out: &mut HeaderMap, rotated: &RotateOutcome) -> bool {
        let policy = self.engine.policy();
        let in_time = self.engine.now().since(rotated.decided_at) <= policy.rotation.window();
        if !in_time || !self.engine.still_stands(&rotated.principal) {
            return false;
        }
        self.set_session_cookies(out, &rotated.tokens, &rotated.view);
        true
    }

    /// Refuses: a bounce, a redirect to sign in, a page or a problem.
    pub(crate) fn refuse(&self, refusal: Refusal, shape: &Shape, client: &Client) -> Answer {
        let (problem, rotated, plain) = match refusal {
            Refusal::Bounce => return self.bounce(client),
            Refusal::Problem(problem, rotated) => (problem, rotated, false),
            Refusal::Plain(problem) => (problem, None, true),
        };
        let to_login = problem.status == StatusCode::UNAUTHORIZED && shape.document && !plain;
        let mut answer = if to_login {
            let target = if shape.get { shape.target.as_str() } else { "" };
            if problem.code == Code::StepUpRequired {
                // To somebody signed in, the sign-in page shows itself only if it is told where to go on.
                let target = if target.is_empty() { "/" } else { target };
                see_other(&with_return_to(&self.settings.login_url, target))
            } else {
                self.to_login(target)
            }
        } else if shape.html && shape.document {
            self.error_page(&problem, client)
        } else {
            problem.clone().into_answer(&client.request)
        };
        if let Some(rotated) = rotated {
            self.hand_out(answer.headers_mut(), &rotated);
        } else if to_login && shape.cookies && shape.get {
            self.clear_if_long_dead(answer.headers_mut(), &problem);
        }
        if problem.status == StatusCode::METHOD_NOT_ALLOWED {
            // Methods that reach an upstream; it may refuse some.
            if let Ok(supported) = HeaderValue::try_from(METHODS.join(", ")) {
                answer.headers_mut().insert(ALLOW, supported);
            }
        }
        headers::own(answer.headers_mut());
        cors::mark(answer.headers_mut(), shape.origin.as_deref(), &self.settings);
        answer
    }

    /// The four cookies go only when their session ended more than `reuse_grace` ago and no login took its place (design §4): a
    /// late answer of an old session must never take a new one's cookies away. Our sign-in page still can say what became of it.
    pub(crate) fn clear_if_long_dead(&self, out: &mut HeaderMap, problem: &Problem) {
        if let Some(ended) = problem.ended
            && !ended.replaced
            && self.engine.now().since(ended.at) > self.engine.policy().rotation.window()
        {
            let cookies = &self.settings.cookies;
            cookie::clear_session(out, cookies);
            if self.settings.login_url == SIGN_IN
                && let Some(farewell) = ended.sid.and_then(|sid| self.engine.farewell(sid))
            {
                cookie::set(out, cookies, CookieKind::Farewell, farewell.expose(), FAREWELL_TTL);
            }
        }
    }

    /// 303 to the sign-in page.
    pub(crate) fn to_login(&self, target: &str) -> Answer {
        see_other(&login_location(&self.settings.login_url, target))
    }

    pub(crate) fn bounce(&self, client: &Client) -> Answer {
        let nonce = self.nonce();
        let shell = Shell {
            nonce: &nonce,
            request_id: client.request.as_str(),
            product: &self.settings.product,
            signed_in_email: None,
        };
        let mut answer = html(StatusCode::UNAUTHORIZED, &Bounce { shell }, &nonce);
        cookie::set(answer.headers_mut(), &self.settings.cookies, CookieKind::Bounced, "1", BOUNCED_TTL);
        headers::own(answer.headers_mut());
        answer
    }

    pub(crate) fn error_page(&self, problem: &Problem, client: &Client) -> Answer {
        let nonce = self.nonce();
        let shell = Shell {
            nonce: &nonce,
            request_id: client.request.as_str(),
            product: &self.settings.product,
            signed_in_email: None,
        };
        let mut answer = if problem.code == Code::NotFound {
            html(problem.status, &pages::NotFound { shell }, &nonce)
        } else {
            let page = ErrorPage {
                shell,
                status: problem.status.as_u16(),
                title: problem.code.title(),
                happened: &problem.detail,
                remedy: remedy(problem.status),
                action: Some(pages::Link { href: "/", label: "Back to the start page" }),
            };
            html(problem.status, &page, &nonce)
        };
        let kind = answer.headers().get(CONTENT_TYPE).cloned();
        problem.dress(&mut answer);
        if let Some(kind) = kind {
            answer.headers_mut().insert(CONTENT_TYPE, kind);
        }
        answer
    }

    /// A fresh nonce for one page's policy.
    pub(crate) fn nonce(&self) -> String {
        base62::encode(&self.engine.random16(), 22)
    }
}

/// Renders a page under its policy.
pub(crate) fn html(status: StatusCode, page: &impl Template, nonce: &str) -> Answer {
    let text = page.render().unwrap_or_else(|error| {
        tracing::error!(%error, "a page could not be rendered");
        String::from("Something went wrong. Please try again.")
    });
    let mut answer = Response::new(AnswerBody::from(text));
    *answer.status_mut() = status;
    let out = answer.headers_mut();
    out.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    out.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(policy) = HeaderValue::try_from(pages::policy(nonce)) {
        out.insert(HeaderName::from_static("content-security-policy"), policy);
    }
    answer
}

/// 303 with a location that we made.
pub(crate) fn see_other(location: &str) -> Answer {
    let mut answer = Response::new(AnswerBody::empty());
    *answer.status_mut() = StatusCode::SEE_OTHER;
    let out = answer.headers_mut();
    out.insert(LOCATION, HeaderValue::try_from(location).unwrap_or(HeaderValue::from_static("/")));
    out.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// What a person can do about it.
fn remedy(status: StatusCode) -> &'static str {
    match status.as_u16() {
        500.. => "Try again in a moment. If it stays, tell whoever runs this site the request id below.",
        429 => "If waiting does not help, tell whoever runs this site the request id below.",
        _ => "If you think this is wrong, tell whoever runs this site the request id below.",
    }
}

/// `Clear-Site-Data` of an upstream may not clear our cookies: only a logout does (design §4).
fn keep_cookies(out: &mut HeaderMap) {
    const NAME: HeaderName = HeaderName::from_static("clear-site-data");
    let kept: Vec<String> = out
        .get_all(&NAME)
        .iter()
        .flat_map(|v| v.to_str().unwrap_or_default().split(','))
        .map(str::trim)
        .filter(|kind| {
            ["\"cache\"", "\"executionContexts\"", "\"clientHints\"", "\"storage\""].contains(kind)
        })
        .map(str::to_owned)
        .collect();
    out.remove(&NAME);
    if !kept.is_empty()
        && let Ok(value) = HeaderValue::try_from(kept.join(", "))
    {
        out.insert(NAME, value);
    }
}

/// Headers by which only we speak to browsers and upstreams.
fn strip_ours(out: &mut HeaderMap) {
    let doomed: Vec<HeaderName> = out
        .keys()
        .filter(|name| {
            let name = name.as_str();
            name.starts_with("countersign-") || name.starts_with("secure-session-")
        })
        .cloned()
        .collect();
    for name in doomed {
        out.remove(name);
    }
}
