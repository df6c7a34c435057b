//! Does the Back button show what was there before signing out?

use std::time::Duration;

use tokio::time::sleep;

use super::super::sign_in::{is_signed_in, shows};
use super::super::stage::{Stage, seen_as};
use super::super::tab::{Tab, quoted, shown};
use super::super::{BrowserError, Tried};
use crate::check::Check;
use crate::scene::Scene;
use crate::verdict::{Evidence, Severity, Verdict};

pub(super) const CHECK: Check = Check::new(
    "browser-back-after-logout",
    "the Back button shows nothing personal after signing out",
    "ASVS 14.3.2, 7.4.1",
    "Send Cache-Control: no-store with every personal answer, and let pages that are made by script ask again when they are shown from the \
     browser's memory (pageshow, persisted).",
)
.severity(Severity::Low);

/// Presses what signs out; whether there is such a thing.
const SIGN_OUT: &str = "(() => { \
    const controls = [...document.querySelectorAll('button, a, input[type=submit], [role=button], [role=menuitem]')]; \
    const out = controls.find((c) => c.getClientRects().length > 0 && \
      /log.?out|sign.?out|abmelden|cerrar|d\\u00e9connexion/i.test((c.textContent || c.value) + ' ' + (c.getAttribute('href') ?? '')) && \
      !/everywhere|all/i.test(c.textContent || c.value)); \
    out?.click(); \
    return !!out; })()";

pub(super) fn run<'s>(stage: &'s Stage, scene: &'s Scene) -> Tried<'s> {
    Box::pin(async move {
        let account = scene.account(0)?;
        let victim = stage.fresh_victim(scene, account).await?;
        let tab = &victim.tab;
        let page = victim.signed_in.page.clone();
        tab.open(&page).await?;
        sleep(Duration::from_millis(400)).await;
        if !shows(tab, account).await {
            victim.person.leave().await?;
            return Ok(Verdict::not_applicable(
                "the signed-in page does not show the account's name, so its absence would say nothing",
            ));
        }
        if !sign_out(scene, tab).await? {
            victim.person.leave().await?;
            return Ok(Verdict::not_applicable(
                "the page has nothing to sign out by; write it into a profile: logout = \"POST /path\"",
            ));
        }
        sleep(Duration::from_millis(800)).await;
        tab.loaded().await;
        // Not the copy that the browser may have kept: that is what is looked for below.
        tab.open_anew(scene.target.base()).await?;
        sleep(Duration::from_millis(400)).await;
        if is_signed_in(scene, tab, account).await
            && (shows(tab, account).await || seen_as(scene, &victim.person).await?.is_some())
        {
            victim.person.leave().await?;
            return Ok(Verdict::inconclusive("signing out by the page did not sign out"));
        }
        for _ in 0..3 {
            // The page that it is evaluated in goes away.
            drop(tab.evaluate("(history.back(), true)").await);
            sleep(Duration::from_millis(700)).await;
            tab.loaded().await;
            // A page that asks again gets a moment to find out that nobody is signed in.
            sleep(Duration::from_millis(500)).await;
            if shows(tab, account).await {
                let at = shown(&tab.address().await?);
                victim.person.leave().await?;
                let evidence =
                    Evidence::new(format!("after signing out, Back shows {at} with the account's data"))
                        .step("signed in, signed out, opened the first page, pressed Back");
                return Ok(CHECK.finding(evidence));
            }
        }
        victim.person.leave().await?;
        Ok(Verdict::pass("after signing out, Back shows nothing of the account's"))
    })
}

async fn sign_out(scene: &Scene, tab: &Tab) -> Result<bool, BrowserError> {
    if tab.evaluate(SIGN_OUT).await.is_ok_and(|pressed| pressed == true) {
        return Ok(true);
    }
    let Some(call) = &scene.profile.logout else { return Ok(false) };
    let send = format!(
        "fetch({}, {{ method: {}, credentials: 'include' }}).then(() => true)",
        quoted(&call.path),
        quoted(call.method.as_str())
    );
    tab.evaluate(&send).await?;
    Ok(true)
}
