//! Do a service worker and its caches keep what was for one person?

use super::super::Tried;
use super::super::stage::Stage;
use crate::check::Check;
use crate::scene::Scene;
use crate::verdict::{Evidence, Severity, Verdict};
use serde_json::{Value, json};

pub(super) const CHECK: Check = Check::new(
    "browser-caches",
    "caches of the page's scripts hold no personal answer",
    "ASVS 14.3.2, 14.3.3",
    "Let service workers cache only what is the same for everybody, and delete their caches at logout.",
)
.severity(Severity::Low);

const LOOK: &str = "(async (names) => { \
    const workers = 'serviceWorker' in navigator ? (await navigator.serviceWorker.getRegistrations()).length : 0; \
    const personal = []; \
    if (!('caches' in window)) return { workers, personal }; \
    for (const name of (await caches.keys()).slice(0, 10)) { \
      const cache = await caches.open(name); \
      for (const request of (await cache.keys()).slice(0, 60)) { \
        const kept = await cache.match(request); \
        const text = kept ? (await kept.text()).toLowerCase() : ''; \
        if (names.some((n) => text.includes(n.toLowerCase()))) personal.push(name + ': ' + new URL(request.url).pathname); \
      } \
    } \
    return { workers, personal }; })";

pub(super) fn run<'s>(stage: &'s Stage, scene: &'s Scene) -> Tried<'s> {
    Box::pin(async move {
        let victim = stage.victim(scene).await?;
        let tab = &victim.tab;
        // The second load is the worker's, if there is one.
        for _ in 0..2 {
            tab.open(&victim.signed_in.page).await?;
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        }
        let login = &scene.account(0)?.login;
        let said = tab.evaluate(&format!("{LOOK}({})", json!([login]))).await?;
        let workers = said.get("workers").and_then(Value::as_u64).unwrap_or_default();
        let personal = said.get("personal").and_then(Value::as_array).cloned().unwrap_or_default();
        if personal.is_empty() {
            let with = if workers == 0 { "there is no service worker" } else { "there is a service worker" };
            return Ok(Verdict::pass(format!(
                "{with}, and no cache of script's holds an answer with the account's name"
            )));
        }
        let lines = personal.iter().filter_map(Value::as_str).take(10).map(str::to_owned);
        let evidence = Evidence::new(
            "a cache of script's holds personal answers; whoever uses the browser next can read them",
        )
        .steps(lines);
        Ok(CHECK.finding(evidence))
    })
}
