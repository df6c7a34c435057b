//! Ports: bound before anything else, with a message that says what to do where one is taken.

use crate::config::Settings;
use anyhow::anyhow;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::net::TcpListener;

/// What `dev` uses unless told otherwise.
const DEFAULT_ADMIN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9443);

/// The listeners of a node.
#[derive(Debug)]
pub(super) struct Bound {
    /// For browsers; in development on both loopback addresses.
    pub(super) public: Vec<TcpListener>,
    /// Health, readiness, metrics.
    pub(super) admin: TcpListener,
    /// Health and readiness.
    pub(super) health: Option<TcpListener>,
}

/// Binds all of them.
pub(super) async fn bind(settings: &Settings) -> anyhow::Result<Bound> {
    let listen = &settings.listen;
    let mut public = vec![one("listen.address", listen.address, settings).await?];
    if !settings.environment.is_hardened() && listen.address.ip() == Ipv4Addr::LOCALHOST {
        // Browsers try [::1] for localhost first; where it is not to be had, they come back.
        let port = public.first().and_then(|first| first.local_addr().ok()).map_or(0, |first| first.port());
        match TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
            Ok(listener) => public.push(listener),
            Err(error) => tracing::debug!(%error, "not listening on [::1]"),
        }
    }
    let admin = match one("listen.admin", listen.admin, settings).await {
        Err(error) if !settings.environment.is_hardened() && listen.admin == DEFAULT_ADMIN => {
            // A second `dev` beside the first is no fault.
            tracing::warn!("{error:#}; taking a free port instead");
            one("listen.admin", SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), settings).await?
        }
        bound => bound?,
    };
    let health = match listen.health {
        Some(address) => Some(one("listen.health", address, settings).await?),
        None => None,
    };
    Ok(Bound { public, admin, health })
}

async fn one(key: &str, address: SocketAddr, settings: &Settings) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let remedy = match error.kind() {
            ErrorKind::AddrInUse => taken(key, settings),
            ErrorKind::PermissionDenied => {
                "ports below 1024 need a privilege: take a higher one, or grant CAP_NET_BIND_SERVICE"
                    .to_owned()
            }
            ErrorKind::AddrNotAvailable => "this machine has no such address: name one of its own".to_owned(),
            _ => "choose another address".to_owned(),
        };
        anyhow!("{key} = \"{address}\": {error}; {remedy}")
    })
}

fn taken(key: &str, settings: &Settings) -> String {
    if key == "listen.address" && !settings.environment.is_hardened() {
        let scheme = settings.public_url.scheme();
        return format!(
            "another program has this port: stop it, or choose another port with --public-url {scheme}://localhost:PORT (public_url in the file)"
        );
    }
    let variable = key.replace('.', "__").to_ascii_uppercase();
    format!("another program has this port: stop it, or set {key} (COUNTERSIGN_{variable}) to another")
}
