//! A session that an attacker chose before the victim signed in, and a victim who is signed in as the attacker.

use super::Attacks;
use crate::check::Check;
use crate::client::{Agent, Ask, Cookies, Device, From, SetCookie};
use crate::credential::{Carrier, CredentialKind};
use crate::detect::{Login, Seen, opened, patiently, seen_apart};
use crate::profile::Format;
use crate::scene::{Broken, Scene};
use crate::verdict::{Evidence, Severity, Verdict};

const FIXATION: Check = Check::new(
    "session-fixation",
    "signing in starts a new session",
    "ASVS 7.2.4; CVE-2024-38513; D09",
    "Give a new session id at sign-in, end the old one, and never adopt an id that the client brings.",
);

const LOGIN_CSRF: Check = Check::new(
    "login-csrf",
    "another site cannot sign a visitor in",
    "OWASP CSRF cheat sheet, login; C09",
    "Put a token bound to the browser into the login form, and refuse sign-ins whose Origin or Sec-Fetch-Site is foreign.",
)
.severity(Severity::Medium);

pub(super) const ATTACKS: Attacks =
    &[(FIXATION, |scene| Box::pin(fixation(scene))), (LOGIN_CSRF, |scene| Box::pin(login_csrf(scene)))];

async fn fixation(scene: &Scene) -> Result<Verdict, Broken> {
    let app = scene.app()?;
    let names: Vec<String> = app
        .held
        .iter()
        .filter(|held| held.kind == CredentialKind::Access)
        .filter_map(|held| match &held.carrier {
            Carrier::Cookie { name } => Some(name.clone()),
            _ => None,
        })
        .collect();
    if names.is_empty() {
        return Ok(Verdict::not_applicable("no session lies in a cookie"));
    }
    let attacker = scene.agent(Device::Other);
    // What the application itself gives to somebody who is not signed in, and what it never gave to anybody.
    attacker.send(Ask::get(scene.target.base().clone()).from(From::Bar)).await?;
    if let Some(page) = app.login.page.as_deref().and_then(|page| scene.target.join(page)) {
        attacker.send(Ask::get(page).from(From::Bar)).await?;
    }
    let victim = attacker.stolen(Device::Own);
    let mut planted = Vec::new();
    for name in &names {
        let given = attacker.jar().named(name).map(|cookie| cookie.value.clone());
        let value = match given {
            Some(value) => value,
            None => {
                let made_up = crate::Secret::new(scene.words.next());
                plant(scene, &victim, name, &made_up);
                made_up
            }
        };
        planted.push((name.clone(), value));
    }
    let answer = patiently(&app.login, &scene.target, scene.account(0)?, &victim).await?;
    let session = match opened(scene, app, scene.account(0)?, &victim, answer).await {
        Ok(session) => session,
        // A planted value that makes sign-in fail is refused, which is as good.
        Err(Broken::LogIn { why, .. }) => {
            return Ok(Verdict::pass(format!("sign-in refuses a planted session: {why}")));
        }
        Err(error) => return Err(error),
    };
    for (name, value) in &planted {
        let ask = app.who.ask().cookies(Cookies::Exactly(format!("{name}={}", value.expose())));
        let (seen, after) = seen_apart(scene, &attacker, ask).await?;
        if seen.is_somebody() {
            let evidence =
                Evidence::new(format!("the value that {name} had before sign-in is signed in afterwards"))
                    .step(session.answer.line())
                    .step(format!("with the attacker's copy: {}", after.line()));
            return Ok(FIXATION.finding(evidence));
        }
    }
    Ok(Verdict::pass(format!(
        "values from before sign-in are worth nothing afterwards ({})",
        names.join(", ")
    )))
}

fn plant(scene: &Scene, agent: &Agent, name: &str, value: &crate::Secret) {
    scene.vault.keep(value);
    let text = format!("{name}={}; Path=/; Secure", value.expose());
    if let Some(cookie) = SetCookie::parse(&text, scene.present.now()) {
        agent.with_jar(|jar| jar.take(scene.target.base(), &cookie));
    }
}

async fn login_csrf(scene: &Scene) -> Result<Verdict, Broken> {
    let app = scene.app()?;
    let by_cookie = app
        .held
        .iter()
        .any(|held| held.kind == CredentialKind::Access && matches!(held.carrier, Carrier::Cookie { .. }));
    if !by_cookie {
        return Ok(Verdict::not_applicable(
            "the token travels in a header that the page itself adds, so another site cannot sign anybody in",
        ));
    }
    // The attacker's own account, if there is one: that is who the victim would be.
    let account = scene.account(1).or_else(|_| scene.account(0))?;
    let attacker = "https://attacker.example".to_owned();
    // What a form can send: no page of the application's was visited, so hidden fields and their cookies are missing.
    let bare = Login { page: None, ..app.login.clone() };
    let victim = scene.agent(Device::Own);
    let mut steps = Vec::new();
    let mut shapes = vec![Login { format: Format::Form, ..bare.clone() }];
    if app.login.page.is_some() {
        // With the attacker's own hidden fields, fetched in another browser: a token has to be the victim's own.
        shapes.push(Login { format: Format::Form, ..app.login.clone() });
    }
    for login in shapes {
        let foreign = scene.agent(Device::Other);
        let ask = login.ask(&scene.target, account, &foreign).await?.from(From::CrossForm(attacker.clone()));
        let answer = victim.send(ask).await?;
        steps.push(answer.line());
        let signed_in = seen_apart(scene, &victim, app.who.ask()).await?.0;
        if signed_in.is_somebody() {
            let evidence =
                Evidence::new("a form on another site signs its visitors in as the attacker").steps(steps);
            return Ok(LOGIN_CSRF.finding(evidence));
        }
    }
    if app.login.format == Format::Json {
        let ask = bare
            .ask(&scene.target, account, &victim)
            .await?
            .from(From::CrossForm(attacker))
            .header("content-type", "text/plain");
        let answer = victim.send(ask).await?;
        steps.push(format!("as text/plain: {}", answer.line()));
        if matches!(seen_apart(scene, &victim, app.who.ask()).await?.0, Seen::Account(_)) {
            let evidence = Evidence::new(
                "a form on another site, with JSON as text/plain, signs its visitors in as the attacker",
            )
            .steps(steps);
            return Ok(LOGIN_CSRF.finding(evidence));
        }
    }
    Ok(Verdict::Pass { evidence: Evidence::new("sign-ins from another site are refused").steps(steps) })
}
