//! Redirects to wherever the address says.

use super::Attacks;
use crate::check::Check;
use crate::client::{Answer, Ask, Device, From};
use crate::scene::{Broken, Scene};
use crate::target::Origin;
use crate::verdict::{Evidence, Severity, Verdict};

const OPEN: Check = Check::new(
    "open-redirect",
    "no address of the application leads to another site",
    "ASVS 3.7.2; RFC 9700 §4.11; K08",
    "Accept paths of your own only: parse the value as a browser would, and go to / when its origin is another.",
)
.severity(Severity::Medium);

pub(super) const ATTACKS: Attacks = &[(OPEN, |scene| Box::pin(open(scene)))];

/// Parameters that say where to go.
const PARAMETERS: [&str; 14] = [
    "next",
    "return_to",
    "returnTo",
    "returnUrl",
    "return",
    "redirect",
    "redirect_to",
    "redirect_uri",
    "redirectUrl",
    "url",
    "continue",
    "callbackURL",
    "target",
    "to",
];

/// Ways to write another site; browsers take all of them for one.
const PLACES: [&str; 6] = [
    "https://attacker.example/",
    "//attacker.example/",
    "/\\attacker.example/",
    "/\t/attacker.example/",
    "https:attacker.example",
    "/..//attacker.example/",
];

async fn open(scene: &Scene) -> Result<Verdict, Broken> {
    let session = scene.session(0).await?;
    let app = scene.app()?;
    let mut paths: Vec<String> = app.login.page.iter().cloned().collect();
    paths.push(app.login.call.path.clone());
    paths.extend(
        ["/login", "/auth/login", "/auth/refresh", "/redirect", "/go", "/out", "/r"].map(str::to_owned),
    );
    let hinted = app
        .site
        .hints
        .resolved()
        .into_iter()
        // The last word must be the sending on itself: `/account/close/go` is another matter.
        .filter(|path| {
            matches!(path.trim_matches('/'), "redirect" | "go" | "api/redirect" | "api/go" | "auth/redirect")
        });
    paths.extend(hinted.filter(|path| !path.contains('{')));
    paths.sort();
    paths.dedup();
    let mut leads = Vec::new();
    for path in &paths {
        let Some(url) = scene.target.join(path) else { continue };
        // All names at once: one request an address and way of writing.
        for place in PLACES {
            let with_all = |ask: Ask| PARAMETERS.iter().fold(ask, |ask, name| ask.query(name, place));
            let ask = session.attach(with_all(Ask::get(url.clone()).from(From::Bar)));
            let answer = session.agent.send(ask).await?;
            if matches!(answer.status, 404 | 405) {
                break;
            }
            if let Some(foreign) = foreign(scene, &answer) {
                leads.push(format!("{path}?…={place:?} leads to {foreign}"));
                break;
            }
        }
    }
    if leads.is_empty() {
        leads.extend(after_login(scene).await?);
    }
    Ok(if leads.is_empty() {
        Verdict::pass(format!("{} addresses with {} parameters stay at home", paths.len(), PARAMETERS.len()))
    } else {
        OPEN.finding(
            Evidence::new("a link to the application can lead anywhere, with its good name").steps(leads),
        )
    })
}

/// Signing in by form, with the parameter in the form's address.
async fn after_login(scene: &Scene) -> Result<Option<String>, Broken> {
    let app = scene.app()?;
    if app.login.page.is_none() {
        return Ok(None);
    }
    let agent = scene.agent(Device::Own);
    // In the form's own fields as well as in its address.
    let fields =
        PARAMETERS.iter().map(|name| ((*name).to_owned(), "https://attacker.example/".to_owned())).collect();
    let login = crate::detect::Login { fields, ..app.login.clone() };
    let ask = login.ask(&scene.target, scene.account(0)?, &agent).await?;
    let ask = PARAMETERS.iter().fold(ask, |ask, name| ask.query(name, "https://attacker.example/"));
    let answer = agent.send(ask).await?;
    Ok(foreign(scene, &answer)
        .map(|foreign| format!("signing in at {} with a parameter leads to {foreign}", app.login.call.path)))
}

fn foreign(scene: &Scene, answer: &Answer) -> Option<Origin> {
    let refresh = answer
        .header("refresh")
        .and_then(|value| value.split_once("url="))
        .and_then(|(_, url)| answer.url.join(url).ok());
    let next = answer.redirect().or(refresh)?;
    Origin::of(&next)
        .filter(|origin| *origin != scene.target.origin() && origin.host.contains("attacker.example"))
}
