//! What signing out does to the copies of a token that others hold.

use std::time::Duration;

use http::Method;
use tokio::time::{Instant, sleep};

use super::Attacks;
use crate::check::Check;
use crate::client::{Agent, Answer, Ask, Device, From};
use crate::credential::CredentialKind;
use crate::detect::html::Page;
use crate::detect::{LOGOUT_PATHS, Session, alone, seen_apart};
use crate::profile::Call;
use crate::report::{Actor, Move, Outcome, Stopped, Theft};
use crate::scene::{Broken, Scene};
use crate::verdict::{Evidence, Severity, Verdict};

const REVOKES: Check = Check::new(
    "logout-revokes",
    "a token dies when its owner signs out",
    "ASVS 7.4.1; D10",
    "End the session on the server at logout and check that on each request; deleting the browser's copy stops nobody who has another.",
);

const REFRESH: Check = Check::new(
    "logout-revokes-refresh",
    "a refresh token dies when its owner signs out",
    "ASVS 7.4.1; RFC 7009 §2.1; D10",
    "Revoke the whole family of refresh tokens at logout.",
);

const BY_GET: Check = Check::new(
    "logout-by-get",
    "no link or image signs people out",
    "RFC 9110 §9.2.1; C12",
    "Accept logout by POST only, with the same CSRF protection as other changes.",
)
.severity(Severity::Low);

pub(super) const ATTACKS: Attacks = &[
    (REVOKES, |scene| Box::pin(revokes(scene))),
    (REFRESH, |scene| Box::pin(refresh(scene))),
    (BY_GET, |scene| Box::pin(by_get(scene))),
];

/// Signing out takes effect somewhere else too within this time, or not at all.
const PATIENCE: Duration = Duration::from_secs(3);

/// Signs out as the application's own page does. The answer that looked like success; `None` if nothing did.
pub(super) async fn log_out(scene: &Scene, session: &Session) -> Result<Option<Answer>, Broken> {
    let mut calls: Vec<Call> = Vec::new();
    if let Some(call) = &scene.profile.logout {
        calls.push(call.clone());
    } else {
        let site = &scene.app()?.site;
        let sounds = |path: &String| {
            let path = path.to_lowercase();
            ["logout", "signout", "sign-out", "sign_out", "log_out"].iter().any(|word| path.contains(word))
                && !path.contains(['{', '}'])
                // Everybody's sessions, the kept one too, are not what is meant.
                && !path.ends_with("/all")
        };
        let operations = site.operations.iter().map(|operation| operation.call.clone());
        calls.extend(operations.filter(|call| sounds(&call.path)));
        // Links and forms of the pages that a signed-in person sees.
        for place in [scene.target.base().clone(), scene.app()?.who.url.clone()] {
            let answer = session.send(Ask::get(place).from(From::Bar)).await?;
            if !answer.is_html() {
                continue;
            }
            let page = Page::read(&answer.text());
            let own = |reference: &String| {
                answer.url.join(reference).ok().and_then(|url| scene.target.join(url.as_str()))
            };
            let forms = page.forms.iter().filter(|form| form.method == "POST");
            let forms =
                forms.filter_map(|form| own(&form.action)).map(|url| Call::new(Method::POST, url.path()));
            let links = page.links.iter().filter_map(own).map(|url| Call::new(Method::GET, url.path()));
            calls.extend(forms.chain(links).filter(|call| sounds(&call.path)));
        }
        let hinted: Vec<String> = site.hints.resolved().into_iter().filter(sounds).collect();
        calls.extend(
            hinted.iter().chain(&LOGOUT_PATHS.map(str::to_owned)).map(|path| Call::new(Method::POST, path)),
        );
        calls.extend(
            LOGOUT_PATHS
                .iter()
                .filter(|path| path.contains("session"))
                .map(|path| Call::new(Method::DELETE, *path)),
        );
        calls.extend(
            hinted
                .iter()
                .chain(&LOGOUT_PATHS.map(str::to_owned))
                .filter(|path| sounds(path))
                .map(|path| Call::new(Method::GET, path)),
        );
    }
    let mut best = None;
    for call in calls {
        let Some(url) = scene.target.join(&call.path) else { continue };
        let mut ask = Ask::new(call.method.clone(), url);
        if call.method == Method::GET {
            ask = ask.from(From::Page);
        } else {
            ask = body(ask, session);
        }
        let Ok(answer) = session.send(ask).await else { continue };
        let took = answer.is_success() && !(answer.is_html() && call.method == Method::GET)
            || answer.redirect().is_some();
        if !took {
            continue;
        }
        let gone =
            !seen_apart(scene, &session.agent, session.attach(scene.app()?.who.ask())).await?.0.is_somebody();
        best = best.or_else(|| Some((call.clone(), answer.clone())));
        let cleared = answer.set_cookies.iter().any(crate::client::SetCookie::clears);
        // A path of that name that answered is the one; pages answer all kinds of paths.
        if gone || cleared || answer.asked.contains("out") && answer.is_success() {
            best = Some((call, answer));
            break;
        }
    }
    let Some((call, answer)) = best else { return Ok(None) };
    // The first that was found is the one that the report names.
    scene.app()?.logout.get_or_init(|| call);
    Ok(Some(answer))
}

/// What logout end points read: the refresh token, and the CSRF token as a form would send it.
fn body(ask: Ask, session: &Session) -> Ask {
    let refresh = session
        .of_kind(CredentialKind::Refresh)
        .into_iter()
        .find(|token| !matches!(token.carrier, crate::Carrier::Cookie { .. }));
    match refresh {
        Some(token) => {
            let value = token.secret.expose();
            ask.json(&serde_json::json!({ "refresh_token": value, "refreshToken": value, "refresh": value }))
        }
        None => ask.json(&serde_json::json!({})),
    }
}

async fn revokes(scene: &Scene) -> Result<Verdict, Broken> {
    let session = scene.log_in(0).await?;
    let began = Instant::now();
    let stolen = session.of_kind(CredentialKind::Access);
    let thief = scene.agent(Device::Other);
    let who = &scene.app()?.who;
    let mut alive = Vec::new();
    for token in &stolen {
        let (seen, _) = seen_apart(scene, &thief, alone(who.method(), who.url.clone(), token)).await?;
        if seen.is_somebody() {
            alive.push(token);
        }
    }
    if alive.is_empty() {
        return Ok(Verdict::inconclusive("a copy of the token did not even work before logout"));
    }
    let mut moves = vec![step(began, Actor::Thief, "uses a stolen copy of the token", true, "works")];
    let Some(answer) = log_out(scene, &session).await? else {
        return Ok(Verdict::inconclusive(
            "no way to sign out was found: name it in a profile: logout = \"POST /path\"",
        ));
    };
    let left_at = Instant::now();
    moves.push(step(began, Actor::Honest, "signs out", true, &answer.line()));
    let mut evidence = Vec::new();
    let mut survivors = Vec::new();
    for token in alive {
        let (stopped, last) = until_refused(scene, &thief, token, left_at).await?;
        scene.radius(&session, token, |radius| {
            radius.after_logout = Some(stopped);
            radius.seen_working_s = Some(began.elapsed().as_secs_f64());
        });
        moves.push(step(began, Actor::Thief, "uses the copy again", !stopped.stopped, &last));
        evidence.push(format!(
            "copy of the token from the {}, {:.1} s after logout: {last}",
            token.place, stopped.seconds
        ));
        if !stopped.stopped {
            survivors.push(token.place.to_string());
        }
    }
    let caught = survivors.is_empty();
    let ending =
        if caught { "The copy died with the session." } else { "Signing out did not stop the thief." };
    scene.theft(Theft {
        id: "stolen-then-logout".into(),
        title: "A token is stolen, then its owner signs out".into(),
        ending: ending.into(),
        caught,
        moves,
    });
    if caught {
        return Ok(Verdict::Pass {
            evidence: Evidence::new("copies are refused once the owner has signed out")
                .step(answer.line())
                .steps(evidence),
        });
    }
    let summary = format!("after logout a copy of the token still works ({})", survivors.join(", "));
    Ok(REVOKES.finding(Evidence::new(summary).step(answer.line()).steps(evidence)))
}

pub(super) fn step(began: Instant, actor: Actor, did: &str, accepted: bool, answer: &str) -> Move {
    Move {
        at_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        actor,
        did: did.to_owned(),
        presented: None,
        received: None,
        outcome: if accepted { Outcome::Accepted } else { Outcome::Refused },
        answer: answer.to_owned(),
    }
}

/// Presents a credential until it is refused, for some seconds.
async fn until_refused(
    scene: &Scene,
    thief: &Agent,
    token: &crate::Credential,
    since: Instant,
) -> Result<(Stopped, String), Broken> {
    let who = &scene.app()?.who;
    loop {
        let (seen, answer) = seen_apart(scene, thief, alone(who.method(), who.url.clone(), token)).await?;
        let elapsed = since.elapsed();
        if !seen.is_somebody() || elapsed > PATIENCE {
            return Ok((
                Stopped { stopped: !seen.is_somebody(), seconds: elapsed.as_secs_f64() },
                answer.line(),
            ));
        }
        sleep(Duration::from_millis(250)).await;
    }
}

async fn refresh(scene: &Scene) -> Result<Verdict, Broken> {
    let app = scene.app()?;
    let Some(refresh) = &app.refresh else {
        return Ok(Verdict::not_applicable("no refresh token was found"));
    };
    let session = scene.log_in(0).await?;
    let mut thief = session.stolen();
    let Some(answer) = log_out(scene, &session).await? else {
        return Ok(Verdict::inconclusive("no way to sign out was found"));
    };
    let left_at = Instant::now();
    let renewed = refresh.renew(scene, &mut thief).await?;
    let works = renewed.accepted
        && seen_apart(scene, &thief.agent, thief.attach(app.who.ask())).await?.0.is_somebody();
    for token in session.of_kind(CredentialKind::Refresh) {
        let stopped = Stopped { stopped: !works, seconds: left_at.elapsed().as_secs_f64() };
        scene.radius(&thief, &token, |radius| radius.after_logout = Some(stopped));
    }
    let steps = [answer.line(), renewed.answer.line()];
    Ok(if works {
        REFRESH.finding(
            Evidence::new("after logout a copy of the refresh token still gets new tokens").steps(steps),
        )
    } else {
        Verdict::Pass {
            evidence: Evidence::new("a copy of the refresh token is refused after logout").steps(steps),
        }
    })
}

async fn by_get(scene: &Scene) -> Result<Verdict, Broken> {
    let session = scene.log_in(0).await?;
    let own = |path: &&str| {
        path.contains("out") || path.contains("end") || path.contains("delete") || path.contains("destroy")
    };
    let profiled = scene.profile.logout.as_ref().map(|call| call.path.clone());
    let hinted = scene
        .app()?
        .site
        .hints
        .resolved()
        .into_iter()
        .filter(|path| path.contains("logout") || path.contains("signout"));
    let found = scene.app()?.logout.get().map(|call| call.path.clone());
    let paths: Vec<String> = profiled
        .into_iter()
        .chain(found)
        .chain(hinted)
        .chain(LOGOUT_PATHS.iter().filter(|path| own(path)).map(|path| (*path).to_owned()))
        .collect();
    for path in paths.iter().filter(|path| !path.contains('{')) {
        let Some(url) = scene.target.join(path) else { continue };
        // As a link on another site would: SameSite=Strict cookies stay at home.
        let answer = session
            .agent
            .send(Ask::get(url).from(From::CrossLink("https://attacker.example".into())))
            .await?;
        if matches!(answer.status, 404 | 405) {
            continue;
        }
        let (seen, after) = seen_apart(scene, &session.agent, session.attach(scene.app()?.who.ask())).await?;
        if !seen.is_somebody() {
            let evidence = Evidence::new(format!("a link on any page to {path} signs people out"))
                .step(answer.line())
                .step(after.line());
            return Ok(BY_GET.finding(evidence));
        }
    }
    Ok(Verdict::pass("no GET signs anybody out"))
}
