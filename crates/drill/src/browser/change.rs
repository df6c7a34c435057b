//! Finds a request that changes something of the account's own, by typing into a field of the application's pages and watching what
//! is sent.

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::BrowserError;
use super::stage::Victim;
use super::tab::{Tab, quoted, text};
use crate::scene::Scene;

/// Pages that are looked at.
const PAGES: usize = 6;
/// Until something is sent.
const SENT: Duration = Duration::from_secs(3);

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
        fields(tab).await?;
        fill(tab, self.field.at, text).await?;
        submit(tab, self.field.at).await?;
        tokio::time::sleep(Duration::from_millis(500)).await;
        tab.loaded().await;
        Ok(())
    }

    /// Puts back what stood there.
    pub(super) async fn undo(&self, tab: &Tab) -> Result<(), BrowserError> {
        self.make(tab, &self.field.before).await
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

/// Changes a field to a word of ours, and back. `None` where no page has such a field.
pub(super) async fn find_change(scene: &Scene, victim: &Victim) -> Result<Option<Change>, BrowserError> {
    let tab = &victim.tab;
    let mut pages = vec![victim.signed_in.page.clone()];
    let mut at = 0;
    let mut found = None;
    while let Some(page) = pages.get(at).filter(|_| at < PAGES).cloned() {
        at += 1;
        if tab.open(&page).await.is_err() {
            continue;
        }
        tokio::time::sleep(Duration::from_millis(400)).await;
        for link in links(tab).await? {
            if !pages.contains(&link) {
                pages.push(link);
            }
        }
        if found.is_some() {
            continue;
        }
        for field in fields(tab).await? {
            let marker = scene.words.next();
            if let Some(sent) = try_field(tab, &page, &field, &marker).await? {
                found = Some(sent);
                break;
            }
            tab.open(&page).await?;
            tokio::time::sleep(Duration::from_millis(300)).await;
            fields(tab).await?;
        }
    }
    let Some(mut change) = found else { return Ok(None) };
    pages.truncate(PAGES);
    change.shows = pages;
    change.undo(tab).await?;
    Ok(Some(change))
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
            shows: Vec::new(),
        });
        break;
    }
    tab.call("Network.disable", serde_json::json!({})).await?;
    tab.loaded().await;
    Ok(found)
}
