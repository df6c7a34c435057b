//! Can another site show the signed-in application in a frame, and lay something over it?

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;
use url::Url;

use super::super::stage::{Stage, Victim};
use super::super::tab::{Tab, shown, text};
use super::super::thief::Thief;
use super::super::{BrowserError, Tried};
use crate::check::Check;
use crate::scene::Scene;
use crate::verdict::{Evidence, Severity, Verdict};

pub(super) const CHECK: Check = Check::new(
    "browser-framing",
    "another site cannot show the signed-in application in a frame",
    "ASVS 3.4.6",
    "Send Content-Security-Policy: frame-ancestors 'none' (or the sites that may), and session cookies with SameSite.",
)
.severity(Severity::Medium);

/// Until a framed page has shown what it shows.
const PATIENCE: Duration = Duration::from_millis(1500);

pub(super) fn run<'s>(stage: &'s Stage, scene: &'s Scene) -> Tried<'s> {
    Box::pin(async move {
        let victim = stage.victim(scene).await?;
        let tab = victim.person.tab().await?;
        let thief = Thief::around(&tab, &scene.target).await?;
        let page = &victim.signed_in.page;
        thief.put(
            "/frame",
            format!(
                "<title>win</title><iframe width=900 height=700 src=\"{}\"></iframe>",
                escaped(page.as_str())
            ),
        );
        let mut steps = Vec::new();
        let mut shown_by = Vec::new();
        for (site, name) in
            [(&thief.cross_site, "another site"), (&thief.same_site, "a neighbour on the same site")]
        {
            let Ok(from) = site.join("frame") else { continue };
            tab.open(&from).await?;
            sleep(PATIENCE).await;
            match framed(&tab, &victim, scene, page).await? {
                Framed::Not => steps.push(format!("{name} ({from}): the frame stays empty")),
                Framed::Nobody => {
                    steps.push(format!("{name} ({from}): the frame shows the page, signed out"))
                }
                Framed::SignedIn => {
                    steps.push(format!("{name} ({from}): the frame shows the page, signed in"));
                    shown_by.push(name);
                }
            }
        }
        tab.close().await?;
        if shown_by.is_empty() {
            return Ok(Verdict::Pass {
                evidence: Evidence::new("no other origin can show the signed-in page in a frame")
                    .steps(steps),
            });
        }
        let summary = format!(
            "{} can show {} in a frame, signed in, and lay its own buttons over it",
            shown_by.join(" and "),
            shown(page)
        );
        Ok(CHECK.finding(Evidence::new(summary).steps(steps)))
    })
}

enum Framed {
    Not,
    Nobody,
    SignedIn,
}

/// Looks into the frame; it is in a process of its own where its site is another one.
async fn framed(tab: &Tab, victim: &Victim, scene: &Scene, page: &Url) -> Result<Framed, BrowserError> {
    let account = scene.account(0)?;
    let names = json!([account.login, account.local_part()]);
    let look = format!(
        "((names) => names.some((n) => n.length >= 3 && (document.body?.innerText ?? '').toLowerCase().includes(n.toLowerCase())))({names})"
    );
    let said = |answer: &Value| answer.pointer("/result/value") == Some(&Value::Bool(true));
    let tree = tab.call("Page.getFrameTree", json!({})).await?;
    let children =
        tree.pointer("/frameTree/childFrames").and_then(Value::as_array).cloned().unwrap_or_default();
    for child in &children {
        let Some(frame) = child.get("frame") else { continue };
        if !is_of(frame, "url", page) || frame.get("unreachableUrl").is_some() {
            continue;
        }
        let world = tab.call("Page.createIsolatedWorld", json!({ "frameId": text(frame, "id") })).await?;
        let context = world.get("executionContextId").cloned().unwrap_or_default();
        let answer = tab
            .call(
                "Runtime.evaluate",
                json!({ "expression": look, "contextId": context, "returnByValue": true }),
            )
            .await?;
        return Ok(if said(&answer) { Framed::SignedIn } else { Framed::Nobody });
    }
    let targets =
        tab.cdp.call(None, "Target.getTargets", json!({ "filter": [{ "type": "iframe" }] })).await?;
    let targets = targets.get("targetInfos").and_then(Value::as_array).cloned().unwrap_or_default();
    let ours = |target: &&Value| {
        is_of(target, "url", page) && text(target, "browserContextId") == victim.person.context
    };
    let Some(target) = targets.iter().find(ours) else { return Ok(Framed::Not) };
    let attach = json!({ "targetId": text(target, "targetId"), "flatten": true });
    let session = text(&tab.cdp.call(None, "Target.attachToTarget", attach).await?, "sessionId");
    let answer = tab
        .cdp
        .call(Some(&session), "Runtime.evaluate", json!({ "expression": look, "returnByValue": true }))
        .await?;
    Ok(if said(&answer) { Framed::SignedIn } else { Framed::Nobody })
}

fn is_of(value: &Value, name: &str, page: &Url) -> bool {
    Url::parse(&text(value, name)).is_ok_and(|url| url.origin() == page.origin())
}

/// For an attribute in double quotes.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}
