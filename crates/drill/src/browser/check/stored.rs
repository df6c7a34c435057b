//! Does text that a user writes about themselves run as script where it is shown?

use std::time::Duration;

use super::super::change::Change;
use super::super::stage::Stage;
use super::super::tab::{Tab, quoted, shown};
use super::super::{BrowserError, Tried};
use crate::check::Check;
use crate::scene::Scene;
use crate::verdict::{Evidence, Verdict};

/// Until a page has run what it runs.
const LOOKED: Duration = Duration::from_millis(1000);

pub(super) const CHECK: Check = Check::new(
    "browser-stored-script",
    "text that a user writes never runs as script",
    "ASVS 1.2.1, 1.3.1",
    "Show text as text (textContent, a framework's own escaping); where markup is wanted, sanitise it with an allow-list on the way out.",
)
.active();

pub(super) fn run<'s>(stage: &'s Stage, scene: &'s Scene) -> Tried<'s> {
    Box::pin(async move {
        let changes = stage.changes(scene).await?;
        if changes.is_empty() {
            return Ok(Verdict::not_applicable(
                "no page has a text field of the account's own that could be changed",
            ));
        }
        let tab = stage.victim(scene).await?.tab;
        let mut shown_as_text = Vec::new();
        for change in changes {
            match written(scene, &tab, change).await? {
                Written::Ran(page) => {
                    let evidence = Evidence::new(format!(
                        "markup in the field {} ran as script on {page}",
                        change.field.name
                    ))
                    .step(format!("{}: text with an <img onerror> in it was accepted", change.described()))
                    .step(format!("{page}: its handler ran in the browser of whoever opens the page"))
                    .step(change.afterwards());
                    return Ok(CHECK.finding(evidence));
                }
                Written::Shown => shown_as_text.push(&*change.field.name),
                Written::Nowhere => {}
            }
        }
        Ok(if shown_as_text.is_empty() {
            let tried: Vec<String> = changes.iter().map(Change::described).collect();
            Verdict::inconclusive(format!(
                "text with markup was sent ({}), and shows on no page that was looked at",
                tried.join("; ")
            ))
        } else {
            Verdict::pass(format!("markup is shown as text: {}", shown_as_text.join(", ")))
        })
    })
}

enum Written {
    Ran(String),
    Shown,
    Nowhere,
}

/// Writes markup into the field, looks at every page, and puts back what was there.
async fn written(scene: &Scene, tab: &Tab, change: &Change) -> Result<Written, BrowserError> {
    let word = scene.words.next();
    // Runs where markup is believed; nothing of it loads anything from anywhere.
    let payload = format!("{word}<img src=\"data:,\" onerror=\"window.__stored='{word}'\">");
    change.make(tab, &payload).await?;
    let mut found = Written::Nowhere;
    for page in &change.shows {
        if tab.open_anew(page).await.is_err() {
            continue;
        }
        if tab.until(&format!("window.__stored === {}", quoted(&word)), LOOKED).await {
            found = Written::Ran(shown(page));
            break;
        }
        let text = format!("document.documentElement.outerHTML.includes({})", quoted(&word));
        if tab.evaluate(&text).await.is_ok_and(|shown| shown == true) {
            found = Written::Shown;
        }
    }
    change.undo(tab).await?;
    Ok(found)
}
