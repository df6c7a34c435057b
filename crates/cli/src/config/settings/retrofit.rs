//! Upstreams that keep their own login (design §7 "Retrofit").

use super::gateway::{self, Route, Upstream};
use crate::config::problem::Problem;
use crate::config::typed;
use crate::config::value::{Auth, Cors, Csrf, PathPattern};
use countersign_core::domain::retrofit::{
    BODY_LIMIT, Injection, PLACEHOLDER_CLAIMS, RefreshCall, TokenLocation,
};
use std::cmp::Reverse;

/// `[[retrofit]]`
#[derive(Debug)]
pub(crate) struct Retrofit {
    /// Name of an upstream that exists; each has one at most.
    pub(crate) upstream: String,
    /// The rules.
    pub(crate) rules: countersign_core::domain::retrofit::Retrofit,
}

pub(super) fn retrofits(
    typed: Vec<typed::Retrofit>,
    upstreams: &[Upstream],
    problems: &mut Vec<Problem>,
) -> Vec<Retrofit> {
    let mut retrofits: Vec<Retrofit> = Vec::new();
    for (index, entry) in typed.into_iter().enumerate() {
        let label = entry.upstream.as_ref().map_or_else(|| format!("#{}", index + 1), |name| name.0.clone());
        let key = format!("retrofit[{label}]");
        let Some(upstream) = gateway::resolve(entry.upstream.as_ref(), upstreams, &key, problems) else {
            continue;
        };
        if retrofits.iter().any(|other| other.upstream == upstream.name) {
            let message = "another [[retrofit]] has this upstream";
            let remedy = "merge the two: `login` and `logout` are lists";
            let value = format!("{:?}", upstream.name);
            problems.push(Problem::with_value(&format!("{key}.upstream"), &value, message, remedy));
            continue;
        }
        if let Some(rules) = rules(entry, &key, problems) {
            retrofits.push(Retrofit { upstream: upstream.name.clone(), rules });
        }
    }
    retrofits
}

fn rules(
    entry: typed::Retrofit,
    key: &str,
    problems: &mut Vec<Problem>,
) -> Option<countersign_core::domain::retrofit::Retrofit> {
    // What is missing or malformed was reported when it was read.
    let login = entry.login?;
    if login.is_empty() {
        let message = "no request brings a token, so nobody could sign in";
        let remedy = "name the upstream's log-in, such as [\"POST /api/login\"]";
        problems.push(Problem::with_value(&format!("{key}.login"), "[]", message, remedy));
    }
    let logout = entry.logout.unwrap_or_default();
    let refresh_line = entry.refresh.as_ref().map(|refresh| &refresh.request);
    let mut seen = Vec::new();
    for (name, line) in login
        .iter()
        .map(|line| ("login", line))
        .chain(logout.iter().map(|line| ("logout", line)))
        .chain(refresh_line.map(|line| ("refresh", line)))
    {
        if seen.contains(&line) {
            let message = "this request is named twice, and what its answer means would be a guess";
            let value = format!("\"{line}\"");
            problems.push(Problem::with_value(&format!("{key}.{name}"), &value, message, "name it once"));
        }
        seen.push(line);
    }
    if let Some(limit) = entry.body_limit
        && limit < 1024
    {
        let message = "no answer with a token is as short";
        let name = format!("{key}.body_limit");
        problems.push(Problem::with_value(&name, &limit.to_string(), message, "set 1048576, in bytes"));
    }
    let token = match entry.token {
        Some(token) => token,
        None => TokenLocation::parse("json:/token").ok()?,
    };
    let refresh = entry.refresh.map(|refresh| RefreshCall {
        send: refresh.send.or_else(|| refresh.token.clone()),
        answer: refresh.answer.unwrap_or_else(|| token.clone()),
        token: refresh.token,
        request: refresh.request,
    });
    if let Some(own) = refresh.as_ref().and_then(|refresh| refresh.token.as_ref())
        && *own == token
    {
        let message = "this is where the token itself is";
        let remedy = "name the place of the refresh token, or leave it out if there is none";
        let value = format!("\"{own}\"");
        problems.push(Problem::with_value(&format!("{key}.refresh"), &value, message, remedy));
    }
    let claims = entry.placeholder_claims.unwrap_or_else(|| PLACEHOLDER_CLAIMS.map(str::to_owned).to_vec());
    Some(countersign_core::domain::retrofit::Retrofit {
        login,
        logout,
        inject: entry.inject.unwrap_or_else(|| Injection::default_for(&token)),
        token,
        subject: entry.subject,
        placeholder_claims: claims.into_iter().map(Into::into).collect(),
        refresh,
        end_on_401: entry.end_on_401.unwrap_or(false),
        body_limit: entry.body_limit.map_or(BODY_LIMIT, |limit| usize::try_from(limit).unwrap_or(BODY_LIMIT)),
    })
}

/// Gives each token path a route of its own: anybody may ask there, and every spelling of the path leads to it (C07).
pub(super) fn add_routes(
    retrofits: &[Retrofit],
    upstreams: &[Upstream],
    routes: &mut Vec<Route>,
    problems: &mut Vec<Problem>,
) {
    for retrofit in retrofits {
        let Some(upstream) = upstreams.iter().find(|upstream| upstream.name == retrofit.upstream) else {
            continue;
        };
        for line in retrofit.rules.lines() {
            let key = format!("retrofit[{}]", retrofit.upstream);
            let value = format!("\"{line}\"");
            let path = PathPattern::Exact(line.path().to_owned());
            if path.is_reserved() {
                let message = "this path is answered by Countersign itself, before any route";
                problems.push(Problem::with_value(&key, &value, message, "take another path"));
                continue;
            }
            // Routes are sorted, most specific first.
            let found = routes.iter().find(|route| route.path.matches(line.path()));
            if let Some(other) = found.filter(|route| route.upstream != retrofit.upstream) {
                let message = format!("the route {} sends this to {:?}", other.path, other.upstream);
                let remedy = "change that route, or name its upstream here";
                problems.push(Problem::with_value(&key, &value, &message, remedy));
                continue;
            }
            let times = found.map_or((upstream.first_byte, upstream.between_bytes), |route| {
                (route.first_byte, route.between_bytes)
            });
            let cors = found.map_or(Cors::Countersign, |route| route.cors);
            routes.retain(|route| route.path != path);
            routes.push(Route {
                path,
                upstream: retrofit.upstream.clone(),
                auth: Auth::Optional,
                csrf: Csrf::Origin,
                cors,
                bounce: false,
                scope: Vec::new(),
                max_auth_age: None,
                first_byte: times.0,
                between_bytes: times.1,
                tokens: true,
            });
            routes.sort_by_key(|route| Reverse(route.path.specificity()));
        }
    }
}
