//! The attacker's sites. They exist inside of the browser only: a request to one of them is answered here, and remembered.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use data_encoding::BASE64;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};
use url::Url;

use super::BrowserError;
use super::cdp::Cdp;
use super::tab::{Tab, text};
use crate::target::Target;

/// Reserved for tests (RFC 2606), so nobody's.
const HOST: &str = "thief.test";
const PAUSE: Duration = Duration::from_millis(30);

/// What arrived at the attacker's.
#[derive(Debug, Clone)]
pub(super) struct Hit {
    pub(super) url: Url,
    pub(super) body: String,
}

#[derive(Debug, Default)]
struct Held {
    pages: HashMap<String, String>,
    hits: Vec<Hit>,
}

/// The attacker's sites, as one tab sees them.
#[derive(Debug)]
pub(super) struct Thief {
    /// Another site: shares nothing with the target.
    pub(super) cross_site: Url,
    /// Another origin of the target's site: a subdomain, or another port where the host has none. Same-site cookies go along.
    pub(super) same_site: Url,
    held: Arc<Mutex<Held>>,
    router: AbortHandle,
}

impl Drop for Thief {
    fn drop(&mut self) {
        self.router.abort();
    }
}

impl Thief {
    /// Sets the sites up for a tab, before it opens anything of theirs.
    pub(super) async fn around(tab: &Tab, target: &Target) -> Result<Self, BrowserError> {
        let (cross_site, same_site) = sites(target);
        let held = Arc::<Mutex<Held>>::default();
        let patterns: Vec<Value> = [&cross_site, &same_site]
            .iter()
            .map(|site| json!({ "urlPattern": format!("{site}*"), "requestStage": "Request" }))
            .collect();
        let mut events = tab.cdp.events();
        let (cdp, session, kept) = (Arc::clone(&tab.cdp), tab.session.clone(), Arc::clone(&held));
        let router = tokio::spawn(async move {
            loop {
                let event = match events.recv().await {
                    Ok(event) => event,
                    Err(RecvError::Lagged(_)) => continue,
                    Err(RecvError::Closed) => return,
                };
                if event.session == session && event.method == "Fetch.requestPaused" {
                    answer(&cdp, &session, &event.params, &kept).await;
                }
            }
        });
        let thief = Self { cross_site, same_site, held, router: router.abort_handle() };
        tab.call("Fetch.enable", json!({ "patterns": patterns })).await?;
        Ok(thief)
    }

    /// Puts a page up, under this path, on both sites.
    pub(super) fn put(&self, path: &str, page: impl Into<String>) {
        self.lock().pages.insert(path.to_owned(), page.into());
    }

    /// What arrived under a path.
    pub(super) fn hits(&self, path: &str) -> Vec<Hit> {
        self.lock().hits.iter().filter(|hit| hit.url.path() == path).cloned().collect()
    }

    /// Waits for something to arrive under a path; whether it did.
    pub(super) async fn arrived(&self, path: &str, patience: Duration) -> bool {
        let end = Instant::now() + patience;
        while self.hits(path).is_empty() {
            if Instant::now() >= end {
                return false;
            }
            sleep(PAUSE).await;
        }
        true
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Both roots. A host without subdomains (`localhost`, an address) shares its site with its other ports.
fn sites(target: &Target) -> (Url, Url) {
    let mut cross = target.base().clone();
    for part in [cross.set_host(Some(HOST)).is_ok(), cross.set_port(None).is_ok()] {
        debug_assert!(part, "http and https URLs have hosts and ports");
    }
    cross.set_path("/");
    let mut same = target.base().clone();
    same.set_path("/");
    let named = match target.base().host() {
        Some(url::Host::Domain(name)) if name.contains('.') && !name.ends_with(".localhost") => {
            Some(format!("drill-neighbour.{name}"))
        }
        _ => None,
    };
    let moved = match named {
        Some(name) => same.set_host(Some(&name)).is_ok(),
        None => same.set_port(Some(if same.port() == Some(18_444) { 18_445 } else { 18_444 })).is_ok(),
    };
    debug_assert!(moved, "http and https URLs have hosts and ports");
    (cross, same)
}

async fn answer(cdp: &Cdp, session: &str, params: &Value, held: &Mutex<Held>) {
    let request = text(params, "requestId");
    let asked = params.get("request").cloned().unwrap_or_default();
    let Ok(url) = Url::parse(&text(&asked, "url")) else { return };
    let body = text(&asked, "postData");
    let page = {
        let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
        let page = held.pages.get(url.path()).cloned();
        held.hits.push(Hit { url, body });
        page
    };
    let kind = if page.is_some() { "text/html; charset=utf-8" } else { "text/plain" };
    let answer = json!({
        "requestId": request,
        "responseCode": 200,
        "responseHeaders": [
            { "name": "Content-Type", "value": kind },
            { "name": "Access-Control-Allow-Origin", "value": "*" },
            { "name": "Access-Control-Allow-Headers", "value": "*" },
        ],
        "body": BASE64.encode(page.unwrap_or_default().as_bytes()),
    });
    // The page may be gone already.
    drop(cdp.call(Some(session), "Fetch.fulfillRequest", answer).await);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites_of_the_attacker() {
        for (target, cross, same) in [
            ("https://app.example.com/x", "https://thief.test/", "https://drill-neighbour.app.example.com/"),
            ("http://localhost:3000/", "http://thief.test/", "http://localhost:18444/"),
            ("http://127.0.0.1:3000/", "http://thief.test/", "http://127.0.0.1:18444/"),
            ("https://app.localhost:8443/", "https://thief.test/", "https://app.localhost:18444/"),
        ] {
            let (one, other) = sites(&Target::parse(target).unwrap());
            assert_eq!((one.as_str(), other.as_str()), (cross, same), "{target}");
        }
    }
}
