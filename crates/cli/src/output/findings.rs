//! What `check` has to say, and why a start was refused.

use super::{Paint, Tone};
use crate::config::{Finding, Level, Refused};
use serde_json::{Value, json};

/// Findings grouped by level, most serious first, each with its remedy.
pub(crate) fn findings(findings: &[Finding], paint: Paint) -> String {
    let mut out = String::new();
    for (level, title, tone) in [
        (Level::Unsafe, "Unsafe", Tone::Bad),
        (Level::Warning, "Warnings", Tone::Warn),
        (Level::Note, "Worth knowing", Tone::Accent),
    ] {
        let group: Vec<_> = findings.iter().filter(|finding| finding.level == level).collect();
        if group.is_empty() {
            continue;
        }
        out.push_str(&format!("{}\n", paint.text(tone, &format!("{title} ({})", group.len()))));
        for finding in group {
            let key = paint.text(Tone::Strong, &format!("{} = {}", finding.key, finding.value));
            out.push_str(&format!("  {key}\n    {}\n", finding.message));
            out.push_str(&format!("    {} {}\n", paint.text(Tone::Quiet, "remedy:"), finding.remedy));
        }
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out
}

/// A refused configuration as a document.
pub(crate) fn refused(refused: &Refused) -> Value {
    let problems: Vec<_> = refused
        .problems()
        .iter()
        .map(|problem| {
            json!({
                "key": problem.key,
                "value": problem.value,
                "origin": problem.origin,
                "message": problem.message,
                "remedy": problem.remedy,
            })
        })
        .collect();
    json!({ "error": "the configuration was refused", "problems": problems })
}
