//! Does a script that an attacker gets into the page run at all?

use super::super::Tried;
use super::super::stage::Stage;
use super::super::tab::shown;
use crate::check::Check;
use crate::scene::Scene;
use crate::verdict::{Evidence, Severity, Verdict};

pub(super) const CHECK: Check = Check::new(
    "browser-csp",
    "the page's policy stops inline script",
    "ASVS 3.4.3",
    "Send a Content-Security-Policy with a nonce or hashes for scripts, object-src 'none' and base-uri 'none', and no 'unsafe-inline'.",
)
.severity(Severity::Low);

/// What a hole in a page's markup lets an attacker write: a handler, and a script of text.
const INJECT: &str = "new Promise((done) => { \
    window.__drill = {}; \
    const box = document.createElement('div'); \
    /* Trusted Types refuse both: then neither runs. */ \
    try { box.innerHTML = '<img src=\"data:,\" onerror=\"window.__drill.handler = true\">'; } catch {} \
    document.documentElement.append(box); \
    const script = document.createElement('script'); \
    try { script.textContent = 'window.__drill.script = true'; } catch {} \
    document.documentElement.append(script); \
    setTimeout(() => { box.remove(); script.remove(); done(window.__drill); }, 400); })";

pub(super) fn run<'s>(stage: &'s Stage, scene: &'s Scene) -> Tried<'s> {
    Box::pin(async move {
        let victim = stage.victim(scene).await?;
        let page = &victim.signed_in.page;
        victim.tab.open(page).await?;
        let ran = victim.tab.evaluate(INJECT).await?;
        let ran: Vec<&str> = [("handler", "an event handler"), ("script", "an inline script")]
            .into_iter()
            .filter(|(name, _)| ran.get(*name).is_some_and(|ran| ran == true))
            .map(|(_, words)| words)
            .collect();
        if ran.is_empty() {
            return Ok(Verdict::pass(format!(
                "inline script and event handlers put into {} did not run",
                shown(page)
            )));
        }
        let evidence = Evidence::new(format!(
            "{} that was put into {} ran: no policy stands behind the page's own care",
            ran.join(" and "),
            shown(page)
        ));
        Ok(CHECK.finding(evidence))
    })
}
