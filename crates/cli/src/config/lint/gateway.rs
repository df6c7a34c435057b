//! Upstreams and routes (design §4 "Bounce", §7; C01, C07).

use super::quoted;
use crate::config::finding::Findings;
use crate::config::{Auth, Csrf, PathPattern, Route, Settings, Upstream};
use std::net::{IpAddr, SocketAddr};
use url::{Host, Url};

pub(super) fn lint(settings: &Settings, found: &mut Findings) {
    for upstream in &settings.upstreams {
        way_to(upstream, settings, found);
    }
    for route in &settings.routes {
        let key = |name: &str| format!("route[{}].{name}", route.path);
        csrf(route, &key, found);
        authority(route, &key, settings, found);
        if route.bounce && route.path.is_api() {
            let message = "programs that call this path get a page that reloads, instead of a 401 problem";
            found.note(&key("bounce"), true, message, "remove it, unless people open this path from links");
        }
    }
    login_page(settings, found);
    super::retrofit::lint(settings, found);
    if settings.upstreams.len() > 1 && settings.routes.iter().all(|route| !is_everything(&route.path)) {
        let message = "paths that no route names are answered 404";
        let paths = paths(settings.routes.iter());
        found.note("route", paths, message, "add a route for \"/*\", if one upstream serves the rest");
    }
    let signed_in: Vec<_> = settings.routes.iter().filter(|route| route.auth != Auth::None).collect();
    if !signed_in.is_empty() {
        let message = "a link on another site can make a browser send a GET with the session's identity: GETs must not change state";
        found.note(
            "route",
            paths(signed_in.into_iter()),
            message,
            "make sure that your application changes things on POST, PUT, PATCH and DELETE only",
        );
    }
}

/// As many as can be taken in.
const SHOWN: usize = 6;

/// Which routes are meant: a number would tell nobody.
fn paths<'a>(routes: impl ExactSizeIterator<Item = &'a Route>) -> String {
    let more = routes.len().saturating_sub(SHOWN);
    let mut shown: Vec<_> = routes.take(SHOWN).map(|route| format!("\"{}\"", route.path)).collect();
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    format!("[{}]", shown.join(", "))
}

fn csrf(route: &Route, key: &dyn Fn(&str) -> String, found: &mut Findings) {
    match (route.csrf, route.auth) {
        (Csrf::Off, Auth::Required | Auth::Optional) => {
            let message = "every site could act with the user's session here";
            found.refuse(
                &key("csrf"),
                route.csrf,
                message,
                "set auth = \"none\" for webhooks, or csrf = \"origin\"",
            );
        }
        (Csrf::Token, Auth::None) => {
            let message = "there is no session that the token could belong to: every change would be refused";
            found.refuse(
                &key("csrf"),
                route.csrf,
                message,
                "set csrf = \"origin\" or \"off\", or auth = \"required\"",
            );
        }
        (Csrf::Off, Auth::None) if matches!(route.path, PathPattern::Prefix(_)) => {
            let message = "everything below this path is exempt, today's pages and tomorrow's";
            found.warn(&key("csrf"), route.csrf, message, "name each webhook by its exact path");
        }
        _ => {}
    }
}

fn authority(route: &Route, key: &dyn Fn(&str) -> String, settings: &Settings, found: &mut Findings) {
    if route.auth != Auth::Required {
        let remedy = "set auth = \"required\", or remove it";
        if !route.scope.is_empty() {
            let message =
                "scopes are asked of signed-in requests only: without auth = \"required\" anybody passes";
            found.refuse(&key("scope"), format!("{:?}", route.scope), message, remedy);
        }
        if let Some(age) = route.max_auth_age {
            let message = "a recent login is asked of signed-in requests only: without auth = \"required\" anybody passes";
            found.refuse(&key("max_auth_age"), quoted(age), message, remedy);
        }
    }
    if let Some(age) = route.max_auth_age {
        if age.is_zero() {
            found.refuse(&key("max_auth_age"), quoted(age), "no login is ever recent enough", "set 10m");
        } else if age > settings.tokens.absolute_ttl {
            let message = "no session gets this old: tokens.absolute_ttl comes first";
            found.note(&key("max_auth_age"), quoted(age), message, "set a shorter time, or remove it");
        }
    }
    if route.auth == Auth::None {
        if route.bounce {
            let message = "nothing is bounced where cookies are not read";
            found.warn(&key("bounce"), true, message, "remove it");
        }
        if is_everything(&route.path) {
            let message = "everything that no other route names is open to anybody";
            found.warn(
                &key("auth"),
                route.auth,
                message,
                "set \"optional\" or \"required\", and \"none\" on what is public",
            );
        }
    }
}

/// A sign-in page that asks for a sign-in sends browsers round in circles.
fn login_page(settings: &Settings, found: &mut Findings) {
    let url = &settings.accounts.login_url;
    let path = url.split('?').next().unwrap_or_default();
    if path == "/auth/login" {
        return;
    }
    let key = "accounts.login_url";
    if path == "/auth" || path.starts_with("/auth/") {
        let message = "no sign-in page of ours is there: browsers would go round in circles, or nowhere";
        found.refuse(
            key,
            format!("{url:?}"),
            message,
            "take \"/auth/login\", or a page of the application's",
        );
        return;
    }
    // Routes are sorted, most specific first.
    match settings.routes.iter().find(|route| route.path.matches(path)) {
        Some(route) if route.auth == Auth::Required => {
            let message = format!(
                "this page itself asks for a login (route {}): browsers would go round in circles",
                route.path
            );
            found.refuse(
                key,
                format!("{url:?}"),
                &message,
                &format!("add a [[route]] with path = {path:?} and auth = \"none\" or \"optional\""),
            );
        }
        Some(_) => {}
        None => {
            let message = "no route leads to this page";
            found.refuse(key, format!("{url:?}"), message, "take \"/auth/login\", or add a route for it");
        }
    }
}

fn way_to(upstream: &Upstream, settings: &Settings, found: &mut Findings) {
    let key = format!("upstream[{}].url", upstream.name);
    let value = format!("\"{}\"", upstream.url.origin().ascii_serialization());
    let leads_to = |listen: SocketAddr| {
        let host = match address(&upstream.url) {
            Some(host) => host == listen.ip() || host.is_loopback() && listen.ip().is_unspecified(),
            None => {
                upstream.url.domain() == Some("localhost")
                    && (listen.ip().is_loopback() || listen.ip().is_unspecified())
            }
        };
        host && upstream.url.port_or_known_default() == Some(listen.port())
    };
    if leads_to(settings.listen.admin) {
        let message = "this is Countersign's own admin listener: whoever signs in would read its metrics";
        found.refuse(&key, value, message, "name the application's own address");
    } else if leads_to(settings.listen.address) {
        let message = "this is Countersign's own listener: requests would go round in circles";
        found.refuse(
            &key,
            value,
            message,
            "name the application's own address, and take another port for one of the two",
        );
    } else if settings.environment.is_hardened() && address(&upstream.url).is_some_and(is_public) {
        let message = "identity and answers cross a public network in clear text";
        found.warn(&key, value, message, "keep the application on loopback, a private network or a tunnel");
    }
}

fn address(url: &Url) -> Option<IpAddr> {
    match url.host() {
        Some(Host::Ipv4(address)) => Some(address.into()),
        Some(Host::Ipv6(address)) => Some(IpAddr::from(address).to_canonical()),
        _ => None,
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !(v4.is_loopback() || v4.is_private() || v4.is_link_local() || v4.is_unspecified()),
        IpAddr::V6(v6) => {
            !(v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_unspecified())
        }
    }
}

fn is_everything(path: &PathPattern) -> bool {
    matches!(path, PathPattern::Prefix(prefix) if prefix == "/")
}
