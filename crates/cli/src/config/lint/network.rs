//! Environment, public URL, listeners, TLS, proxies, store (design §2, §4, §9; B14, K04).

use crate::config::finding::Findings;
use crate::config::value::{SQLITE_ONLY, SQLITE_ONLY_REMEDY, is_loopback, is_loopback_host};
use crate::config::{Settings, StoreLocation, Transport, TrustedProxies};
use ipnet::IpNet;
use url::Url;

pub(super) fn lint(settings: &Settings, found: &mut Findings) {
    if settings.environment.is_hardened() {
        hardened(settings, found);
    } else {
        development(settings, found);
    }
    if settings.tls.transport == Transport::LocalCa && !has_local_name(&settings.public_url) {
        let message = "the local CA signs for localhost, *.localhost, *.test and loopback only: browsers would refuse this host";
        found.refuse(
            "tls.mode",
            "\"local-ca\"",
            message,
            "set tls.mode = \"files\" with a certificate for this host",
        );
    }
    proxies(settings, found);
    if !is_loopback(settings.listen.admin.ip()) {
        let message = "the admin listener speaks plain HTTP and tells metrics to whoever reaches it";
        let value = format!("\"{}\"", settings.listen.admin);
        found.warn(
            "listen.admin",
            value,
            message,
            "bind it to loopback, and use listen.health for orchestrators",
        );
    }
    if let StoreLocation::Postgres = settings.store {
        found.refuse("store", "\"postgres:…\"", SQLITE_ONLY, SQLITE_ONLY_REMEDY);
    }
}

/// Development is what it is only on this machine (B14): its cookies have no prefix and its accounts no checks.
fn development(settings: &Settings, found: &mut Findings) {
    let url = shown(&settings.public_url);
    if !is_loopback_host(&settings.public_url) {
        let message = "environment = \"development\" needs a loopback URL: its cookies and accounts are not fit for others";
        found.refuse("public_url", &url, message, "take https://localhost:8443, or another environment");
    }
    let listeners = [
        ("listen.address", Some(settings.listen.address)),
        ("listen.admin", Some(settings.listen.admin)),
        ("listen.health", settings.listen.health),
    ];
    for (key, address) in listeners {
        if let Some(address) = address.filter(|address| !is_loopback(address.ip())) {
            let message = "environment = \"development\" listens on loopback only";
            found.refuse(key, format!("\"{address}\""), message, "take 127.0.0.1, or another environment");
        }
    }
    let plain = settings.tls.transport == Transport::Off;
    if plain != (settings.public_url.scheme() == "http") {
        let message =
            "the scheme does not fit tls.mode: browsers would speak another protocol than the listener";
        let remedy = "use https:// with tls.mode = \"local-ca\", or http:// with tls.mode = \"off\"";
        found.refuse("public_url", &url, message, remedy);
    }
    if !settings.listen.trusted_proxies.is_nobody() {
        let message =
            "environment = \"development\" refuses requests with forwarding headers, whoever sends them";
        let value = settings.listen.trusted_proxies.to_string();
        found.warn("listen.trusted_proxies", value, message, "remove it, or take another environment");
    }
}

fn hardened(settings: &Settings, found: &mut Findings) {
    if settings.public_url.scheme() != "https" {
        let message = "cookies and tokens would cross the network in clear text";
        let remedy = "write https://, or environment = \"development\" on this machine";
        found.harden("public_url", shown(&settings.public_url), message, remedy);
    }
    if settings.tls.transport == Transport::Off && settings.listen.trusted_proxies.is_nobody() {
        let message = "plain HTTP without a proxy that ends TLS: every request would be refused or readable";
        let remedy = "set tls.mode = \"files\", or name the proxy that ends TLS in listen.trusted_proxies";
        found.harden("tls.mode", "\"off\"", message, remedy);
    }
    if settings.tls.transport == Transport::LocalCa && has_local_name(&settings.public_url) {
        let message = "only machines that trust this machine's own CA can connect";
        found.warn("tls.mode", "\"local-ca\"", message, "take \"files\" for anything but a rehearsal");
    }
}

fn proxies(settings: &Settings, found: &mut Findings) {
    let key = "listen.trusted_proxies";
    match &settings.listen.trusted_proxies {
        TrustedProxies::Private => {
            let message = "every machine with a private address may claim any client address and HTTPS";
            found.note(
                key,
                "\"private\"",
                message,
                "name the proxies' addresses if other machines can connect too",
            );
        }
        trusted @ TrustedProxies::Networks(networks) => wide(key, trusted, networks, found),
    }
    let header = &settings.listen.client_ip_header;
    if settings.listen.trusted_proxies.is_nobody() && header != "x-forwarded-for" {
        let message = "this header is never read: no proxy is trusted";
        found.note(
            "listen.client_ip_header",
            format!("{header:?}"),
            message,
            "set listen.trusted_proxies, or remove it",
        );
    }
}

/// Networks that are no operator's own, written as one or in halves: throttling, logs and address lists would believe
/// whatever strangers claim (K04).
fn wide(key: &str, trusted: &TrustedProxies, networks: &Vec<IpNet>, found: &mut Findings) {
    for network in IpNet::aggregate(networks).iter().filter(|network| is_wide(network)) {
        let parts = if networks.contains(network) { String::new() } else { format!("together {network}: ") };
        let who = if network.prefix_len() == 0 { "everybody" } else { "a large part of the internet" };
        let message = format!(
            "{parts}{who} may claim any client address and HTTPS: throttling, logs and address lists mean nothing"
        );
        let remedy = "name the proxies' addresses, or networks of /8 (IPv6: /16) at most";
        found.harden(key, trusted, &message, remedy);
    }
}

/// IPv6's private networks (RFC 4193, RFC 4291 §2.5.6) are wider than any that is given to one operator.
fn is_wide(network: &IpNet) -> bool {
    match network {
        IpNet::V4(network) => network.prefix_len() < 8,
        IpNet::V6(v6) => {
            let first = v6.network();
            v6.prefix_len() < 16
                && !(v6.prefix_len() >= 7 && first.is_unique_local()
                    || v6.prefix_len() >= 10 && first.is_unicast_link_local())
        }
    }
}

/// The names that the local CA may sign for (its name constraints).
fn has_local_name(url: &Url) -> bool {
    is_loopback_host(url) || url.domain().is_some_and(|name| name.ends_with(".test"))
}

fn shown(url: &Url) -> String {
    format!("\"{}\"", url.origin().ascii_serialization())
}
