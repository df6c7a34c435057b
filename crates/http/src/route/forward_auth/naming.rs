//! How a proxy names the request that it asks about.
//!
//! Exactly one way is read, that of the configured proxy: what another proxy would set is what a client could have sent
//! through this one (CVE-2026-40575), so its presence is refused and not merely ignored (K05).

use http::header::{HOST, HeaderName, HeaderValue, UPGRADE};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, Uri, Version};

use super::{PATH, SECRET};

/// The proxies whose header sets are known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ForwardingProxy {
    /// `auth_request`: `X-Original-Method`, and `X-Original-URI` (or ingress-nginx's `X-Original-URL`).
    Nginx,
    /// `forward_auth`: `X-Forwarded-Method`, `-Uri` and `-Host`.
    Caddy,
    /// Our Lua action, which names requests as Caddy does.
    Haproxy,
    /// The `ForwardAuth` middleware, the same.
    Traefik,
    /// `ext_authz` over HTTP: the request's own method and host, and its path after ours.
    Envoy,
}

/// A family of headers that name a request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Original,
    Forwarded,
    Envoy,
    /// Read by nobody here; other software lets it override the path.
    Nobody,
}

const NAMING: [(&str, Family); 11] = [
    ("x-original-method", Family::Original),
    ("x-original-uri", Family::Original),
    ("x-original-url", Family::Original),
    ("x-forwarded-method", Family::Forwarded),
    ("x-forwarded-uri", Family::Forwarded),
    ("x-forwarded-url", Family::Nobody),
    ("x-forwarded-path", Family::Nobody),
    ("x-forwarded-host", Family::Forwarded),
    ("x-envoy-original-path", Family::Envoy),
    ("x-envoy-original-method", Family::Envoy),
    ("x-rewrite-url", Family::Nobody),
];

impl ForwardingProxy {
    const fn family(self) -> Family {
        match self {
            Self::Nginx => Family::Original,
            Self::Caddy | Self::Haproxy | Self::Traefik => Family::Forwarded,
            Self::Envoy => Family::Envoy,
        }
    }
}

/// Why the headers name no request. The proxy's configuration is at fault, or a client got through what it should remove.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum Misnamed {
    /// Of another proxy's set, or in another spelling.
    #[error("a header names the request in another way than the configured proxy does")]
    Foreign,
    /// Not there, or there twice.
    #[error("a header that names the request is missing, or came twice")]
    Count,
    /// Not a method, or no path.
    #[error("a header that names the request cannot be read")]
    Unreadable,
}

/// The request that is asked about: its head as the browser sent it, and the host that it was sent to.
#[derive(Debug)]
pub(super) struct Named {
    /// Method, target and headers; those that served to name it are gone.
    pub(super) parts: Parts,
    /// `Host`, with the port if there was one.
    pub(super) host: String,
}

/// Reads the request that the headers name.
///
/// # Errors
/// [`Misnamed`], with the head of the question.
pub(super) fn named(proxy: ForwardingProxy, parts: Parts) -> Result<Named, (Misnamed, Box<Parts>)> {
    match read(proxy, &parts) {
        Ok((method, target, host)) => Ok(assemble(parts, method, target, host)),
        Err(misnamed) => Err((misnamed, Box::new(parts))),
    }
}

fn read(proxy: ForwardingProxy, parts: &Parts) -> Result<(Method, PathAndQuery, String), Misnamed> {
    refuse_foreign(proxy, &parts.headers)?;
    let one = |name| once(&parts.headers, name);
    match proxy.family() {
        Family::Original => {
            let method = method(one("x-original-method")?)?;
            if parts.headers.contains_key("x-original-url") {
                if parts.headers.contains_key("x-original-uri") {
                    // Only one of them is the proxy's; nobody can tell which.
                    return Err(Misnamed::Foreign);
                }
                let (host, target) = split_url(one("x-original-url")?)?;
                return Ok((method, self::target(target)?, host.to_owned()));
            }
            Ok((method, target(one("x-original-uri")?)?, own_host(parts)?))
        }
        Family::Forwarded => {
            let method = method(one("x-forwarded-method")?)?;
            Ok((method, target(one("x-forwarded-uri")?)?, one("x-forwarded-host")?.to_owned()))
        }
        Family::Envoy | Family::Nobody => {
            let asked = parts.uri.path_and_query().map(PathAndQuery::as_str).unwrap_or_default();
            let rest = asked.strip_prefix(PATH).ok_or(Misnamed::Unreadable)?;
            Ok((parts.method.clone(), target(rest)?, own_host(parts)?))
        }
    }
}

/// Refuses what another proxy would set, and every other spelling of what this one sets: `X_Forwarded_Uri` is the same variable to
/// many servers (K01).
fn refuse_foreign(proxy: ForwardingProxy, headers: &HeaderMap) -> Result<(), Misnamed> {
    let own = proxy.family();
    for name in headers.keys().map(HeaderName::as_str) {
        let naming = NAMING.iter().find(|(naming, _)| same(name, naming));
        if naming.is_some_and(|(naming, family)| *family != own || *naming != name) {
            return Err(Misnamed::Foreign);
        }
    }
    Ok(())
}

fn same(name: &str, naming: &str) -> bool {
    let folded = |byte: u8| if byte.is_ascii_alphanumeric() { byte } else { b'-' };
    name.len() == naming.len() && name.bytes().map(folded).eq(naming.bytes())
}

fn once<'h>(headers: &'h HeaderMap, name: &str) -> Result<&'h str, Misnamed> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().map_err(|_not_ascii| Misnamed::Unreadable),
        _ => Err(Misnamed::Count),
    }
}

fn method(text: &str) -> Result<Method, Misnamed> {
    Method::from_bytes(text.as_bytes()).map_err(|_not_a_token| Misnamed::Unreadable)
}

/// A target in origin form (RFC 9112 §3.2.1). A fragment has no place in it: servers differ in whether the path goes on after `#`.
fn target(text: &str) -> Result<PathAndQuery, Misnamed> {
    if !text.starts_with('/') || text.contains('#') {
        return Err(Misnamed::Unreadable);
    }
    PathAndQuery::try_from(text).map_err(|_not_a_target| Misnamed::Unreadable)
}

/// Host and target of an absolute URL, without decoding anything.
fn split_url(url: &str) -> Result<(&str, &str), Misnamed> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let rest = rest.ok_or(Misnamed::Unreadable)?;
    let slash = rest.find('/').ok_or(Misnamed::Unreadable)?;
    rest.split_at_checked(slash).ok_or(Misnamed::Unreadable)
}

fn own_host(parts: &Parts) -> Result<String, Misnamed> {
    match parts.version {
        Version::HTTP_2 | Version::HTTP_3 => {
            parts.uri.authority().map(ToString::to_string).ok_or(Misnamed::Count)
        }
        _ => once(&parts.headers, HOST.as_str()).map(str::to_owned),
    }
}

fn assemble(mut parts: Parts, method: Method, target: PathAndQuery, host: String) -> Named {
    parts.method = method;
    parts.uri = Uri::from(target);
    for (name, _) in NAMING {
        parts.headers.remove(name);
    }
    parts.headers.remove(SECRET);
    // Proxies keep `Upgrade` to themselves. A browser that opens a WebSocket always sends these, and lets no script set them: any page
    // may open one with our cookies, so its origin must be judged as strictly as at the gateway.
    let websocket = ["sec-websocket-key", "sec-websocket-version"];
    if websocket.iter().any(|name| parts.headers.contains_key(*name)) {
        parts.headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    }
    Named { parts, host }
}

#[cfg(test)]
mod tests;
