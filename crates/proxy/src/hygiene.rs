//! What may pass between the two connections of a proxied request (RFC 9110 §7.6.1, design §7).

use std::net::IpAddr;

use http::header::{CONNECTION, HeaderMap, HeaderName, HeaderValue, TE, UPGRADE};

use crate::protected::disguises_framing;
use crate::{Protected, PublicOrigin};

/// Proof that a request's headers went through [`clean_request`], with the two hop-by-hop wishes that the
/// next hop may be asked for anew.
#[derive(Debug)]
pub struct Cleaned {
    /// The client understands trailers.
    pub(crate) trailers: bool,
    /// The protocols that the client offered to switch to.
    pub(crate) upgrade: Option<HeaderValue>,
}

impl Cleaned {
    /// Whether the client asked to switch protocols (a WebSocket handshake, say).
    #[must_use]
    pub const fn wants_upgrade(&self) -> bool {
        self.upgrade.is_some()
    }

    /// Whether one of the protocols it asked for is this one, such as `websocket`.
    #[must_use]
    pub fn wants_protocol(&self, protocol: &str) -> bool {
        self.upgrade
            .as_ref()
            .is_some_and(|offer| tokens(offer).any(|token| token.eq_ignore_ascii_case(protocol)))
    }
}

/// Removes from a client's headers: the hop-by-hop ones, those that `Connection` nominates, and the families
/// that only the gateway may set.
///
/// Call it before anything is added: a nomination then only ever reaches what the client itself sent (K03,
/// CVE-2024-45410). Names that carry a decision ([`end_to_end`]) cannot be nominated at all.
pub fn clean_request(headers: &mut HeaderMap, protected: &Protected) -> Cleaned {
    let trailers = headers.get_all(TE).iter().any(|value| has_token(value, "trailers"));
    let upgrade = if headers.get_all(CONNECTION).iter().any(|value| has_token(value, "upgrade")) {
        offered(headers)
    } else {
        None
    };
    let mut doomed: Vec<HeaderName> = Vec::new();
    nominated(headers, &mut doomed);
    doomed.extend(
        headers
            .keys()
            .filter(|name| {
                let name = name.as_str();
                hop_by_hop(name) || name == "proxy" || protected.covers(name) || disguises_framing(name)
            })
            .cloned(),
    );
    for name in &doomed {
        headers.remove(name);
    }
    Cleaned { trailers, upgrade }
}

/// Removes from an upstream's headers the hop-by-hop ones and those that `Connection` nominates.
pub fn clean_response(headers: &mut HeaderMap) {
    let mut doomed: Vec<HeaderName> = Vec::new();
    nominated(headers, &mut doomed);
    doomed.extend(headers.keys().filter(|name| hop_by_hop(name.as_str())).cloned());
    for name in &doomed {
        headers.remove(name);
    }
}

/// Removes from trailers what must not arrive that late: many servers merge trailers into the headers, so
/// what the gateway decided on, or removed, would come in through the back door (RFC 9110 §6.5.1).
pub fn clean_trailers(trailers: &mut HeaderMap, protected: &Protected) {
    let doomed: Vec<HeaderName> = trailers
        .keys()
        .filter(|name| {
            let name = name.as_str();
            hop_by_hop(name) || end_to_end(name) || unfit_for_trailers(name) || protected.covers(name)
        })
        .cloned()
        .collect();
    for name in &doomed {
        trailers.remove(name);
    }
}

/// Sets `X-Forwarded-For`, `-Proto`, `-Host` and `-Port` from what we know ourselves (K04).
pub fn set_forwarded(headers: &mut HeaderMap, client: IpAddr, public: &PublicOrigin) {
    const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
    const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
    const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
    const PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
    match HeaderValue::try_from(client.to_canonical().to_string()) {
        Ok(value) => headers.insert(FOR, value),
        // An address prints as ASCII, so this cannot happen; nothing is better than the client's own word.
        Err(_) => headers.remove(FOR),
    };
    headers.insert(PROTO, public.proto.clone());
    headers.insert(HOST, public.host.clone());
    headers.insert(PORT, public.port.clone());
}

/// Whether a name means one connection only (RFC 9110 §7.6.1, and what RFC 2616 and proxies left behind).
/// `Trailer` is not among them: it announces fields that travel on.
#[must_use]
pub fn hop_by_hop(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "proxy-connection"
            | "keep-alive"
            | "te"
            | "transfer-encoding"
            | "upgrade"
            | "http2-settings"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-authentication-info"
    )
}

/// Names that `Connection` cannot nominate: to drop one of them on the way would change what was decided
/// about the request, or where it ends.
#[must_use]
pub fn end_to_end(name: &str) -> bool {
    name.starts_with("sec-")
        || matches!(
            name,
            "host"
                | "content-length"
                | "content-type"
                | "content-encoding"
                | "content-range"
                | "authorization"
                | "cookie"
                | "set-cookie"
                | "origin"
                | "referer"
                | "dpop"
                | "cache-control"
                | "pragma"
                | "expires"
                | "vary"
                | "date"
                | "range"
                | "expect"
                | "location"
                | "trailer"
                | "www-authenticate"
        )
}

fn unfit_for_trailers(name: &str) -> bool {
    name.starts_with("secure-session-")
        || name.starts_with("access-control-")
        || name.starts_with("if-")
        || matches!(
            name,
            "age" | "max-forwards" | "strict-transport-security" | "clear-site-data" | "refresh"
        )
}

fn nominated(headers: &HeaderMap, doomed: &mut Vec<HeaderName>) {
    for value in headers.get_all(CONNECTION) {
        for token in tokens(value) {
            // The two that nearly every request has, and which name no header that is still there.
            if token.eq_ignore_ascii_case("keep-alive") || token.eq_ignore_ascii_case("close") {
                continue;
            }
            if let Ok(name) = HeaderName::from_bytes(token.as_bytes())
                && !end_to_end(name.as_str())
            {
                doomed.push(name);
            }
        }
    }
}

/// The protocols offered, less those that would carry further requests past the gateway's eyes: an `h2c`
/// upgrade turns the connection into a tunnel through which every later request goes unchecked.
fn offered(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut offer = String::new();
    for token in headers.get_all(UPGRADE).iter().flat_map(tokens) {
        let name = token.split('/').next().unwrap_or(token);
        if ["h2c", "h2", "http", "tls"].iter().any(|other| name.eq_ignore_ascii_case(other)) {
            continue;
        }
        if !offer.is_empty() {
            offer.push_str(", ");
        }
        offer.push_str(token);
    }
    if offer.is_empty() { None } else { HeaderValue::try_from(offer).ok() }
}

/// The comma-separated members of one value; a value that is not visible ASCII has none.
pub(crate) fn tokens(value: &HeaderValue) -> impl Iterator<Item = &str> {
    value.to_str().unwrap_or_default().split(',').map(str::trim).filter(|token| !token.is_empty())
}

pub(crate) fn has_token(value: &HeaderValue, wanted: &str) -> bool {
    // `trailers;q=0.5` is still `trailers`.
    tokens(value).any(|token| token.split(';').next().unwrap_or(token).trim().eq_ignore_ascii_case(wanted))
}

#[cfg(test)]
mod tests;
