//! Other issuers rotate their keys too: their files are read again and again.

use crate::compose;
use crate::config::Issuer;
use countersign_core::port::Outside;
use countersign_core::service::Engine;
use std::sync::Arc;
use std::time::Duration;

/// As often as TLS files.
const EVERY: Duration = Duration::from_secs(30);

/// Keeps the trusted keys as the files say. A file that cannot be used changes nothing: a half-written one must not lock
/// anybody out. Never returns.
pub(super) async fn follow<O: Outside>(engine: Arc<Engine<O>>, entries: Vec<Issuer>) {
    let entries = Arc::new(entries);
    let mut failing = false;
    loop {
        tokio::time::sleep(EVERY).await;
        let entries = Arc::clone(&entries);
        match tokio::task::spawn_blocking(move || compose::issuers(&entries)).await {
            Ok(Ok(issuers)) => {
                engine.trust(issuers);
                failing = false;
            }
            Ok(Err(error)) if !failing => {
                tracing::error!(error = %format!("{error:#}"), "the keys of an issuer cannot be read again; those from before stay");
                failing = true;
            }
            Ok(Err(_)) => {}
            Err(stopped) => tracing::error!(%stopped, "reading the keys of issuers broke off"),
        }
    }
}
