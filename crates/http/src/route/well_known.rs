//! `/.well-known/jwks.json` and `/.well-known/countersign`.

use std::sync::Arc;
use std::time::Duration;

use countersign_core::port::Outside;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};

use super::Reply;
use super::call::Call;
use super::session::json;
use crate::site::Site;
use crate::wire::body::{Answer, AnswerBody};

const CACHED: HeaderValue = HeaderValue::from_static("public, max-age=300");
/// Public keys may be cached for so long at most: after an emergency, whoever caches them learns of it as late.
const LONGEST_CACHED: Duration = Duration::from_secs(300);

pub(super) async fn jwks<O: Outside>(site: Arc<Site<O>>, _call: Call) -> Reply {
    let mut answer = Answer::new(AnswerBody::from(site.engine.jwks().to_string()));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json"));
    answer.headers_mut().insert(CACHE_CONTROL, jwks_cached(site.engine.policy().prepublish));
    Ok(answer)
}

/// Half of the time that a new key is published before it signs, so that whoever honours it knows the key by then (H08).
fn jwks_cached(published_before: Duration) -> HeaderValue {
    let seconds = (published_before / 2).min(LONGEST_CACHED).as_secs();
    HeaderValue::try_from(format!("public, max-age={seconds}")).unwrap_or(CACHED)
}

pub(super) async fn discovery<O: Outside>(site: Arc<Site<O>>, _call: Call) -> Reply {
    let origin = &site.settings.public_origin;
    let at = |path: &str| format!("{origin}{path}");
    let policy = site.engine.policy();
    let mut answer = json(&serde_json::json!({
        "issuer": policy.access.issuer,
        "environment": policy.access.environment.as_str(),
        "jwks_uri": at("/.well-known/jwks.json"),
        "login_url": if site.settings.login_url.starts_with('/') { at(&site.settings.login_url) } else { site.settings.login_url.clone() },
        "csrf_endpoint": at("/auth/csrf"),
        "session_endpoint": at("/auth/session"),
        "refresh_endpoint": at("/auth/refresh"),
        "logout_endpoint": at("/auth/logout"),
        "csrf_header": site.settings.csrf_header.as_str(),
        "access_token_typ": countersign_core::domain::token::access::TYP,
        "assertion_typ": countersign_core::domain::token::assertion::TYP,
        "assertion_header": "Countersign-Assertion",
        "signing_algorithms": ["EdDSA", "ES256"],
    }));
    answer.headers_mut().insert(CACHE_CONTROL, CACHED);
    Ok(answer)
}
