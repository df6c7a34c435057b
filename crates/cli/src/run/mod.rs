//! A node from start to stop.

mod files;
mod listen;
mod log;
mod ready;
mod signals;
mod tls;
mod upkeep;

pub(crate) use files::permitted as permitted_files;
pub(crate) use log::{for_command as log_for_command, for_server as log_for_server};
pub(crate) use ready::Ready;
pub(crate) use tls::open_ca;

use crate::admin::{self, AdminServer};
use crate::compose::{self, MasterKey, Opened, Presence, Wired};
use crate::config::{Capacity, Finding, Level, Settings, capacity, probe};
use anyhow::{Context as _, bail};
use countersign_core::domain::event::EventName;
use countersign_core::port::Outside;
use countersign_core::service::{Context, Engine, NewEvent};
use countersign_http::{Shutdown, Site};
use listen::Bound;
use std::sync::Arc;
use std::time::Duration;

/// Threads that serve connections. More cost memory and gain nothing: the store has one writer.
const MOST_THREADS: usize = 16;
/// Threads for all else: operators, mail, upkeep, the demonstration application.
const MOST_WORKERS: usize = 2;
/// How long queued mail may take to leave at the end.
const MAIL_PATIENCE: Duration = Duration::from_secs(5);
/// How long tasks that are left over may take to end.
const LEFTOVERS: Duration = Duration::from_secs(1);

/// The runtime of a server.
pub(crate) fn server_runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores().min(MOST_WORKERS))
        .enable_all()
        .build()
        .context("the runtime cannot be started")
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Serves until a signal says stop. `announce` is called once, when the node answers.
pub(crate) fn serve(
    runtime: tokio::runtime::Runtime,
    settings: &Settings,
    findings: &[Finding],
    announce: impl FnOnce(&Ready) -> std::io::Result<()>,
) -> anyhow::Result<()> {
    // Whatever is created from here on (store, keys, socket) is for this user alone.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let Capacity { connections, findings: too_many } = capacity(settings, files::raise());
    for finding in findings.iter().chain(&too_many).filter(|finding| finding.level != Level::Note) {
        let (key, value, remedy) = (&finding.key, &finding.value, &finding.remedy);
        tracing::warn!(key, value, remedy, "{}", finding.message);
    }
    refuse_unsafe_files(settings)?;
    let served = runtime.block_on(node(settings, connections as usize, announce));
    runtime.shutdown_timeout(LEFTOVERS);
    served
}

/// Files that the settings name and that cannot be used, or that others can read.
fn refuse_unsafe_files(settings: &Settings) -> anyhow::Result<()> {
    let hardened = settings.environment.is_hardened();
    let mut refused = Vec::new();
    for finding in probe(settings) {
        if finding.level == Level::Unsafe && (hardened || finding.everywhere) {
            refused.push(format!("\n  {finding}"));
        } else {
            let (key, value, remedy) = (&finding.key, &finding.value, &finding.remedy);
            tracing::warn!(key, value, remedy, "{}", finding.message);
        }
    }
    if refused.is_empty() {
        return Ok(());
    }
    bail!("the configuration was refused:{}", refused.concat());
}

async fn node(
    settings: &Settings,
    connections: usize,
    announce: impl FnOnce(&Ready) -> std::io::Result<()>,
) -> anyhow::Result<()> {
    let stop = signals::stop()?;
    // Before anything is written: a taken port is the most common fault.
    let Bound { public, admin, health } = listen::bind(settings).await?;
    let Opened { engine, master_key, migrated } = compose::open(settings, Presence::Create).await?;
    if let Some(migrated) = migrated.filter(|migrated| migrated.from > 0) {
        let (from, to) = (migrated.from, migrated.to);
        tracing::info!(from, to, copy = ?migrated.copy, "the store was brought to this version");
    }
    if let MasterKey::Created(path) = &master_key {
        let path = path.display();
        tracing::warn!(%path, "a master secret was made: back this up, apart from the store; without it no session can be used again");
    }
    engine.outside().issuers().read_files().context("issuer.jwks_file")?;
    let engine = Arc::new(engine);
    let operators = AdminServer::bind(&admin::socket_path(settings), &admin::store_path(settings))?;
    let tls = tls::tls(settings)?;
    let site = Site::new(
        Arc::clone(&engine),
        countersign_http::Settings { connections, ..compose::site(settings)? },
    );
    let ready = Ready::new(settings, &public, &admin, health.as_ref(), master_key)?;
    engine.record(
        NewEvent::done(EventName::SysStartup, "started").detail(env!("CARGO_PKG_VERSION")),
        &Context::default(),
    );
    let operators = tokio::spawn(operators.serve(Arc::clone(&engine)));
    let upkeep = tokio::spawn(upkeep::keep_up(Arc::clone(&engine)));
    let following = engine.outside().issuers().follow();
    let watching = tls.clone().map(|tls| tokio::spawn(signals::reload(tls)));
    let listeners = countersign_http::Listeners {
        public,
        tls: tls.map(|tls| tls.config()),
        admin: Some(admin),
        health,
        threads: cores().min(MOST_THREADS),
    };
    ready.log();
    announce(&ready).context("standard output")?;
    let shutdown = Shutdown { unready: settings.limits.unready, drain: settings.limits.drain };
    countersign_http::serve(site, listeners, stop, shutdown).await.context("threads to serve with")?;
    drop(following);
    for task in [Some(operators), Some(upkeep), watching].into_iter().flatten() {
        task.abort();
        // Aborted on purpose; what it returns says only that.
        drop(task.await);
    }
    finish(&engine).await;
    Ok(())
}

/// Writes what waits, so that nothing acknowledged in memory is lost by a stop.
async fn finish(engine: &Engine<Wired>) {
    engine.record(NewEvent::done(EventName::SysShutdown, "stopped"), &Context::default());
    if let Err(error) = engine.flush().await {
        tracing::error!(%error, "what waited could not be written");
    }
    if !engine.outside().mailer().drain(MAIL_PATIENCE).await {
        tracing::warn!("some mail was not delivered");
    }
}
