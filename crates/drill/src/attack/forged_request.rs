//! Requests that a signed-in visitor's browser sends for another site, as browsers would send them.

use http::Method;

use super::Attacks;
use super::change::{self, Change};
use crate::check::Check;
use crate::client::{Ask, From};
use crate::credential::{Carrier, CredentialKind};
use crate::detect::{Session, seen_apart};
use crate::scene::{Broken, Scene};
use crate::verdict::{Evidence, Severity, Verdict};

const CHANGE: Check = Check::new(
    "csrf",
    "another site cannot change anything for a visitor",
    "ASVS 3.5.1; C01, C05",
    "Refuse unsafe methods whose Origin or Sec-Fetch-Site is foreign, and set SameSite on the session's cookie.",
)
.active();

const LOGOUT: Check = Check::new(
    "csrf-logout",
    "another site cannot sign a visitor out",
    "OWASP CSRF cheat sheet; C12",
    "Protect logout and refresh against CSRF like every other change.",
)
.severity(Severity::Low);

const STEP_UP: Check = Check::new(
    "step-up",
    "a stolen session cannot change the address that resets the password",
    "ASVS 7.5.1; D13",
    "Ask for the password, or a fresh sign-in, before an address, a password or a second factor changes.",
)
.severity(Severity::Medium)
.active();

pub(super) const ATTACKS: Attacks = &[
    (LOGOUT, |scene| Box::pin(logout(scene))),
    (CHANGE, |scene| Box::pin(csrf(scene))),
    (STEP_UP, |scene| Box::pin(step_up(scene))),
];

const ATTACKER: &str = "https://attacker.example";

/// A page of a sibling host: SameSite does not keep it out.
fn sibling(scene: &Scene) -> String {
    let own = scene.target.origin();
    format!("{}://sibling.{}:{}", own.scheme, own.host, own.port)
}

fn by_cookie(scene: &Scene) -> Result<bool, Broken> {
    let held = &scene.app()?.held;
    Ok(held
        .iter()
        .any(|held| held.kind == CredentialKind::Access && matches!(held.carrier, Carrier::Cookie { .. })))
}

const HEADER_ONLY: &str =
    "the token travels in a header that the page itself adds: other sites cannot make a browser send it";

/// The ways in which another site can have a request sent, with the same fields.
fn forgeries(
    scene: &Scene,
    method: &Method,
    url: &url::Url,
    change: Option<(&Change, &str)>,
) -> Vec<(&'static str, Ask)> {
    let fields = change.map(|(change, marker)| change.filled(marker)).unwrap_or_default();
    // What the visitor's page would know and the attacker's does not.
    let fields: Vec<_> = fields
        .into_iter()
        .filter(|(name, _)| !name.to_lowercase().contains("csrf") && !name.to_lowercase().contains("xsrf"))
        .collect();
    let json = change.map_or_else(|| "{}".to_owned(), |(change, marker)| change.json(marker).to_string());
    let form = |from: From| Ask::post(url.clone()).form(fields.clone()).from(from);
    let mut all = vec![
        ("a form of another site", form(From::CrossForm(ATTACKER.into()))),
        (
            "a form of another site, with JSON as text/plain",
            Ask::post(url.clone()).body("text/plain", json.clone()).from(From::CrossForm(ATTACKER.into())),
        ),
        (
            "a script of another site (no-cors, text/plain)",
            Ask::post(url.clone())
                .body("text/plain", json)
                .from(From::CrossFetch(ATTACKER.into()))
                .header("sec-fetch-mode", "no-cors"),
        ),
        ("a form of a sibling host", form(From::SiblingForm(sibling(scene)))),
    ];
    if *method == Method::GET {
        all =
            vec![("an image of another site", Ask::get(url.clone()).from(From::CrossImage(ATTACKER.into())))];
    }
    all
}

async fn logout(scene: &Scene) -> Result<Verdict, Broken> {
    if !by_cookie(scene)? {
        return Ok(Verdict::not_applicable(HEADER_ONLY));
    }
    let app = scene.app()?;
    let Some(call) = app.logout.get() else {
        return Ok(Verdict::inconclusive("no way to sign out was found"));
    };
    let Some(url) = scene.target.join(&call.path) else {
        return Ok(Verdict::not_applicable("logout is on another host"));
    };
    let session = scene.log_in(0).await?;
    let mut steps = Vec::new();
    for (how, ask) in forgeries(scene, &call.method, &url, None) {
        let answer = session.agent.send(ask).await?;
        steps.push(format!("{how}: {}", answer.line()));
        if !alive(scene, &session).await? {
            return Ok(LOGOUT.finding(Evidence::new(format!("{how} signs visitors out")).steps(steps)));
        }
    }
    Ok(Verdict::Pass { evidence: Evidence::new("the session outlives what other sites send").steps(steps) })
}

async fn alive(scene: &Scene, session: &Session) -> Result<bool, Broken> {
    Ok(seen_apart(scene, &session.agent, session.attach(scene.app()?.who.ask())).await?.0.is_somebody())
}

async fn csrf(scene: &Scene) -> Result<Verdict, Broken> {
    if !by_cookie(scene)? {
        return Ok(Verdict::not_applicable(HEADER_ONLY));
    }
    let session = scene.session(0).await?;
    let Some(change) = Change::find(scene, &session).await? else {
        return Ok(Verdict::inconclusive(Change::advice(scene, &session).await?));
    };
    let Some(url) = scene.target.join(&change.call.path) else {
        return Ok(Verdict::not_applicable("the change is on another host"));
    };
    let (mut through, mut steps) = (Vec::new(), Vec::new());
    for turn in 0..4 {
        let marker = scene.words.next();
        let Some((how, ask)) =
            forgeries(scene, &Method::POST, &url, Some((&change, &marker))).into_iter().nth(turn)
        else {
            continue;
        };
        let answer = session.agent.send(ask).await?;
        steps.push(format!("{how}: {}", answer.line()));
        if change.obeyed(&session, &answer, &marker).await? {
            through.push(how);
        }
    }
    change.undo(scene, &session).await?;
    if through.is_empty() {
        return Ok(Verdict::Pass {
            evidence: Evidence::new(format!("{} changed nothing for other sites", change.described()))
                .steps(steps),
        });
    }
    let only_sibling = through.iter().all(|how| how.contains("sibling"));
    let severity = if only_sibling { Severity::Medium } else { CHANGE.severity };
    let evidence =
        Evidence::new(format!("{} is obeyed: {}", change.described(), through.join(", "))).steps(steps);
    Ok(Verdict::Finding { severity, evidence })
}

async fn step_up(scene: &Scene) -> Result<Verdict, Broken> {
    let session = scene.session(0).await?;
    Ok(match change::address(scene, &session).await? {
        None => Verdict::not_applicable("nothing was found that changes the address"),
        Some((false, steps)) => Verdict::Pass {
            evidence: Evidence::new("the address does not change on the session's word alone").steps(steps),
        },
        Some((true, steps)) => {
            for token in session.of_kind(CredentialKind::Access) {
                scene.radius(&session, &token, |radius| {
                    radius.works_for.push("changes the account's address".into())
                });
            }
            STEP_UP.finding(
                Evidence::new(
                    "whoever holds the token changes the address, and so can have the password reset",
                )
                .steps(steps),
            )
        }
    })
}
