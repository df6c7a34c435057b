//! What a node says when it answers.

use crate::compose::MasterKey;
use crate::config::Settings;
use serde::Serialize;
use std::path::PathBuf;
use tokio::net::TcpListener;

/// Where a node that is ready answers: real ports, also where 0 was asked for.
#[derive(Debug, Serialize)]
pub(crate) struct Ready {
    ready: bool,
    /// The label.
    pub(crate) environment: String,
    /// What browsers show.
    pub(crate) public_url: String,
    /// Addresses for browsers and proxies.
    pub(crate) listen: Vec<String>,
    /// Health, readiness, metrics.
    pub(crate) admin: String,
    /// Health and readiness.
    pub(crate) health: Option<String>,
    pid: u32,
    /// The master secret, if it was made now.
    pub(crate) master_key_created: Option<PathBuf>,
}

impl Ready {
    /// Asks the listeners for their ports.
    pub(super) fn new(
        settings: &Settings,
        public: &[TcpListener],
        admin: &TcpListener,
        health: Option<&TcpListener>,
        master_key: MasterKey,
    ) -> std::io::Result<Self> {
        let address = |listener: &TcpListener| listener.local_addr().map(|address| address.to_string());
        Ok(Self {
            ready: true,
            environment: settings.environment.as_str().to_owned(),
            public_url: settings.public_url.origin().ascii_serialization(),
            listen: public.iter().map(address).collect::<Result<_, _>>()?,
            admin: address(admin)?,
            health: health.map(address).transpose()?,
            pid: std::process::id(),
            master_key_created: match master_key {
                MasterKey::Created(path) => Some(path),
                MasterKey::Found => None,
            },
        })
    }

    /// One line in the log.
    pub(super) fn log(&self) {
        let Self { environment, public_url, listen, admin, .. } = self;
        let (listen, version) = (listen.join(" "), env!("CARGO_PKG_VERSION"));
        tracing::info!(version, environment, public_url, listen, admin, "ready");
    }
}
