//! A tab, in a context of its own: cookies and storage are shared with nobody that is not meant to share them.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use url::Url;

use super::BrowserError;
use super::cdp::Cdp;

/// Until a page has loaded. What it loads behind that is waited for by those who need it.
const PATIENCE: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(40);

/// Cookies and storage of one person.
#[derive(Debug, Clone)]
pub(super) struct Person {
    cdp: Arc<Cdp>,
    pub(super) context: String,
}

impl Person {
    /// Somebody new.
    pub(super) async fn new(cdp: &Arc<Cdp>) -> Result<Self, BrowserError> {
        let made = cdp.call(None, "Target.createBrowserContext", json!({ "disposeOnDetach": true })).await?;
        Ok(Self { cdp: Arc::clone(cdp), context: text(&made, "browserContextId") })
    }

    /// An empty tab of theirs.
    pub(super) async fn tab(&self) -> Result<Tab, BrowserError> {
        let params = json!({ "url": "about:blank", "browserContextId": self.context });
        let target = text(&self.cdp.call(None, "Target.createTarget", params).await?, "targetId");
        let params = json!({ "targetId": target, "flatten": true });
        let session = text(&self.cdp.call(None, "Target.attachToTarget", params).await?, "sessionId");
        let tab = Tab { cdp: Arc::clone(&self.cdp), target, session };
        tab.call("Page.enable", json!({})).await?;
        Ok(tab)
    }

    /// Forgets them.
    pub(super) async fn leave(self) -> Result<(), BrowserError> {
        let params = json!({ "browserContextId": self.context });
        self.cdp.call(None, "Target.disposeBrowserContext", params).await.map(drop)
    }
}

/// A tab.
#[derive(Debug, Clone)]
pub(super) struct Tab {
    pub(super) cdp: Arc<Cdp>,
    pub(super) target: String,
    pub(super) session: String,
}

impl Tab {
    pub(super) async fn call(&self, method: &'static str, params: Value) -> Result<Value, BrowserError> {
        self.cdp.call(Some(&self.session), method, params).await
    }

    /// Opens a page, as if its address had been typed, and waits until it has loaded.
    pub(super) async fn open(&self, url: &Url) -> Result<(), BrowserError> {
        let answer = self.call("Page.navigate", json!({ "url": url.as_str() })).await?;
        if let Some(why) = answer.get("errorText").and_then(Value::as_str) {
            // A download, or an answer without a page: nothing was opened, and nothing is wrong with the browser.
            return Err(BrowserError::Page { url: shown(url), why: why.to_owned() });
        }
        self.loaded().await;
        Ok(())
    }

    /// The same, from the application and not from a cache: what was changed behind the page's back shows.
    pub(super) async fn open_anew(&self, url: &Url) -> Result<(), BrowserError> {
        self.call("Network.enable", json!({})).await?;
        self.call("Network.setCacheDisabled", json!({ "cacheDisabled": true })).await?;
        let opened = self.open(url).await;
        self.call("Network.setCacheDisabled", json!({ "cacheDisabled": false })).await?;
        opened
    }

    /// Waits until what is there has loaded, or for long enough.
    pub(super) async fn loaded(&self) {
        self.until("document.readyState === 'complete'", PATIENCE).await;
    }

    /// The value of an expression, promises awaited.
    pub(super) async fn evaluate(&self, expression: &str) -> Result<Value, BrowserError> {
        let params = json!({
            "expression": expression, "awaitPromise": true, "returnByValue": true, "userGesture": true,
        });
        let mut answer = self.call("Runtime.evaluate", params).await?;
        if let Some(thrown) = answer.get("exceptionDetails") {
            let of_error = thrown.pointer("/exception/description").and_then(Value::as_str);
            let why = of_error.or_else(|| thrown.get("text").and_then(Value::as_str)).unwrap_or("unknown");
            return Err(BrowserError::Script(why.lines().next().unwrap_or_default().to_owned()));
        }
        Ok(answer.pointer_mut("/result/value").map(Value::take).unwrap_or_default())
    }

    /// Waits until an expression is true; whether it became so. Between two pages nothing can be evaluated: that is no error.
    pub(super) async fn until(&self, expression: &str, patience: Duration) -> bool {
        let end = Instant::now() + patience;
        loop {
            if matches!(self.evaluate(expression).await, Ok(Value::Bool(true))) {
                return true;
            }
            if Instant::now() >= end {
                return false;
            }
            sleep(PAUSE).await;
        }
    }

    /// The address that the bar shows.
    pub(super) async fn address(&self) -> Result<Url, BrowserError> {
        let address = self.evaluate("location.href").await?;
        let address = address.as_str().unwrap_or("about:blank");
        Url::parse(address).map_err(|_odd| BrowserError::Script(String::from("the page has no address")))
    }

    /// Types into what has the focus.
    pub(super) async fn type_in(&self, text: &str) -> Result<(), BrowserError> {
        self.call("Input.insertText", json!({ "text": text })).await.map(drop)
    }

    /// Presses Enter.
    pub(super) async fn enter(&self) -> Result<(), BrowserError> {
        for kind in ["keyDown", "keyUp"] {
            let key = json!({
                "type": kind, "key": "Enter", "code": "Enter", "text": "\r", "windowsVirtualKeyCode": 13,
            });
            self.call("Input.dispatchKeyEvent", key).await?;
        }
        Ok(())
    }

    /// Closes it.
    pub(super) async fn close(self) -> Result<(), BrowserError> {
        self.cdp.call(None, "Target.closeTarget", json!({ "targetId": self.target })).await.map(drop)
    }
}

/// A member that is text; empty if it is not there.
pub(super) fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Without its query, which may hold a token.
pub(super) fn shown(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

/// A piece of text as it stands in a script.
pub(super) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
