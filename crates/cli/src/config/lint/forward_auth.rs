//! A proxy that asks (design §7 "Forward-auth"; K05).

use crate::config::finding::Findings;
use crate::config::{Csrf, Settings, TrustedProxies};

pub(super) fn lint(settings: &Settings, found: &mut Findings) {
    let Some(forward_auth) = &settings.forward_auth else { return };
    let (key, value) = ("forward_auth.proxy", forward_auth.proxy);
    if !settings.environment.is_hardened() {
        let message =
            "environment = \"development\" refuses requests with forwarding headers, so no proxy could ask";
        found.refuse(key, value, message, "take another environment, or remove [forward_auth]");
    }
    if settings.listen.trusted_proxies.is_nobody() {
        let message =
            "only a trusted proxy may ask, and none is trusted: every question would be answered 404";
        found.refuse(key, value, message, "name the proxy's address in listen.trusted_proxies");
    }
    if settings.listen.trusted_proxies == TrustedProxies::Private {
        let message =
            "every machine with a private address that learns the secret may ask who a cookie belongs to";
        found.note(key, value, message, "name the proxy's address in listen.trusted_proxies");
    }
    for route in settings.routes.iter().filter(|route| route.csrf == Csrf::Token) {
        let message = "a proxy asks with the head alone: the token counts in the header, and not in the form field _csrf";
        let key = format!("route[{}].csrf", route.path);
        found.note(&key, route.csrf, message, "send the token in the header, or set csrf = \"origin\"");
    }
    if !settings.allowed_origins.is_empty() {
        let message = "preflights for the application pass through a proxy that asks: the list holds for our own end points only";
        let value = settings.allowed_origins.len();
        found.note("cors.allowed_origins", value, message, "let the application or the proxy answer them");
    }
}
