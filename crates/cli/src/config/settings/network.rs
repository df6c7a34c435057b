//! Listeners, TLS, logging, limits.

use crate::config::problem::Problem;
use crate::config::typed;
use crate::config::value::{LogFormat, LogLevel, TlsMode, TrustedProxies};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// `[listen]`
#[derive(Debug)]
pub(crate) struct Listen {
    /// Where browsers and proxies connect.
    pub(crate) address: SocketAddr,
    /// Health, readiness, metrics; plain HTTP.
    pub(crate) admin: SocketAddr,
    /// Health and readiness once more, for orchestrators that cannot reach `admin`.
    pub(crate) health: Option<SocketAddr>,
    /// Whose forwarding headers are believed.
    pub(crate) trusted_proxies: TrustedProxies,
    /// The header that a trusted proxy writes the client's address to, in lower case.
    pub(crate) client_ip_header: String,
}

/// `[tls]`
#[derive(Debug)]
pub(crate) struct Tls {
    /// How connections are protected.
    pub(crate) transport: Transport,
}

/// `tls.mode` with what it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Transport {
    /// A CA made on this machine, good for local names only.
    LocalCa,
    /// PEM files, re-read when they change.
    Files {
        /// Certificate chain.
        cert_file: PathBuf,
        /// Private key.
        key_file: PathBuf,
    },
    /// Plain HTTP: behind a trusted proxy, or in development.
    Off,
}

/// `[log]`
#[derive(Debug)]
pub(crate) struct Log {
    /// How lines look.
    pub(crate) format: LogFormat,
    /// The least serious level that is written.
    pub(crate) level: LogLevel,
    /// Whether each request gets a line.
    pub(crate) access: bool,
}

/// `[limits]`
#[derive(Debug)]
pub(crate) struct Limits {
    /// Client connections at a time.
    pub(crate) connections: u32,
    /// For a request head to arrive.
    pub(crate) head_timeout: Duration,
    /// For an upstream's first byte; `None` is unlimited. Upstreams and routes may differ.
    pub(crate) first_byte: Option<Duration>,
    /// Between bytes of a body, both ways; `None` is unlimited. Upstreams and routes may differ.
    pub(crate) between_bytes: Option<Duration>,
    /// At SIGTERM: how long the node says "not ready" before it stops accepting.
    pub(crate) unready: Duration,
    /// At SIGTERM: how long running requests may take after that.
    pub(crate) drain: Duration,
}

pub(super) fn listen(
    typed: typed::Listen,
    public_url: Option<&Url>,
    hardened: bool,
    problems: &mut Vec<Problem>,
) -> Listen {
    // In development the public URL is this listener, so its port is the default.
    let port = public_url.filter(|_| !hardened).and_then(Url::port_or_known_default).unwrap_or(8443);
    let listen = Listen {
        address: typed.address.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, port))),
        admin: typed.admin.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 9443))),
        health: typed.health,
        trusted_proxies: typed.trusted_proxies.unwrap_or_else(|| TrustedProxies::Networks(Vec::new())),
        client_ip_header: typed.client_ip_header.map_or_else(|| "x-forwarded-for".into(), |name| name.0),
    };
    let address = ("listen.address", listen.address);
    let admin = ("listen.admin", listen.admin);
    let health = listen.health.map(|health| ("listen.health", health));
    for (a, b) in [(Some(address), Some(admin)), (Some(address), health), (Some(admin), health)] {
        if let (Some((first, taken)), Some((second, wanted))) = (a, b)
            && taken == wanted
            && taken.port() != 0
        {
            let message = format!("{first} has this address already");
            problems.push(Problem::with_value(
                second,
                &format!("\"{wanted}\""),
                &message,
                "take another port",
            ));
        }
    }
    if listen.client_ip_header == "forwarded" {
        let remedy =
            "take \"x-forwarded-for\", or the proxy's own header with one address, such as \"x-real-ip\"";
        let message = "the syntax of this header is not read";
        problems.push(Problem::with_value("listen.client_ip_header", "\"forwarded\"", message, remedy));
    }
    listen
}

pub(super) fn tls(typed: &typed::Tls, mode: TlsMode, problems: &mut Vec<Problem>) -> Option<Tls> {
    let files = [("tls.cert_file", &typed.cert_file), ("tls.key_file", &typed.key_file)];
    if problems.iter().any(|problem| problem.key.starts_with("tls.")) {
        return None;
    }
    let before = problems.len();
    for (key, file) in files {
        match file {
            None if mode == TlsMode::Files => {
                let message =
                    "this is missing: tls.mode = \"files\" (the default outside development) needs it";
                let remedy = format!(
                    "set {key}, or tls.mode = \"off\" with listen.trusted_proxies behind a proxy that ends TLS"
                );
                problems.push(Problem::without_value(key, message, &remedy));
            }
            Some(file) if mode != TlsMode::Files => {
                let value = format!("{:?}", file.display().to_string());
                let message = format!("this file would not be used with tls.mode = {mode}");
                problems.push(Problem::with_value(
                    key,
                    &value,
                    &message,
                    "set tls.mode = \"files\", or remove the key",
                ));
            }
            _ => {}
        }
    }
    let transport = match (mode, &typed.cert_file, &typed.key_file) {
        (TlsMode::LocalCa, ..) => Transport::LocalCa,
        (TlsMode::Off, ..) => Transport::Off,
        (TlsMode::Files, Some(cert), Some(key)) if problems.len() == before => {
            Transport::Files { cert_file: cert.clone(), key_file: key.clone() }
        }
        (TlsMode::Files, ..) => return None,
    };
    Some(Tls { transport })
}

pub(super) fn log(typed: &typed::Log, hardened: bool) -> Log {
    Log {
        format: typed.format.unwrap_or(if hardened { LogFormat::Json } else { LogFormat::Pretty }),
        level: typed.level.unwrap_or(LogLevel::Info),
        access: typed.access.unwrap_or(true),
    }
}

pub(super) fn limits(typed: &typed::Limits, hardened: bool, problems: &mut Vec<Problem>) -> Limits {
    let seconds = Duration::from_secs;
    if typed.connections == Some(0) {
        problems.push(Problem::with_value(
            "limits.connections",
            "0",
            "nobody could connect",
            "set 1 or more",
        ));
    }
    if typed.head_timeout.is_some_and(|span| span.is_zero()) {
        let message = "every request would be too slow";
        problems.push(Problem::with_value("limits.head_timeout", "\"0s\"", message, "set 10s"));
    }
    Limits {
        connections: typed.connections.unwrap_or(4096),
        head_timeout: typed.head_timeout.unwrap_or(seconds(60)),
        first_byte: typed.first_byte.map_or(Some(seconds(120)), |limit| limit.0),
        between_bytes: typed.between_bytes.map_or(Some(seconds(60)), |limit| limit.0),
        // On a developer's machine no balancer has to look away first.
        unready: typed.unready.unwrap_or(if hardened { seconds(5) } else { Duration::ZERO }),
        drain: typed.drain.unwrap_or(seconds(30)),
    }
}
