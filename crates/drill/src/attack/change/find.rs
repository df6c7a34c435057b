//! Changes that may be there: fields that say something about a person, by JSON and by form.

use http::Method;
use serde_json::Value;

use super::same::decides;
use super::{Change, PAGES};
use crate::client::{Answer, Ask, From};
use crate::detect::Session;
use crate::detect::html::{Field, Page};
use crate::profile::{Call, Format};
use crate::scene::{Broken, Scene};

/// Most pages that are searched for forms.
const MOST_PAGES: usize = 12;

/// Fields that say something about a person and decide nothing.
const HARMLESS: [&str; 10] = [
    "biography",
    "bio",
    "about",
    "description",
    "display_name",
    "displayName",
    "nickname",
    "status",
    "comment",
    "name",
];

pub(super) async fn by_json(scene: &Scene, session: &Session) -> Result<Vec<Change>, Broken> {
    let app = scene.app()?;
    let answer: Answer = session.send(app.who.ask()).await?;
    let Some(known) = answer.json() else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for name in HARMLESS {
        let Some(before) = member(&known, name) else { continue };
        for method in [Method::PATCH, Method::PUT, Method::POST] {
            found.push(Change {
                call: Call::new(method, app.who.call.path.clone()),
                format: Format::Json,
                fields: vec![(name.to_owned(), "{marker}".to_owned())],
                see: app.who.url.clone(),
                before: Some(before.clone()),
                same: None,
            });
        }
    }
    Ok(found)
}

/// The text of a member of this name, at any depth.
fn member(value: &Value, name: &str) -> Option<String> {
    match value {
        Value::Object(members) => members.iter().find_map(|(key, value)| match value {
            Value::String(text) if key == name => Some(text.clone()),
            Value::Null if key == name => Some(String::new()),
            other => member(other, name),
        }),
        Value::Array(items) => items.iter().take(3).find_map(|item| member(item, name)),
        _ => None,
    }
}

pub(super) async fn by_form(scene: &Scene, session: &Session) -> Result<Vec<Change>, Broken> {
    let app = scene.app()?;
    let (mut found, mut unsure) = (Vec::new(), Vec::new());
    let usual = std::iter::once(&*app.who.call.path).chain(PAGES);
    let mut places: Vec<String> = usual.map(str::to_owned).collect();
    places.extend(session.answer.redirect().map(|url| url.path().to_owned()));
    let mut next = 0;
    // Links to one's own account are followed once, from any of these pages.
    while let Some(path) = places.get(next).cloned().filter(|_| next < MOST_PAGES) {
        next += 1;
        let Some(url) = scene.target.join(&path) else { continue };
        let answer = session.send(Ask::get(url).from(From::Bar)).await?;
        if !answer.is_success() || !answer.is_html() {
            continue;
        }
        let page = Page::read(&answer.text());
        for link in page.links.iter().filter(|link| is_own(link)) {
            let target = answer.url.join(link).ok().and_then(|url| scene.target.join(url.as_str()));
            places.extend(target.map(|url| url.path().to_owned()).filter(|path| !places.contains(path)));
        }
        for form in page.forms {
            let action = answer.url.join(&form.action).ok().and_then(|url| scene.target.join(url.as_str()));
            let risky = ["delete", "password", "logout", "email", "remove", "close"]
                .iter()
                .any(|word| form.action.to_lowercase().contains(word));
            let says = |field: &&Field| field.kind == "textarea" || HARMLESS.contains(&&*field.name);
            // Of other fields only those that show what they hold, so that it can be put back.
            let shows =
                |field: &&Field| field.kind == "text" && !field.value.is_empty() && !decides(&field.name);
            let sure = form.fields.iter().find(says);
            let text = sure.or_else(|| form.fields.iter().find(shows));
            let (Some(action), Some(text), false, true) =
                (action, text, risky, form.method == "POST" && form.passwords().is_empty())
            else {
                continue;
            };
            let mut fields = form.untouched();
            fields.retain(|(name, _)| *name != text.name);
            fields.push((text.name.clone(), "{marker}".to_owned()));
            let list = if sure.is_some() { &mut found } else { &mut unsure };
            list.push(Change {
                call: Call::new(Method::POST, action.path()),
                format: Format::Form,
                fields,
                see: answer.url.clone(),
                before: Some(text.value.clone()),
                same: None,
            });
        }
    }
    found.extend(unsure);
    Ok(found)
}

/// Whether a link leads to what somebody says of themselves.
fn is_own(link: &str) -> bool {
    let link = link.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| link.contains(word));
    has(&["profile", "account", "setting", "preference"]) && !has(&["delete", "logout", "close", "remove"])
}

/// Fills in one form that adds something, if a page has one.
pub(crate) async fn post_something(scene: &Scene, session: &Session) -> Result<(), Broken> {
    // One that shows a former value would change it.
    let adds = |change: &Change| change.before.as_deref() == Some("");
    if let Some(change) = by_form(scene, session).await?.into_iter().find(adds)
        && let Some(ask) = change.ask(scene, &scene.words.next())
    {
        session.send(ask).await?;
    }
    Ok(())
}

/// Paths at which an account's own data may be changed.
pub(super) fn own_paths(scene: &Scene) -> Result<Vec<String>, Broken> {
    let app = scene.app()?;
    let mut paths = vec![app.who.call.path.clone()];
    let telling = |path: &String| {
        ["/me", "profile", "account", "settings", "/user"]
            .iter()
            .any(|word| path.to_lowercase().contains(word))
    };
    paths.extend(app.site.hints.resolved().into_iter().filter(|path| telling(path) && !path.contains('{')));
    paths.extend(["/api/profile", "/profile", "/api/account"].map(str::to_owned));
    let mut seen = std::collections::BTreeSet::new();
    paths.retain(|path| seen.insert(path.clone()));
    paths.truncate(8);
    Ok(paths)
}
