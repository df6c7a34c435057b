//! Cookies, CORS, logs, limits (B06, C10, J06).

use super::quoted;
use crate::config::finding::Findings;
use crate::config::value::is_loopback_host;
use crate::config::{LogLevel, SameSite, Settings};
use std::time::Duration;
use url::Url;

pub(super) fn lint(settings: &Settings, found: &mut Findings) {
    cookies(settings, found);
    origins(settings, found);
    let level = settings.log.level;
    if settings.environment.is_hardened() && matches!(level, LogLevel::Debug | LogLevel::Trace) {
        let message = "this level tells much about users, and fills disks";
        found.warn("log.level", level, message, "set \"info\", and raise it for an hour when needed");
    }
    if settings.limits.head_timeout > Duration::from_secs(60) {
        let message = "clients that send a byte now and then can hold every connection";
        found.warn("limits.head_timeout", quoted(settings.limits.head_timeout), message, "set 10s");
    }
    for (key, limit) in [
        ("limits.first_byte", settings.limits.first_byte),
        ("limits.between_bytes", settings.limits.between_bytes),
    ] {
        if limit.is_none() {
            let message = "slow peers can hold connections to every upstream for ever";
            found.warn(
                key,
                "\"none\"",
                message,
                "set a time-out here, and \"none\" on the routes that need it",
            );
        }
    }
}

fn cookies(settings: &Settings, found: &mut Findings) {
    let cookies = &settings.cookies;
    let key = "cookies.same_site";
    match cookies.same_site {
        SameSite::Strict => {}
        SameSite::Lax => {
            let message =
                "links from other sites arrive with the session's cookies; the bounce is not needed then";
            found.note(key, cookies.same_site, message, "set \"strict\", unless the bounce is in your way");
        }
        SameSite::None => {
            if settings.public_url.scheme() != "https" {
                let message = "browsers drop SameSite=None without Secure, and plain HTTP has no Secure";
                found.refuse(key, cookies.same_site, message, "set \"strict\" or \"lax\", or use HTTPS");
            } else if !cookies.partitioned {
                let message = "every site that embeds yours would send the session's cookies";
                found.refuse(
                    key,
                    cookies.same_site,
                    message,
                    "set cookies.partitioned = true, or \"strict\"",
                );
            } else {
                let message =
                    "cookies go to embedded pages too; only origin checks and tokens stand against CSRF";
                found.warn(
                    key,
                    cookies.same_site,
                    message,
                    "set \"strict\", unless you are embedded in other sites",
                );
            }
        }
    }
    if cookies.partitioned && cookies.same_site != SameSite::None {
        let message = "Partitioned has no use unless the page is embedded in other sites";
        found.note("cookies.partitioned", true, message, "remove it");
    }
    if cookies.clear_site_data {
        let message = "logout clears the data of the whole registrable domain, sibling applications included";
        found.warn("cookies.clear_site_data", true, message, "keep it only if the domain is all yours");
    }
}

fn origins(settings: &Settings, found: &mut Findings) {
    let key = "cors.allowed_origins";
    for origin in &settings.allowed_origins {
        let text = origin.ascii_serialization();
        let value = format!("{text:?}");
        if *origin == settings.public_url.origin() {
            found.note(key, value, "this is the public URL itself, which is always allowed", "remove it");
            continue;
        }
        let local = Url::parse(&text).is_ok_and(|url| is_loopback_host(&url));
        if local && settings.environment.is_hardened() {
            let message = "any program on a user's machine may act as this origin with the user's session";
            found.warn(key, value, message, "remove it outside development");
        } else if !local && text.starts_with("http:") {
            let message = "whoever sits on the network can be this origin, and act with the user's session";
            found.harden(key, value, message, "write https://");
        }
    }
}
