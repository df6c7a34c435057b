//! `trust`: browsers on this machine and the local CA.

use super::{Verdict, settings};
use crate::args::{Global, Trust};
use crate::compose::Presence;
use crate::config::Transport;
use crate::output::{Screen, Tone};
use crate::run::open_ca;
use anyhow::{Context, bail};
use countersign_adapters::trust::{Outcome, Step, TrustStores};
use serde_json::{Value, json};
use std::path::PathBuf;

pub(super) fn trust(global: &Global, trust: &Trust, screen: Screen) -> anyhow::Result<Verdict> {
    let checked = settings::or_development(global)?;
    let settings = checked.inspect();
    if settings.tls.transport != Transport::LocalCa {
        bail!("this configuration uses no local CA (tls.mode = \"local-ca\"), so there is nothing to trust");
    }
    let home =
        std::env::var_os("HOME").map(PathBuf::from).context("HOME is not set: whose browsers are meant?")?;
    // In a directory where nothing is, a CA that no server uses would be made and installed. A configuration that asks for
    // one is enough of a reason: whoever prepares a machine trusts first and serves later.
    let make = !trust.undo && settings::is_configured(global);
    let presence = if make { Presence::Create } else { Presence::Required };
    let Some(ca) = open_ca(settings, presence)? else {
        if !trust.undo {
            bail!(
                "there is no local CA in {}: run `countersign dev` here first, which makes one, or name the configuration \
                 with --config PATH",
                std::env::current_dir()?.display()
            );
        }
        // Undoing must not make what it is to take away.
        if screen.json {
            screen.document(&json!({ "ca": null, "name": null, "steps": [] }))?;
        } else {
            let here = std::env::current_dir()?;
            screen.line(&format!("{} has no local CA, so there is nothing to undo.", here.display()))?;
        }
        return Ok(Verdict::Fine);
    };
    let stores = TrustStores::find(&home);
    let steps = if trust.undo { stores.remove(&ca) } else { stores.install(&ca) };
    let failed = steps.iter().any(|step| matches!(step.outcome, Outcome::Failed(_)));
    if screen.json {
        let steps: Vec<_> = steps.iter().map(document).collect();
        screen.document(&json!({ "ca": ca.certificate_path(), "name": ca.name(), "steps": steps }))?;
        return Ok(if failed { Verdict::Findings } else { Verdict::Fine });
    }
    let verb = if trust.undo { "Removing" } else { "Installing" };
    let name = screen.paint.text(Tone::Strong, &ca.name());
    screen.line(&format!("{verb} {name} ({})", ca.certificate_path().display()))?;
    for step in &steps {
        screen.line(&line(step, screen))?;
    }
    if !trust.undo {
        let text = "It can vouch for localhost, *.localhost, *.test and loopback addresses only. To undo: countersign trust --undo";
        screen.line(&screen.paint.text(Tone::Quiet, text))?;
        screen.line(&screen.paint.text(Tone::Quiet, "Restart the browser to make it look again."))?;
    }
    Ok(if failed { Verdict::Findings } else { Verdict::Fine })
}

fn line(step: &Step, screen: Screen) -> String {
    let paint = screen.paint;
    let (tone, mark, rest) = match &step.outcome {
        Outcome::Done => (Tone::Good, "done", String::new()),
        Outcome::Skipped(why) => (Tone::Quiet, "skipped", format!(": {why}")),
        Outcome::Failed(why) => (Tone::Bad, "failed", format!(": {why}")),
    };
    let mut text = format!("  {} {}{rest}", paint.text(tone, &format!("{mark:<7}")), step.store);
    if let Some(undo) = &step.undo {
        text.push_str(&format!(
            "\n          {}",
            paint.text(Tone::Quiet, &format!("to undo by hand: {undo}"))
        ));
    }
    text
}

fn document(step: &Step) -> Value {
    let (outcome, why) = match &step.outcome {
        Outcome::Done => ("done", None),
        Outcome::Skipped(why) => ("skipped", Some(why)),
        Outcome::Failed(why) => ("failed", Some(why)),
    };
    json!({ "store": step.store, "outcome": outcome, "why": why, "undo": step.undo })
}
