//! TLS for the listener, as the settings choose.

use crate::compose::{self, Presence};
use crate::config::{Settings, StoreLocation, Transport};
use anyhow::{Context, bail};
use countersign_adapters::tls::{LocalCa, Tls};
use countersign_adapters::{SystemClock, SystemEntropy};
use countersign_core::port::Clock;
use std::path::PathBuf;
use std::sync::Arc;

/// Where the local CA is: beside a SQLite store, else in `run_dir`.
fn ca_directory(settings: &Settings) -> PathBuf {
    match &settings.store {
        StoreLocation::Sqlite(store) => store.with_file_name("ca"),
        StoreLocation::Postgres => settings.run_dir.join("ca"),
    }
}

/// The local CA; `None` where there is none and none is to be made.
///
/// # Errors
/// If its files cannot be used or made.
pub(crate) fn open_ca(settings: &Settings, presence: Presence) -> anyhow::Result<Option<LocalCa>> {
    let directory = ca_directory(settings);
    if presence == Presence::Create {
        compose::directory_of_dev(&directory)?;
        let parent = directory.parent().filter(|parent| !parent.as_os_str().is_empty());
        if let Some(parent) = parent.filter(|parent| !parent.is_dir()) {
            bail!("the directory {} does not exist: create it, or change `store`", parent.display());
        }
    } else if !["ca.pem", "ca-key.pem"].iter().all(|name| directory.join(name).exists()) {
        return Ok(None);
    }
    Ok(Some(LocalCa::open_or_create(&directory, &SystemEntropy, SystemClock.now())?))
}

/// TLS, unless it is off.
///
/// # Errors
/// If certificate or key cannot be used or made.
pub(super) fn tls(settings: &Settings) -> anyhow::Result<Option<Arc<Tls>>> {
    let tls = match &settings.tls.transport {
        Transport::Off => return Ok(None),
        Transport::Files { cert_file, key_file } => Tls::from_files(cert_file, key_file)?,
        Transport::LocalCa => {
            // In brackets, an IPv6 address is no name of a certificate.
            let host = settings.public_url.host_str().unwrap_or("localhost");
            let name = host.trim_start_matches('[').trim_end_matches(']').to_owned();
            let ca = open_ca(settings, Presence::Create)?.context("there is no local CA")?;
            Tls::from_local_ca(ca, vec![name], SystemClock.now())?
        }
    };
    Ok(Some(Arc::new(tls)))
}
