//! `dev`: one command to a working system.

mod banner;

use super::{Verdict, settings};
use crate::args::{Dev, Global};
use crate::config::{Development, DevelopmentUpstream, Settings, read};
use crate::demo::Demo;
use crate::output::Screen;
use crate::run::{self, Ready};
use anyhow::{Context, bail};
use banner::banner;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long an application on this machine may take to accept a connection.
const PATIENCE: Duration = Duration::from_millis(500);

pub(super) fn dev(global: &Global, dev: &Dev, screen: Screen) -> anyhow::Result<Verdict> {
    let mut development = Development {
        upstreams: dev.upstream.iter().map(|text| DevelopmentUpstream::parse(text)).collect(),
        plain_http: dev.plain_http,
        public_url: dev.public_url.clone(),
    };
    refuse_contradictions(&development)?;
    if let Some((file, says)) = settings::sources(global)?.contradicts_development() {
        bail!(
            "{file} says {says}, and `dev` serves this machine only: run `countersign serve`, name another file with \
             --config, or cd to a directory without {file}"
        );
    }
    let runtime = run::server_runtime()?;
    let checked = read(&settings::sources(global)?.with_development(&development))?;
    let demo = if checked.inspect().upstreams.is_empty() || development.leaves_paths() {
        let demo = runtime.block_on(Demo::start()).context("the demonstration application cannot listen")?;
        development.upstreams.push(DevelopmentUpstream::parse(&demo.url()));
        Some(demo.url())
    } else {
        None
    };
    let (settings, findings) = read(&settings::sources(global)?.with_development(&development))?.start()?;
    let _log = run::log_for_server(&settings)?;
    let silent = runtime.block_on(silent(&settings));
    let announce = |ready: &Ready| {
        if screen.json {
            screen.document(ready)
        } else {
            screen.line(&banner(ready, &settings, demo.as_deref(), &silent, screen.paint))
        }
    };
    run::serve(runtime, &settings, &findings, announce)?;
    Ok(Verdict::Fine)
}

/// Flags that cannot both be meant, by the names that were typed.
fn refuse_contradictions(development: &Development) -> anyhow::Result<()> {
    let Development { upstreams, plain_http, public_url } = development;
    if let Some(url) = public_url.as_deref().filter(|url| url.to_ascii_lowercase().starts_with("https:"))
        && *plain_http
    {
        bail!("--plain-http contradicts --public-url {url}: write http:// there, or leave --plain-http out");
    }
    for upstream in upstreams {
        if let Some((message, right)) = upstream.mistyped() {
            bail!("--upstream {}: {message}; write --upstream {right}", upstream.typed());
        }
    }
    for (index, second) in upstreams.iter().enumerate() {
        let Some(first) = upstreams.iter().take(index).find(|first| first.path == second.path) else {
            continue;
        };
        let (first_typed, second_typed) = (first.typed(), second.typed());
        if first.url == second.url {
            bail!("--upstream {first_typed} stands there twice: leave one of them out");
        }
        let taken = |path: &str| upstreams.iter().any(|upstream| upstream.path == path);
        let free = (2..).map(|n| format!("{}{n}", second.path)).find(|path| !taken(path));
        let (what, free) = match free {
            Some(free) if !second.path.is_empty() => (second.path.as_str(), free),
            _ => ("every path", if taken("/api") { "/app".into() } else { "/api".to_owned() }),
        };
        bail!(
            "--upstream {first_typed} and --upstream {second_typed} both claim {what}: leave one of them out, or give it \
             a path of its own, such as --upstream {free}={}",
            second.url
        );
    }
    Ok(())
}

/// Where no application listens yet: a page "502" is a poor way to find out.
async fn silent(settings: &Settings) -> Vec<String> {
    let mut silent = Vec::new();
    for upstream in &settings.upstreams {
        let host = upstream.url.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = upstream.url.port_or_known_default().unwrap_or(80);
        if !matches!(timeout(PATIENCE, TcpStream::connect((host, port))).await, Ok(Ok(_))) {
            silent.push(upstream.url.origin().ascii_serialization());
        }
    }
    silent
}
