//! A change of the test account's own data that does no harm, and whether it shows: what forged requests are tried with.

use http::Method;
use serde_json::{Map, Value, json};
use url::Url;

use crate::client::{Answer, Ask, From};
use crate::detect::Session;
use crate::detect::html::Page;
use crate::profile::{Call, Format};
use crate::scene::{Broken, Scene};

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

/// Paths of pages with forms.
const PAGES: [&str; 6] = ["/profile", "/account", "/settings", "/me", "/dashboard", "/"];

/// A change.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) call: Call,
    pub(super) format: Format,
    /// Fields as they are sent; `{marker}` is filled in.
    pub(super) fields: Vec<(String, String)>,
    /// Where it shows.
    see: Url,
    /// What was there before.
    before: Option<String>,
}

impl Change {
    /// Finds one, by trying; what it tried is undone.
    pub(super) async fn find(scene: &Scene, session: &Session) -> Result<Option<Self>, Broken> {
        let app = scene.app()?;
        if let Some(profiled) = &scene.profile.change {
            let see = profiled.see.as_ref().map_or(&*app.who.call.path, |call| &*call.path);
            let Some(see) = scene.target.join(see) else { return Ok(None) };
            let change = Self {
                call: profiled.request.clone(),
                format: profiled.format.unwrap_or(Format::Json),
                fields: profiled.fields.clone().into_iter().collect(),
                see,
                before: None,
            };
            return Ok(change.works(scene, session).await?.then_some(change));
        }
        let mut guesses = by_json(scene, session).await?;
        guesses.extend(by_form(scene, session).await?);
        for guess in guesses {
            if guess.works(scene, session).await? {
                return Ok(Some(guess));
            }
        }
        Ok(None)
    }

    async fn works(&self, scene: &Scene, session: &Session) -> Result<bool, Broken> {
        let marker = scene.words.next();
        let Some(ask) = self.ask(scene, &marker) else { return Ok(false) };
        session.send(ask).await?;
        let shows = self.shows(session, &marker).await?;
        if shows {
            self.undo(scene, session).await?;
        }
        Ok(shows)
    }

    /// The request as the application's own page sends it.
    pub(super) fn ask(&self, scene: &Scene, marker: &str) -> Option<Ask> {
        let ask = Ask::new(self.call.method.clone(), scene.target.join(&self.call.path)?);
        Some(match self.format {
            Format::Json => ask.json(&self.json(marker)),
            Format::Form => ask.form(self.filled(marker)).from(From::Page),
        })
    }

    /// Its fields with the marker.
    pub(super) fn filled(&self, marker: &str) -> Vec<(String, String)> {
        self.fields.iter().map(|(name, value)| (name.clone(), value.replace("{marker}", marker))).collect()
    }

    /// The same as a JSON object.
    pub(super) fn json(&self, marker: &str) -> Value {
        Value::Object(
            self.filled(marker)
                .into_iter()
                .map(|(name, value)| (name, Value::String(value)))
                .collect::<Map<_, _>>(),
        )
    }

    /// Whether a marker shows.
    pub(super) async fn shows(&self, session: &Session, marker: &str) -> Result<bool, Broken> {
        Ok(session.send(Ask::get(self.see.clone())).await?.text().contains(marker))
    }

    /// Puts back what was there.
    pub(super) async fn undo(&self, scene: &Scene, session: &Session) -> Result<(), Broken> {
        // A form that shows no former value adds something rather than changing it.
        let adds = self.format == Format::Form && self.before.as_deref() == Some("");
        if adds {
            return Ok(());
        }
        if let (Some(before), true) = (&self.before, self.fields.iter().any(|(_, value)| value == "{marker}"))
            && let Some(ask) = self.ask(scene, before)
        {
            session.send(ask).await?;
        }
        Ok(())
    }
}

async fn by_json(scene: &Scene, session: &Session) -> Result<Vec<Change>, Broken> {
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

async fn by_form(scene: &Scene, session: &Session) -> Result<Vec<Change>, Broken> {
    let app = scene.app()?;
    let mut found = Vec::new();
    for path in std::iter::once(&*app.who.call.path).chain(PAGES) {
        let Some(url) = scene.target.join(path) else { continue };
        let answer = session.send(Ask::get(url).from(From::Bar)).await?;
        if !answer.is_success() || !answer.is_html() {
            continue;
        }
        for form in Page::read(&answer.text()).forms {
            let action = answer.url.join(&form.action).ok().and_then(|url| scene.target.join(url.as_str()));
            let risky = ["delete", "password", "logout", "email", "remove", "close"]
                .iter()
                .any(|word| form.action.to_lowercase().contains(word));
            let text = form
                .fields
                .iter()
                .find(|field| matches!(&*field.kind, "textarea") || HARMLESS.contains(&&*field.name));
            let (Some(action), Some(text), false, true) =
                (action, text, risky, form.method == "POST" && form.passwords().is_empty())
            else {
                continue;
            };
            let mut fields = form.untouched();
            fields.retain(|(name, _)| *name != text.name);
            fields.push((text.name.clone(), "{marker}".to_owned()));
            found.push(Change {
                call: Call::new(Method::POST, action.path()),
                format: Format::Form,
                fields,
                see: answer.url.clone(),
                before: Some(text.value.clone()),
            });
        }
    }
    Ok(found)
}

/// Fills in one form that adds something, if a page has one.
pub(super) async fn post_something(scene: &Scene, session: &Session) -> Result<(), Broken> {
    if let Some(change) = by_form(scene, session).await?.into_iter().next()
        && let Some(ask) = change.ask(scene, &scene.words.next())
    {
        session.send(ask).await?;
    }
    Ok(())
}

/// Paths at which an account's own data may be changed.
fn own_paths(scene: &Scene) -> Result<Vec<String>, Broken> {
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
pub(super) async fn address(scene: &Scene, session: &Session) -> Result<Option<(bool, Vec<String>)>, Broken> {
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
