//! Whether changing the address of an account asks who is there.

use http::Method;
use serde_json::{Value, json};

use super::{PAGES, own_paths};
use crate::client::{Answer, Ask, From};
use crate::detect::Session;
use crate::detect::html::Page;
use crate::scene::{Broken, Scene};

/// Members that hold a mail address, with what they hold.
fn addresses(value: &Value, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text) if name.to_lowercase().contains("mail") && text.contains('@') => {
                        found.push((name.clone(), text.clone()));
                    }
                    other => addresses(other, found),
                }
            }
        }
        Value::Array(items) => items.iter().take(3).for_each(|item| addresses(item, found)),
        _ => {}
    }
}

/// Whether changing the address of an account asks who is there: the steps that show that it does not, or does. `None` if
/// nothing was found that changes it.
pub(crate) async fn address(scene: &Scene, session: &Session) -> Result<Option<(bool, Vec<String>)>, Broken> {
    let app = scene.app()?;
    let now = session.send(app.who.ask()).await?;
    let mut fields = Vec::new();
    if let Some(json) = now.json() {
        addresses(&json, &mut fields);
    }
    if fields.is_empty() {
        fields.push(("email".to_owned(), session.account.login.clone()));
    }
    let mut refused = None;
    let (field, before) = fields.into_iter().next().unwrap_or_default();
    let new = format!("{}@example.com", scene.words.next());
    for path in own_paths(scene)? {
        let Some(url) = scene.target.join(&path) else { continue };
        for method in [Method::PATCH, Method::PUT, Method::POST] {
            let ask = |value: &str| Ask::new(method.clone(), url.clone()).json(&json!({ &field: value }));
            let answer = session.send(ask(&new)).await?;
            if matches!(answer.status, 404 | 405) {
                continue;
            }
            if session.send(app.who.ask()).await?.text().contains(&new) {
                session.send(ask(&before)).await?;
                return Ok(Some((
                    true,
                    vec![
                        answer.line(),
                        format!("{field} is another now, without the password or a fresh sign-in; put back"),
                    ],
                )));
            }
            if matches!(answer.status, 401 | 403) {
                refused = Some((false, vec![answer.line()]));
            }
        }
    }
    Ok(address_by_form(scene, session, &new).await?.or(refused))
}

async fn address_by_form(
    scene: &Scene,
    session: &Session,
    new: &str,
) -> Result<Option<(bool, Vec<String>)>, Broken> {
    let app = scene.app()?;
    let mut places =
        vec![app.who.url.clone(), session.answer.redirect().unwrap_or_else(|| app.who.url.clone())];
    places.extend(PAGES.iter().filter_map(|path| scene.target.join(path)));
    for place in places {
        let Some(place) = scene.target.join(place.as_str()) else { continue };
        let answer = session.send(Ask::get(place).from(From::Bar)).await?;
        if !answer.is_success() || !answer.is_html() {
            continue;
        }
        for form in Page::read(&answer.text()).forms {
            let action = answer.url.join(&form.action).ok().and_then(|url| scene.target.join(url.as_str()));
            let field = form
                .fields
                .iter()
                .find(|field| field.kind == "email" || field.name.to_lowercase().contains("mail"));
            let (Some(action), Some(field), true) =
                (action, field, form.method == "POST" && form.passwords().is_empty())
            else {
                continue;
            };
            let mut fields = form.untouched();
            fields.retain(|(name, _)| *name != field.name);
            let ask = |value: &str| {
                let mut fields = fields.clone();
                fields.push((field.name.clone(), value.to_owned()));
                Ask::post(action.clone()).form(fields).from(From::Page)
            };
            let sent = session.send(ask(new)).await?;
            let shows =
                session.send(Ask::get(answer.url.clone()).from(From::Bar)).await?.text().contains(new);
            if shows {
                let before = if field.value.is_empty() {
                    known_address(&answer, new)
                } else {
                    Some(field.value.clone())
                };
                if let Some(before) = before {
                    session.send(ask(&before)).await?;
                }
                return Ok(Some((
                    true,
                    vec![
                        sent.line(),
                        "the new address shows, without the password or a fresh sign-in".into(),
                    ],
                )));
            }
        }
    }
    Ok(None)
}

/// The address that a page showed before, to put it back.
fn known_address(page: &Answer, not: &str) -> Option<String> {
    let text = page.text();
    let mut words =
        text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '@' | '.' | '_' | '-' | '+')));
    words
        .find(|word| word.contains('@') && word.contains('.') && *word != not)
        .map(|word| word.trim_end_matches('.').to_owned())
}
