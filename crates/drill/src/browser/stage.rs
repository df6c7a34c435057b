//! What the attacks share: one browser, and one person who is signed in.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;
use tokio::sync::{Mutex, OnceCell};

use super::change::{Change, find_changes};
use super::chromium::Chromium;
use super::readable::{Readable, tokens};
use super::sign_in::{SignedIn, sign_in};
use super::tab::{Person, Tab, quoted, text};
use super::{BrowserError, Options};
use crate::account::Account;
use crate::client::Answer;
use crate::detect::Seen;
use crate::scene::Scene;

/// Somebody who is signed in, in a tab that shows it.
#[derive(Debug, Clone)]
pub(super) struct Victim {
    pub(super) person: Person,
    pub(super) tab: Tab,
    pub(super) signed_in: SignedIn,
}

/// The shared browser.
pub(super) struct Stage {
    options: Options,
    chromium: OnceCell<Result<Chromium, String>>,
    /// Signing in may be throttled, so those who do not end the session share one.
    victim: Mutex<Option<Victim>>,
    readable: OnceCell<Vec<Readable>>,
    changes: OnceCell<Vec<Change>>,
}

impl Stage {
    pub(super) fn new(options: Options) -> Self {
        Self {
            options,
            chromium: OnceCell::new(),
            victim: Mutex::new(None),
            readable: OnceCell::new(),
            changes: OnceCell::new(),
        }
    }

    /// The browser, started if it is not running yet.
    async fn chromium(&self, scene: &Scene) -> Result<&Chromium, BrowserError> {
        let program = self.options.program.as_ref().map_err(|why| BrowserError::Missing(why.clone()))?;
        let start = || async {
            Chromium::start(program, &self.options, &scene.target).await.map_err(|error| error.to_string())
        };
        self.chromium.get_or_init(start).await.as_ref().map_err(|why| BrowserError::NotStarted(why.clone()))
    }

    /// Somebody new, without any cookie.
    pub(super) async fn person(&self, scene: &Scene) -> Result<Person, BrowserError> {
        Person::new(&self.chromium(scene).await?.cdp).await
    }

    /// The first account, signed in; shared by attacks that leave it so.
    pub(super) async fn victim(&self, scene: &Scene) -> Result<Victim, BrowserError> {
        let mut kept = self.victim.lock().await;
        if let Some(victim) = &*kept {
            return Ok(victim.clone());
        }
        let victim = self.fresh_victim(scene, scene.account(0)?).await?;
        *kept = Some(victim.clone());
        Ok(victim)
    }

    /// An account signed in anew, for an attack that ends the session.
    pub(super) async fn fresh_victim(
        &self,
        scene: &Scene,
        account: &Account,
    ) -> Result<Victim, BrowserError> {
        let person = self.person(scene).await?;
        let tab = person.tab().await?;
        let signed_in = sign_in(scene, &tab, account).await?;
        // Pages that are made by script fetch what they show, and store what they were given.
        tokio::time::sleep(Duration::from_millis(300)).await;
        Ok(Victim { person, tab, signed_in })
    }

    /// What script can read in the victim's page; looked for once.
    pub(super) async fn readable(&self, scene: &Scene) -> Result<&[Readable], BrowserError> {
        let look = || async {
            let victim = self.victim(scene).await?;
            victim.tab.open(&victim.signed_in.page).await?;
            tokio::time::sleep(Duration::from_millis(300)).await;
            tokens(scene, &victim.tab).await
        };
        self.readable.get_or_try_init(look).await.map(Vec::as_slice)
    }

    /// Changes of the account's own text, found by making them; looked for once.
    pub(super) async fn changes(&self, scene: &Scene) -> Result<&[Change], BrowserError> {
        let look = || async { find_changes(scene, &self.victim(scene).await?).await };
        self.changes.get_or_try_init(look).await.map(Vec::as_slice)
    }
}

/// Whom the application takes the tab for, by its cookies alone: the index of the account.
pub(super) async fn seen_by(scene: &Scene, tab: &Tab) -> Result<Option<usize>, BrowserError> {
    let who = &scene.app()?.who;
    let ask = format!(
        "(async () => {{ const answer = await fetch({}, {{ method: {}, credentials: 'include', redirect: 'manual', cache: 'no-store' }}); \
         return {{ status: answer.status, kind: answer.headers.get('content-type') ?? '', body: (await answer.text()).slice(0, 200000) }}; }})()",
        quoted(who.url.as_str()),
        quoted(who.call.method.as_str()),
    );
    let said = tab.evaluate(&ask).await?;
    Ok(match who.read(&answer_of(scene, &said)?, &scene.accounts) {
        Seen::Account(index) => Some(index),
        Seen::Nobody | Seen::Unclear(_) => None,
    })
}

/// The same in a tab of its own, in which no page's policy has a say: for verdicts.
pub(super) async fn seen_as(scene: &Scene, person: &Person) -> Result<Option<usize>, BrowserError> {
    let tab = person.tab().await?;
    tab.call("Page.setBypassCSP", serde_json::json!({ "enabled": true })).await?;
    tab.open_anew(scene.target.base()).await?;
    let seen = seen_by(scene, &tab).await?;
    tab.close().await?;
    Ok(seen)
}

fn answer_of(scene: &Scene, said: &Value) -> Result<Answer, BrowserError> {
    let who = &scene.app()?.who;
    let status = said.get("status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
    let mut headers = HeaderMap::new();
    if let Ok(kind) = text(said, "kind").parse() {
        headers.insert(http::header::CONTENT_TYPE, kind);
    }
    Ok(Answer {
        asked: who.call.to_string(),
        url: who.url.clone(),
        status: status.unwrap_or_default(),
        headers,
        set_cookies: Vec::new(),
        body: Bytes::from(text(said, "body")),
        cut: false,
        took: Duration::ZERO,
    })
}
