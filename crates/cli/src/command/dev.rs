//! `dev`: one command to a working system.

use super::{Verdict, settings};
use crate::args::{Dev, Global};
use crate::config::{Development, DevelopmentUpstream, Settings, StoreLocation, Transport, read};
use crate::demo::Demo;
use crate::output::{Paint, Screen, Tone};
use crate::run::{self, Ready};
use anyhow::Context;
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

pub(super) fn dev(global: &Global, dev: &Dev, screen: Screen) -> anyhow::Result<Verdict> {
    let mut development = Development {
        upstreams: dev.upstream.iter().map(|text| DevelopmentUpstream::parse(text)).collect(),
        plain_http: dev.plain_http,
        public_url: dev.public_url.clone(),
    };
    let runtime = run::server_runtime()?;
    let checked = read(&settings::sources(global)?.with_development(&development))?;
    let demo = if checked.inspect().upstreams.is_empty() {
        let demo = runtime.block_on(Demo::start()).context("the demonstration application cannot listen")?;
        development.upstreams.push(DevelopmentUpstream::parse(&demo.url()));
        Some(demo)
    } else {
        None
    };
    let (settings, findings) = read(&settings::sources(global)?.with_development(&development))?.start()?;
    let _log = run::log_for_server(&settings)?;
    keep_out_of_git(&settings).context("the directory for data cannot be made")?;
    let announce = |ready: &Ready| {
        if screen.json {
            screen.document(ready)
        } else {
            screen.line(&banner(ready, &settings, demo.as_ref(), screen.paint))
        }
    };
    run::serve(runtime, &settings, &findings, announce)?;
    Ok(Verdict::Fine)
}

/// Makes `.countersign` with a `.gitignore`: keys and people's data have no place in a repository.
fn keep_out_of_git(settings: &Settings) -> std::io::Result<()> {
    let StoreLocation::Sqlite(store) = &settings.store else { return Ok(()) };
    let Some(directory) = store.parent().filter(|directory| directory.ends_with(".countersign")) else {
        return Ok(());
    };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    match std::fs::OpenOptions::new().write(true).create_new(true).open(directory.join(".gitignore")) {
        Ok(mut file) => file.write_all(b"*\n"),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

fn banner(ready: &Ready, settings: &Settings, demo: Option<&Demo>, paint: Paint) -> String {
    let mut lines = vec![
        String::new(),
        format!(
            "  {} {}",
            paint.text(Tone::Accent, "◖◗"),
            paint.text(Tone::Strong, &format!("Countersign {}", env!("CARGO_PKG_VERSION")))
        ),
        String::new(),
    ];
    let mut say = |name: &str, text: &str| {
        lines.push(format!("  {} {text}", paint.text(Tone::Quiet, &format!("{name:<9}"))));
    };
    let command = |text: &str| paint.text(Tone::Accent, text);
    say("Open", &paint.text(Tone::Strong, &ready.public_url));
    if let Some(demo) = demo {
        say("Shows", &format!("a demonstration application ({})", demo.url()));
        say("Yours", &command("countersign dev --upstream http://localhost:3000"));
    } else {
        for route in settings.routes.iter().rev() {
            let url = settings.upstreams.iter().find(|upstream| upstream.name == route.upstream);
            let url = url.map(|upstream| upstream.url.origin().ascii_serialization()).unwrap_or_default();
            say("Protects", &format!("{}  →  {url}", route.path));
        }
    }
    match settings.tls.transport {
        Transport::LocalCa => {
            say(
                "Trust",
                &format!("{}  so that browsers accept its certificate", command("countersign trust")),
            );
            say("", &format!("or go without: {}", command("countersign dev --plain-http")));
        }
        Transport::Off => say("Plain", "no TLS: cookies are weaker than in production"),
        Transport::Files { .. } => {}
    }
    say("Sign-up", "open, and addresses count as verified: this is development");
    if let StoreLocation::Sqlite(store) = &settings.store {
        say("Data", &data(store, ready));
    }
    say("Health", &format!("http://{}/readyz", ready.admin));
    say(
        "Look",
        &format!("{}  {}", command("countersign session list"), command("countersign events --follow")),
    );
    lines.push(String::new());
    lines.push(format!("  {}", paint.text(Tone::Quiet, "Ctrl-C stops.")));
    lines.push(String::new());
    lines.join("\n")
}

fn data(store: &Path, ready: &Ready) -> String {
    let place = store.display();
    match &ready.master_key_created {
        Some(key) => format!("{place}, sealed by {} (made now: back both up to keep them)", key.display()),
        None => place.to_string(),
    }
}
