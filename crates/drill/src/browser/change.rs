//! Finds a request that changes something of the account's own, by typing into a field of the application's pages and watching what
//! is sent.

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep, timeout_at};
use url::Url;

use super::BrowserError;
use super::stage::Victim;
use super::tab::{Tab, quoted, text};
use crate::scene::Scene;

/// Pages that are looked at.
const PAGES: usize = 6;
/// Requests that are found.
const MOST: usize = 3;
/// For all of it.
const FINDING: Duration = Duration::from_secs(20);
/// Until something is sent.
const SENT: Duration = Duration::from_secs(2);
/// Until a page that is made by script has its fields.
const APPEARS: Duration = Duration::from_secs(4);
/// Until a page that is made by script shows what it shows.
const SETTLED: Duration = Duration::from_millis(400);

/// A request that a page of the application's sent, and in which a word of ours stood.
#[derive(Debug, Clone)]
pub(super) struct Change {
    /// The page with the field.
    pub(super) page: Url,
    /// Where it stands in that page.
    pub(super) field: Field,
    pub(super) method: String,
    pub(super) url: Url,
    /// Empty where there is no body.
    pub(super) content_type: String,
    pub(super) body: String,
    /// The word of ours in it, to be put another in its place.
    pub(super) marker: String,
    /// Whether the field can be put back to what it was; else each request adds something.
    restores: bool,
    /// Pages on which it may show.
    pub(super) shows: Vec<Url>,
}

/// A field and what stood in it.
#[derive(Debug, Clone)]
pub(super) struct Field {
    at: u64,
    pub(super) name: String,
    before: String,
}

impl Change {
    /// `POST /profile, field biography`.
    pub(super) fn described(&self) -> String {
        format!("{} {}, field {}", self.method, self.url.path(), self.field.name)
    }

    /// Puts text into the field and sends it, as the person would.
    pub(super) async fn make(&self, tab: &Tab, text: &str) -> Result<(), BrowserError> {
        tab.open_anew(&self.page).await?;
        if !has_field(tab, self.field.at).await {
            return Err(BrowserError::Script(format!(
                "the field {} is gone from {}",
                self.field.name,
                self.page.path()
            )));
        }
        fill(tab, self.field.at, text).await?;
        submit(tab, self.field.at).await?;
        sleep(Duration::from_millis(500)).await;
        tab.loaded().await;
        Ok(())
    }

    /// Puts back what stood there, where something did.
    pub(super) async fn undo(&self, tab: &Tab) -> Result<(), BrowserError> {
        if self.restores { self.make(tab, &self.field.before).await } else { Ok(()) }
    }

    /// For evidence.
    pub(super) const fn afterwards(&self) -> &'static str {
        if self.restores {
            "the field was put back to what it was"
        } else {
            "what was added stays: the page offers no way to take it back"
        }
    }

    /// Whether any page shows a word.
    pub(super) async fn seen(&self, tab: &Tab, word: &str) -> Result<bool, BrowserError> {
        let look = format!(
            "document.documentElement.outerHTML.includes({0}) || \
             [...document.querySelectorAll('input, textarea')].some((field) => field.value.includes({0}))",
            quoted(word)
        );
        for page in &self.shows {
            if tab.open_anew(page).await.is_ok() && tab.until(&look, Duration::from_millis(1200)).await {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Changes fields to words of ours, and back; at most [`MOST`] of different requests. None where no page has such a field.
pub(super) async fn find_changes(scene: &Scene, victim: &Victim) -> Result<Vec<Change>, BrowserError> {
    let tab = &victim.tab;
    let end = Instant::now() + FINDING;
    let mut pages = vec![victim.signed_in.page.clone()];
    let mut found: Vec<Change> = Vec::new();
    let mut at = 0;
    while let Some(page) = pages.get(at).filter(|_| at < PAGES).cloned() {
        at += 1;
        if tab.open(&page).await.is_err() {
            continue;
        }
        sleep(SETTLED).await;
        for link in links(tab).await? {
            if !pages.contains(&link) {
                pages.push(link);
            }
        }
        for field in fields(tab).await? {
            if found.len() >= MOST || Instant::now() >= end {
                break;
            }
            let marker = scene.words.next();
            if !has_field(tab, field.at).await {
                continue;
            }
            let sent = try_field(tab, &page, &field, &marker).await?;
            tab.open_anew(&page).await?;
            sleep(SETTLED).await;
            has_field(tab, field.at).await;
            let now = fields(tab).await?.into_iter().find(|now| now.at == field.at);
            let Some(mut change) = sent else { continue };
            // What the field shows again was changed and can be put back; what it does not, was added.
            change.restores = now.is_some_and(|now| now.before.contains(&marker));
            change.undo(tab).await?;
            let same = |other: &Change| {
                (&other.method, other.url.path(), &other.field.name)
                    == (&change.method, change.url.path(), &change.field.name)
            };
            if !found.iter().any(same) {
                found.push(change);
            }
        }
    }
    pages.truncate(PAGES);
    for change in &mut found {
        change.shows.clone_from(&pages);
    }
    Ok(found)
}

async fn links(tab: &Tab) -> Result<Vec<Url>, BrowserError> {
    let links = tab.evaluate(include_str!("script/links.js")).await?;
    let links = links.as_array().cloned().unwrap_or_default();
    Ok(links.iter().filter_map(|link| Url::parse(link.as_str()?).ok()).collect())
}

/// The fields of the page; numbers them, so that they can be named.
async fn fields(tab: &Tab) -> Result<Vec<Field>, BrowserError> {
    let found = tab.evaluate(include_str!("script/editable.js")).await?;
    let mut fields = Vec::new();
    for raw in found.as_array().cloned().unwrap_or_default().iter().take(4) {
        let Some(at) = raw.get("at").and_then(Value::as_u64) else { continue };
        let before =
            tab.evaluate(&format!("document.querySelector('[data-drill-field=\"{at}\"]').value")).await?;
        let before = before.as_str().unwrap_or_default().to_owned();
        fields.push(Field { at, name: text(raw, "name"), before });
    }
    Ok(fields)
}

/// Waits until the page has so many fields, and numbers them; pages that are made by script take a while.
async fn has_field(tab: &Tab, at: u64) -> bool {
    let numbered = format!("(\n{}).length > {at}", include_str!("script/editable.js").trim_end());
    tab.until(&numbered, APPEARS).await
}

async fn fill(tab: &Tab, at: u64, value: &str) -> Result<(), BrowserError> {
    let select = format!(
        "((f) => {{ f.focus(); f.select(); return true; }})(document.querySelector('[data-drill-field=\"{at}\"]'))"
    );
    tab.evaluate(&select).await?;
    if value.is_empty() {
        tab.evaluate("document.execCommand('delete')").await?;
        return Ok(());
    }
    tab.type_in(value).await
}

async fn submit(tab: &Tab, at: u64) -> Result<(), BrowserError> {
    let click = format!(
        "((field) => {{ \
           const around = field.form ?? field.closest('section, fieldset, div, main') ?? document.body; \
           const buttons = [...around.querySelectorAll('button, input[type=submit]')].filter((b) => b.getClientRects().length > 0 && \
             !/delete|remove|cancel|log.?out|sign.?out/i.test(b.textContent + b.value)); \
           const button = buttons.find((b) => b.type === 'submit') ?? buttons[0]; \
           if (button) button.click(); else field.form?.requestSubmit(); \
           return true; }})(document.querySelector('[data-drill-field=\"{at}\"]'))"
    );
    tab.evaluate(&click).await.map(drop)
}

/// Types the word, submits, and waits for a request that holds it.
async fn try_field(
    tab: &Tab,
    page: &Url,
    field: &Field,
    marker: &str,
) -> Result<Option<Change>, BrowserError> {
    tab.call("Network.enable", serde_json::json!({ "maxPostDataSize": 65536 })).await?;
    let mut events = tab.cdp.events();
    fill(tab, field.at, marker).await?;
    submit(tab, field.at).await?;
    let end = Instant::now() + SENT;
    let mut found = None;
    while let Ok(Ok(event)) = timeout_at(end, events.recv()).await {
        if event.session != tab.session || event.method != "Network.requestWillBeSent" {
            continue;
        }
        let request = event.params.get("request").cloned().unwrap_or_default();
        let (url, body) = (text(&request, "url"), text(&request, "postData"));
        if !url.contains(marker) && !body.contains(marker) {
            continue;
        }
        let Ok(url) = Url::parse(&url) else { continue };
        if url.origin() != page.origin() {
            continue;
        }
        let headers = request.get("headers").and_then(Value::as_object).cloned().unwrap_or_default();
        let content_type = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        found = Some(Change {
            page: page.clone(),
            field: field.clone(),
            method: text(&request, "method"),
            url,
            content_type: content_type.and_then(|(_, value)| value.as_str()).unwrap_or_default().to_owned(),
            body,
            marker: marker.to_owned(),
            restores: false,
            shows: Vec::new(),
        });
        break;
    }
    tab.call("Network.disable", serde_json::json!({})).await?;
    tab.loaded().await;
    Ok(found)
}
