//! Does text that a user writes about themselves run as script where it is shown?

use std::time::Duration;

use super::super::Tried;
use super::super::stage::Stage;
use super::super::tab::{quoted, shown};
use crate::check::Check;
use crate::scene::Scene;
use crate::verdict::{Evidence, Verdict};

pub(super) const CHECK: Check = Check::new(
    "browser-stored-script",
    "text that a user writes never runs as script",
    "ASVS 1.2.1, 1.3.1",
    "Show text as text (textContent, a framework's own escaping); where markup is wanted, sanitise it with an allow-list on the way out.",
)
.active();

pub(super) fn run<'s>(stage: &'s Stage, scene: &'s Scene) -> Tried<'s> {
    Box::pin(async move {
        let Some(change) = stage.change(scene).await? else {
            return Ok(Verdict::not_applicable(
                "no page has a text field of the account's own that could be changed",
            ));
        };
        let tab = stage.victim(scene).await?.tab;
        let word = scene.words.next();
        // Runs where markup is believed; nothing of it loads anything from anywhere.
        let payload = format!("{word}<img src=\"data:,\" onerror=\"window.__stored='{word}'\">");
        change.make(&tab, &payload).await?;
        let mut ran = None;
        let mut was_shown = false;
        for page in &change.shows {
            if tab.open_anew(page).await.is_err() {
                continue;
            }
            if tab.until(&format!("window.__stored === {}", quoted(&word)), Duration::from_millis(1500)).await
            {
                ran = Some(page.clone());
                break;
            }
            let text = format!("document.documentElement.outerHTML.includes({})", quoted(&word));
            was_shown |= tab.evaluate(&text).await.is_ok_and(|shown| shown == true);
        }
        change.undo(&tab).await?;
        Ok(match ran {
            Some(page) => CHECK.finding(
                Evidence::new(format!(
                    "markup in the field {} ran as script on {}",
                    change.field.name,
                    shown(&page)
                ))
                .step(format!("{}: text with an <img onerror> in it was accepted", change.described()))
                .step(format!("{}: its handler ran in the browser of whoever opens the page", shown(&page)))
                .step("the field was put back to what it was"),
            ),
            None if was_shown => {
                Verdict::pass(format!("markup in the field {} is shown as text", change.field.name))
            }
            None => Verdict::inconclusive(format!(
                "text with markup was sent ({}), and shows on none of {} pages",
                change.described(),
                change.shows.len()
            )),
        })
    })
}
