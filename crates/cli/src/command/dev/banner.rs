//! What `dev` says when it answers.

use crate::config::{Settings, StoreLocation, Transport};
use crate::output::{Paint, Tone};
use crate::run::Ready;
use std::path::Path;

/// `demo` is the demonstration application's URL; `silent` are those of upstreams that nothing answers at.
pub(super) fn banner(
    ready: &Ready,
    settings: &Settings,
    demo: Option<&str>,
    silent: &[String],
    paint: Paint,
) -> String {
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
    if let (Some(demo), [_]) = (demo, &settings.upstreams[..]) {
        say("Shows", &format!("a demonstration application ({demo})"));
        say("Yours", &command("countersign dev --upstream http://localhost:3000"));
    } else {
        for route in settings.routes.iter().rev() {
            let url = settings.upstreams.iter().find(|upstream| upstream.name == route.upstream);
            let url = url.map(|upstream| upstream.url.origin().ascii_serialization()).unwrap_or_default();
            let what = if demo == Some(&url) { "a demonstration application, " } else { "" };
            say("Protects", &format!("{}  →  {what}{url}", route.path));
        }
    }
    for url in silent {
        let text = format!("nothing answers at {url} yet: start your application, or look at --upstream");
        say("Warning", &paint.text(Tone::Warn, &text));
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
