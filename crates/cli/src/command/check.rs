//! `check`: what is unsafe, weak or worth knowing.

use super::{Verdict, settings};
use crate::args::Global;
use crate::compose;
use crate::config::{DEFAULT_FILE, Level, capacity, probe};
use crate::output::{Screen, Tone, count, findings};
use crate::run;
use serde_json::json;

pub(super) fn check(global: &Global, screen: Screen) -> anyhow::Result<Verdict> {
    let checked = settings::existing(global)?;
    let settings = checked.inspect();
    // What could not be built could not be served either.
    compose::site(settings)?;
    let mut found = checked.findings().to_vec();
    found.extend(probe(settings));
    found.extend(compose::probe_issuers(&settings.issuers)?);
    found.extend(capacity(settings, run::permitted_files()).findings);
    found.sort_by_key(|finding| finding.level);
    let is_unsafe = found.iter().any(|finding| finding.level == Level::Unsafe);
    if screen.json {
        let environment = settings.environment.as_str();
        screen.document(&json!({ "environment": environment, "unsafe": is_unsafe, "findings": found }))?;
    } else {
        let paint = screen.paint;
        if !settings::is_configured(global) {
            let text =
                format!("There is no {DEFAULT_FILE} here: these are the settings of `countersign dev`.");
            screen.line(&paint.text(Tone::Quiet, &text))?;
        }
        if !found.is_empty() {
            screen.line(&findings(&found, paint))?;
            screen.line("")?;
        }
        let unsafe_ones = found.iter().filter(|finding| finding.level == Level::Unsafe).count();
        screen.line(&if is_unsafe {
            let verdict = format!("Not safe to serve: {}.", count(unsafe_ones, "unsafe setting"));
            paint.text(Tone::Bad, &verdict)
        } else {
            paint.text(Tone::Good, &format!("Safe to serve in {}.", settings.environment))
        })?;
    }
    Ok(if is_unsafe { Verdict::Findings } else { Verdict::Fine })
}
