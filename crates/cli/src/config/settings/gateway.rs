//! Upstreams and routes (design §7).

use super::{Limits, Retrofit};
use crate::config::problem::Problem;
use crate::config::typed;
use crate::config::value::{
    Auth, Cors, Csrf, HeaderName, HostHeader, IdentityNames, PathPattern, UpstreamCsrf, UpstreamName,
    UpstreamUrl,
};
use countersign_core::domain::api_key::ApiKeyId;
use std::cmp::Reverse;
use std::time::Duration;
use url::Url;

/// `[[upstream]]`: an application behind the gateway.
#[derive(Debug)]
pub(crate) struct Upstream {
    /// Unique; the audience of its assertions.
    pub(crate) name: String,
    /// `http://host:port`.
    pub(crate) url: Url,
    /// The check of its routes that say nothing; never `Off`.
    pub(crate) csrf: Csrf,
    /// The `Host` it sees.
    pub(crate) host: HostHeader,
    /// Headers that carry identity beside `X-Auth-*`, in lower case.
    pub(crate) identity_headers: IdentityHeaders,
    /// Upstreams that its assertions are good for too.
    pub(crate) forwards_to: Vec<String>,
    /// API keys with which it opens sessions that it hands over on its answers.
    pub(crate) session_keys: Vec<ApiKeyId>,
    /// Connections to it at a time.
    pub(crate) max_connections: u32,
    /// Requests that may wait for one.
    pub(crate) queue: u32,
    /// How long they wait.
    pub(crate) queue_timeout: Duration,
    /// For a connection to open.
    pub(crate) connect_timeout: Duration,
    /// Whether a connection serves another request after one with a body.
    pub(crate) reuse_after_body: bool,
    /// For its first response byte; `None` is unlimited.
    pub(crate) first_byte: Option<Duration>,
    /// Between bytes of a body; `None` is unlimited.
    pub(crate) between_bytes: Option<Duration>,
}

/// Names of headers for one upstream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct IdentityHeaders {
    /// The opaque subject.
    pub(crate) user: Option<String>,
    /// The verified address.
    pub(crate) email: Option<String>,
    /// The session's public id.
    pub(crate) session: Option<String>,
    /// Scopes, separated by spaces.
    pub(crate) scopes: Option<String>,
}

/// `[[route]]`: a rule for a path.
#[derive(Debug)]
pub(crate) struct Route {
    /// Unique.
    pub(crate) path: PathPattern,
    /// Name of an upstream that exists.
    pub(crate) upstream: String,
    /// Who may pass.
    pub(crate) auth: Auth,
    /// The check of unsafe methods.
    pub(crate) csrf: Csrf,
    /// Who answers preflights.
    pub(crate) cors: Cors,
    /// Whether links from other sites are bounced in (design §4).
    pub(crate) bounce: bool,
    /// Scopes that a principal must have, all of them.
    pub(crate) scope: Vec<String>,
    /// The login must be younger than this (D13).
    pub(crate) max_auth_age: Option<Duration>,
    /// For the first response byte; `None` is unlimited.
    pub(crate) first_byte: Option<Duration>,
    /// Between bytes of a body; `None` is unlimited.
    pub(crate) between_bytes: Option<Duration>,
    /// Hands out or ends the upstream's own tokens.
    pub(crate) tokens: bool,
}

pub(super) fn upstreams(
    typed: Vec<typed::Upstream>,
    limits: &Limits,
    problems: &mut Vec<Problem>,
) -> Vec<Upstream> {
    let mut upstreams: Vec<Upstream> = Vec::new();
    for entry in typed {
        // What is missing or malformed was reported when it was read.
        let (Some(UpstreamName(name)), Some(UpstreamUrl(url))) = (entry.name, entry.url) else { continue };
        let label = format!("upstream[{name}]");
        if url.scheme() != "http" {
            let message = "upstreams are reached over plain HTTP/1.1 in this version";
            let remedy = "write http://, such as \"http://localhost:3000\", and keep the way to the application private (loopback, a private network, a tunnel)";
            problems.push(Problem::with_value(
                &format!("{label}.url"),
                &format!("{:?}", url.as_str()),
                message,
                remedy,
            ));
        }
        if upstreams.iter().any(|other| other.name == name) {
            let message = "another upstream has this name";
            problems.push(Problem::with_value(
                &format!("{label}.name"),
                &format!("{name:?}"),
                message,
                &format!("give each its own, such as \"{name}2\""),
            ));
        }
        let max_connections = entry.max_connections.unwrap_or(1024);
        if max_connections == 0 {
            let key = format!("{label}.max_connections");
            problems.push(Problem::with_value(
                &key,
                "0",
                "nothing would reach this upstream",
                "set 1 or more",
            ));
        }
        for (key, span) in
            [("queue_timeout", entry.queue_timeout), ("connect_timeout", entry.connect_timeout)]
        {
            if span.is_some_and(|span| span.is_zero()) {
                let key = format!("{label}.{key}");
                problems.push(Problem::with_value(
                    &key,
                    "\"0s\"",
                    "every request would fail at once",
                    "set 5s",
                ));
            }
        }
        upstreams.push(Upstream {
            identity_headers: identity(entry.identity_headers.unwrap_or_default(), &label, problems),
            name,
            url,
            csrf: entry.csrf.unwrap_or(UpstreamCsrf::Origin).into(),
            host: entry.host.unwrap_or(HostHeader::Preserve),
            forwards_to: entry.forwards_to.unwrap_or_default().into_iter().map(|name| name.0).collect(),
            session_keys: entry.session_keys.unwrap_or_default(),
            max_connections,
            queue: entry.queue.unwrap_or(1024),
            queue_timeout: entry.queue_timeout.unwrap_or(Duration::from_secs(5)),
            connect_timeout: entry.connect_timeout.unwrap_or(Duration::from_secs(5)),
            reuse_after_body: entry.reuse_after_body.unwrap_or(true),
            first_byte: entry.first_byte.map_or(limits.first_byte, |limit| limit.0),
            between_bytes: entry.between_bytes.map_or(limits.between_bytes, |limit| limit.0),
        });
    }
    upstreams
}

/// Reports names in `forwards_to` that are no other upstream's.
pub(super) fn check_forwarding(upstreams: &[Upstream], problems: &mut Vec<Problem>) {
    for upstream in upstreams {
        for target in &upstream.forwards_to {
            if *target == upstream.name || upstreams.iter().all(|other| other.name != *target) {
                let key = format!("upstream[{}].forwards_to", upstream.name);
                let message = "this names no other upstream";
                problems.push(Problem::with_value(&key, &format!("{target:?}"), message, &known(upstreams)));
            }
        }
    }
}

/// Headers that carry framing, credentials, or what the gateway itself asserts: identity in one of them would
/// break requests or overwrite a protection.
const NOT_FOR_IDENTITY: &[&str] = &[
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "countersign-assertion",
    "dpop",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "origin",
    "range",
    "referer",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-real-ip",
];

fn identity(typed: IdentityNames, label: &str, problems: &mut Vec<Problem>) -> IdentityHeaders {
    let key = format!("{label}.identity_headers");
    let mut seen = Vec::new();
    let mut take = |name: Option<HeaderName>| {
        let name = name?.0;
        // Servers of the CGI family read `x_user` and `x-user` as one header (K01).
        let folded = name.replace('_', "-");
        let value = format!("{name:?}");
        if NOT_FOR_IDENTITY.contains(&folded.as_str())
            || ["sec-", "proxy-"].iter().any(|family| folded.starts_with(family))
        {
            let message = "this header has a meaning of its own";
            problems.push(Problem::with_value(
                &key,
                &value,
                message,
                "take a name such as \"X-Remote-User\"",
            ));
        }
        if seen.contains(&folded) {
            problems.push(Problem::with_value(
                &key,
                &value,
                "two values would share this header",
                "give each its own",
            ));
        }
        seen.push(folded);
        Some(name)
    };
    IdentityHeaders {
        user: take(typed.user),
        email: take(typed.email),
        session: take(typed.session),
        scopes: take(typed.scopes),
    }
}

pub(super) fn routes(
    typed: Vec<typed::Route>,
    upstreams: &[Upstream],
    retrofits: &[Retrofit],
    problems: &mut Vec<Problem>,
) -> Vec<Route> {
    let mut routes: Vec<Route> = Vec::new();
    for entry in typed {
        let Some(path) = entry.path.clone() else { continue };
        let key = format!("route[{path}]");
        let value = format!("\"{path}\"");
        if path.is_reserved() {
            let message = "this path is answered by Countersign itself, before any route";
            problems.push(Problem::with_value(&format!("{key}.path"), &value, message, "take another path"));
        }
        if routes.iter().any(|other| other.path == path) {
            let message = "another route has this path, and only one can win";
            let remedy = "keep one [[route]] for this path, with the keys of both";
            problems.push(Problem::with_value(&format!("{key}.path"), &value, message, remedy));
        }
        if let Some(upstream) = resolve(entry.upstream.as_ref(), upstreams, &key, problems) {
            routes.push(route(path, entry, upstream, default_auth(upstream, retrofits)));
        }
    }
    if let [only] = upstreams
        && routes.iter().all(|route| route.path != PathPattern::Prefix("/".into()))
    {
        routes.push(default_route(only, default_auth(only, retrofits)));
    }
    routes.sort_by_key(|route| Reverse(route.path.specificity()));
    routes
}

pub(super) fn resolve<'a>(
    typed: Option<&UpstreamName>,
    upstreams: &'a [Upstream],
    key: &str,
    problems: &mut Vec<Problem>,
) -> Option<&'a Upstream> {
    let key = format!("{key}.upstream");
    let Some(UpstreamName(name)) = typed else {
        if let [only] = upstreams {
            return Some(only);
        }
        let problem = Problem::without_value(
            &key,
            "this is missing, and there is not exactly one upstream",
            &known(upstreams),
        );
        problems.push(problem);
        return None;
    };
    let found = upstreams.iter().find(|upstream| upstream.name == *name);
    if found.is_none() {
        let message = "no upstream has this name";
        problems.push(Problem::with_value(&key, &format!("{name:?}"), message, &known(upstreams)));
    }
    found
}

fn known(upstreams: &[Upstream]) -> String {
    let names: Vec<_> = upstreams.iter().map(|upstream| format!("{:?}", upstream.name)).collect();
    match names.as_slice() {
        [] => "add an [[upstream]] with a name and a url".into(),
        names => format!("name one of these: {}", names.join(", ")),
    }
}

/// An application with a login of its own shows it to everybody (design §7 "Retrofit").
fn default_auth(upstream: &Upstream, retrofits: &[Retrofit]) -> Auth {
    if retrofits.iter().any(|retrofit| retrofit.upstream == upstream.name) {
        Auth::Optional
    } else {
        Auth::Required
    }
}

fn route(path: PathPattern, typed: typed::Route, upstream: &Upstream, default: Auth) -> Route {
    let auth = typed.auth.unwrap_or(default);
    // Without identity there is no session that a token could be bound to; the origin check still holds.
    let csrf = if auth == Auth::None { Csrf::Origin } else { upstream.csrf };
    Route {
        upstream: upstream.name.clone(),
        auth,
        csrf: typed.csrf.unwrap_or(csrf),
        cors: typed.cors.unwrap_or(Cors::Countersign),
        bounce: typed.bounce.unwrap_or(auth != Auth::None && !path.is_api()),
        scope: typed.scope.unwrap_or_default().into_iter().map(|scope| scope.0).collect(),
        max_auth_age: typed.max_auth_age,
        first_byte: typed.first_byte.map_or(upstream.first_byte, |limit| limit.0),
        between_bytes: typed.between_bytes.map_or(upstream.between_bytes, |limit| limit.0),
        tokens: false,
        path,
    }
}

fn default_route(upstream: &Upstream, auth: Auth) -> Route {
    Route {
        path: PathPattern::Prefix("/".into()),
        upstream: upstream.name.clone(),
        auth,
        csrf: upstream.csrf,
        cors: Cors::Countersign,
        bounce: true,
        scope: Vec::new(),
        max_auth_age: None,
        first_byte: upstream.first_byte,
        between_bytes: upstream.between_bytes,
        tokens: false,
    }
}
