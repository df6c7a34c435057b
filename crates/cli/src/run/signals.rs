//! Signals: stop, and read the certificate again.

use anyhow::Context;
use countersign_adapters::SystemClock;
use countersign_adapters::tls::{Reload, Tls};
use countersign_core::port::Clock;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};

/// Completes at the first SIGTERM or SIGINT. A second SIGINT ends the process at once: somebody sits before it and
/// does not want to wait for the drain.
///
/// # Errors
/// If the system gives no handler.
pub(super) fn stop() -> anyhow::Result<impl Future<Output = ()> + Send> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT")?;
    Ok(async move {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        tracing::info!(signal = name, "stopping");
        tokio::spawn(async move {
            if interrupt.recv().await.is_some() {
                std::process::exit(130);
            }
        });
    })
}

/// Reads TLS files again every 30 s, and at once on SIGHUP. Never returns by itself.
pub(super) async fn reload(tls: Arc<Tls>) {
    let Ok(mut hang_up) = signal(SignalKind::hangup()) else {
        tracing::warn!("SIGHUP is not to be had; certificates are read again every 30 s");
        return tls.watch().await;
    };
    let on_signal = async {
        while hang_up.recv().await.is_some() {
            let tls = Arc::clone(&tls);
            let reloaded = tokio::task::spawn_blocking(move || tls.reload(SystemClock.now())).await;
            match reloaded {
                Ok(Ok(Reload::Replaced)) => tracing::info!("SIGHUP: TLS certificate replaced"),
                Ok(Ok(Reload::Unchanged)) => tracing::info!("SIGHUP: TLS certificate unchanged"),
                Ok(Err(error)) => {
                    tracing::error!(%error, "SIGHUP: TLS certificate not reloaded; the old one stays in use");
                }
                Err(error) => tracing::error!(%error, "SIGHUP: reload ended abnormally"),
            }
        }
    };
    tokio::select! {
        () = on_signal => {}
        () = Arc::clone(&tls).watch() => {}
    }
}
