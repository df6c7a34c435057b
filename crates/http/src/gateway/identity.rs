//! Who it is, told to the upstream (design §7).

use countersign_core::port::Outside;
use countersign_core::service::{Engine, Principal, ServiceError};
use http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::site::SiteUpstream;

const ASSERTION: HeaderName = HeaderName::from_static("countersign-assertion");
const USER: HeaderName = HeaderName::from_static("x-auth-user");
const EMAIL: HeaderName = HeaderName::from_static("x-auth-email");
const SESSION: HeaderName = HeaderName::from_static("x-auth-session");
const SCOPES: HeaderName = HeaderName::from_static("x-auth-scopes");

/// Adds the assertion and the identity headers. Everything a client could have sent under these names is gone by now.
pub(crate) fn add<O: Outside>(
    headers: &mut HeaderMap,
    principal: &Principal,
    upstream: &SiteUpstream,
    engine: &Engine<O>,
) -> Result<(), ServiceError> {
    let assertion = engine.assertion(principal, &upstream.audience)?;
    put(headers, &ASSERTION, None, &assertion);
    let own = &upstream.identity;
    put(headers, &USER, own.user.as_ref(), principal.user().as_str());
    if let Some(email) = principal.verified_email() {
        // Only an address that somebody vouched for: an application may take it for the account's name.
        put(headers, &EMAIL, own.email.as_ref(), email.as_str());
    }
    // An API key acts without a session.
    if let Some(session) = principal.session() {
        put(headers, &SESSION, own.session.as_ref(), session.as_str());
    }
    if !principal.scope().is_empty() {
        put(headers, &SCOPES, own.scopes.as_ref(), &principal.scope().to_string());
    }
    Ok(())
}

fn put(headers: &mut HeaderMap, name: &HeaderName, other: Option<&HeaderName>, value: &str) {
    // Addresses may hold letters beyond ASCII: bytes pass, control characters cannot be in them.
    let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) else { return };
    if let Some(other) = other {
        headers.insert(other.clone(), value.clone());
    }
    headers.insert(name.clone(), value);
}
