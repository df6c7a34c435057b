//! Signing in as a person does: by the page's own form; where none is found, by the detected request.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use url::Url;

use super::BrowserError;
use super::stage::seen_by;
use super::tab::{Tab, quoted, shown};
use crate::account::Account;
use crate::profile::Format;
use crate::scene::Scene;
use crate::target::Origin;

/// Until a page that is made by script has its form.
const FORM: Duration = Duration::from_secs(4);
/// Until the page shows that somebody is signed in.
const EVIDENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(100);

/// Where login forms usually are.
const PAGES: [&str; 8] = [
    "/login",
    "/signin",
    "/sign-in",
    "/auth/login",
    "/accounts/login/",
    "/users/sign_in",
    "/account/login",
    "/#/login",
];

/// How somebody was signed in.
#[derive(Debug, Clone)]
pub(super) struct SignedIn {
    /// The page that showed it.
    pub(super) page: Url,
    /// For evidence: `by the form at …`.
    pub(super) how: String,
}

/// Signs an account in, in this tab.
pub(super) async fn sign_in(scene: &Scene, tab: &Tab, account: &Account) -> Result<SignedIn, BrowserError> {
    let mut said: Option<String> = None;
    for page in pages(scene) {
        if let Err(error) = tab.open(&page).await {
            if said.is_none() {
                said = Some(format!(
                    "{error}; hosts that were not named are not reached, also not by a redirect"
                ));
            }
            continue;
        }
        match by_form(scene, tab, account).await? {
            Outcome::NoForm => {}
            Outcome::Refused => {
                said = Some(format!("the form at {} was sent, and nobody was signed in by it", shown(&page)));
                break;
            }
            Outcome::LeadsAway(to) => {
                return Err(BrowserError::SignIn(format!(
                    "the form at {} belongs to or sends to {to}, which was not named: no password was typed",
                    shown(&page)
                )));
            }
            Outcome::SignedIn(page) => {
                return Ok(SignedIn { how: format!("by the form at {}", shown(&page)), page });
            }
        }
    }
    let said = said.unwrap_or_else(|| String::from("no page with a password field was found"));
    match by_request(scene, tab, account).await {
        Ok(Some(signed_in)) => Ok(signed_in),
        Ok(None) | Err(BrowserError::Page { .. }) => Err(BrowserError::SignIn(said)),
        Err(error) => Err(error),
    }
}

/// The profile's page; else where the form was seen, the application's own page, and the usual places.
fn pages(scene: &Scene) -> Vec<Url> {
    let target = &scene.target;
    if let Some(page) = scene.profile.browser.login_page.as_deref().and_then(|page| target.join(page)) {
        return vec![page];
    }
    let detected =
        scene.app().ok().and_then(|app| app.login.page.clone()).and_then(|page| target.join(&page));
    let mut pages: Vec<Url> = detected.into_iter().chain([target.base().clone()]).collect();
    for page in PAGES.iter().filter_map(|page| target.join(page)) {
        if !pages.contains(&page) {
            pages.push(page);
        }
    }
    pages
}

enum Outcome {
    NoForm,
    Refused,
    /// The page, or where its form sends, is of this origin, which is not the target's.
    LeadsAway(Origin),
    SignedIn(Url),
}

/// Where the page is, and where its form sends.
const LEADS: &str = "[location.href, (() => { \
    const own = __drill.submit?.getAttribute('formaction') || __drill.form?.getAttribute('action') || ''; \
    return new URL(own, document.baseURI).href; })()]";

/// The first of both that is an origin other than the target's. What is neither http nor https (`javascript:`) leads nowhere.
fn leads_away(scene: &Scene, leads: &Value) -> Option<Origin> {
    let leads = leads.as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut origins = leads.filter_map(|url| Origin::of(&Url::parse(url).ok()?));
    origins.find(|origin| *origin != scene.target.origin())
}

async fn by_form(scene: &Scene, tab: &Tab, account: &Account) -> Result<Outcome, BrowserError> {
    let browser = &scene.profile.browser;
    let wanted = json!({ "user": browser.user, "password": browser.password, "submit": browser.submit });
    let find = format!("({})({wanted}) === 'ready'", include_str!("script/form.js").trim_end());
    // A page without any field and without scripts will not grow one.
    if !tab.until(&find, FORM).await {
        return Ok(Outcome::NoForm);
    }
    if let Some(origin) = leads_away(scene, &tab.evaluate(LEADS).await?) {
        return Ok(Outcome::LeadsAway(origin));
    }
    for (field, text) in [("user", &*account.login), ("password", account.password.expose())] {
        tab.evaluate(&format!("(__drill.{field}.focus(), __drill.{field}.select(), true)")).await?;
        tab.type_in(text).await?;
    }
    let submitted = tab
        .evaluate("__drill.submit ? (__drill.submit.click(), true) : (__drill.password.focus(), false)")
        .await;
    if matches!(submitted, Ok(Value::Bool(false))) {
        tab.enter().await?;
    }
    let end = Instant::now() + EVIDENCE;
    loop {
        sleep(PAUSE).await;
        if is_signed_in(scene, tab, account).await {
            tab.loaded().await;
            return Ok(Outcome::SignedIn(tab.address().await?));
        }
        if Instant::now() >= end {
            return Ok(Outcome::Refused);
        }
    }
}

/// The profile's sign; else a page without a password field that shows the account, or whose cookies are the account's.
pub(super) async fn is_signed_in(scene: &Scene, tab: &Tab, account: &Account) -> bool {
    if let Some(sign) = &scene.profile.browser.signed_in {
        return tab
            .evaluate(&format!("!!document.querySelector({})", quoted(sign)))
            .await
            .is_ok_and(|v| v == true);
    }
    let form_is_gone = "document.readyState !== 'loading' && \
        ![...document.querySelectorAll('input[type=password]')].some((field) => field.getClientRects().length > 0)";
    if !tab.evaluate(form_is_gone).await.is_ok_and(|gone| gone == true) {
        return false;
    }
    if shows(tab, account).await {
        return true;
    }
    seen_by(scene, tab).await.is_ok_and(|who| who.is_some())
}

/// Whether the page's text shows the account: its name, or the part of its address before the `@`.
pub(super) async fn shows(tab: &Tab, account: &Account) -> bool {
    let names: Vec<&str> =
        [&*account.login, account.local_part()].into_iter().filter(|name| name.len() >= 3).collect();
    let names = json!(names);
    let look = format!(
        "((names) => {{ const text = (document.body?.innerText ?? '').toLowerCase(); \
         return names.some((name) => text.includes(name.toLowerCase())); }})({names})"
    );
    tab.evaluate(&look).await.is_ok_and(|found| found == true)
}

/// Sends the detected request from a page of the application's. Its cookies are then set; a token in the answer's body is not put
/// anywhere: where the application's own script would keep it is not known, and what the drill stored would be its own mistake.
async fn by_request(scene: &Scene, tab: &Tab, account: &Account) -> Result<Option<SignedIn>, BrowserError> {
    let login = &scene.app()?.login;
    let Some(url) = scene.target.join(&login.call.path) else { return Ok(None) };
    let page = login
        .page
        .as_deref()
        .and_then(|page| scene.target.join(page))
        .unwrap_or_else(|| scene.target.base().clone());
    tab.open(&page).await?;
    let mut fields: Vec<(String, String)> = login.fields.clone();
    for (names, value) in [(&login.users, &*account.login), (&login.passwords, account.password.expose())] {
        fields.extend(names.iter().map(|name| (name.clone(), value.to_owned())));
    }
    let fields: serde_json::Map<String, Value> =
        fields.into_iter().map(|(name, value)| (name, value.into())).collect();
    let json_body = login.format == Format::Json;
    let send = format!(
        "(async (url, method, fields, json) => {{ \
           const body = json ? JSON.stringify(fields) : new URLSearchParams(fields); \
           const headers = json ? {{ 'content-type': 'application/json' }} : {{}}; \
           const answer = await fetch(url, {{ method, body, headers, credentials: 'include' }}); \
           return answer.status; }})({}, {}, {}, {json_body})",
        quoted(url.as_str()),
        quoted(login.call.method.as_str()),
        Value::Object(fields),
    );
    tab.evaluate(&send).await?;
    tab.open(&page).await?;
    if seen_by(scene, tab).await?.is_none() {
        return Ok(None);
    }
    Ok(Some(SignedIn { how: format!("by {} from {}", login.call, shown(&page)), page }))
}
