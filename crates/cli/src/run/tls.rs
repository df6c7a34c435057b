//! TLS for the listener, as the settings choose.

use crate::config::{Settings, StoreLocation, Transport};
use countersign_adapters::tls::{LocalCa, Tls, TlsError};
use countersign_adapters::{SystemClock, SystemEntropy};
use countersign_core::port::Clock;
use std::path::PathBuf;
use std::sync::Arc;

/// Where the local CA is: beside a SQLite store, else in `run_dir`.
fn ca_directory(settings: &Settings) -> PathBuf {
    match &settings.store {
        StoreLocation::Sqlite(store) => store.with_file_name("ca"),
        StoreLocation::Postgres { .. } => settings.run_dir.join("ca"),
    }
}

/// The local CA, made if there is none.
///
/// # Errors
/// [`TlsError`].
pub(crate) fn open_ca(settings: &Settings) -> Result<LocalCa, TlsError> {
    LocalCa::open_or_create(&ca_directory(settings), &SystemEntropy, SystemClock.now())
}

/// TLS, unless it is off.
pub(super) fn tls(settings: &Settings) -> Result<Option<Arc<Tls>>, TlsError> {
    let tls = match &settings.tls.transport {
        Transport::Off => return Ok(None),
        Transport::Files { cert_file, key_file } => Tls::from_files(cert_file, key_file)?,
        Transport::LocalCa => {
            // In brackets, an IPv6 address is no name of a certificate.
            let host = settings.public_url.host_str().unwrap_or("localhost");
            let name = host.trim_start_matches('[').trim_end_matches(']').to_owned();
            Tls::from_local_ca(open_ca(settings)?, vec![name], SystemClock.now())?
        }
    };
    Ok(Some(Arc::new(tls)))
}
