//! A change to the same value: what an account shows of itself, written back as it stands. It shows nowhere, so that it is told
//! by its answer: the application's own page gets one, nobody gets another, and the question is which of them other sites get.

use http::Method;
use serde_json::{Map, Value};

use super::{Change, own_paths};
use crate::client::{Answer, Ask, Cookies, Device};
use crate::detect::Session;
use crate::profile::{Call, Format};
use crate::scene::{Broken, Scene};

/// How the application answers its own page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Welcome {
    status: u16,
    location: Option<String>,
}

impl Welcome {
    pub(super) fn of(answer: &Answer) -> Self {
        Self { status: answer.status, location: answer.header("location").map(str::to_owned) }
    }
}

/// Fields that decide something, or that only the server writes.
const DECIDING: [&str; 18] = [
    "id", "mail", "role", "scope", "pass", "token", "secret", "key", "admin", "plan", "created", "updated",
    "time", "date", "verified", "phone", "login", "user",
];

/// A change to the same value that the application takes from its own page, and not from nobody.
pub(super) async fn find(scene: &Scene, session: &Session) -> Result<Option<Change>, Broken> {
    let app = scene.app()?;
    let before = session.send(app.who.ask()).await?;
    let Some(own) = before.json().and_then(|json| own_members(&json, &session.account.login).cloned()) else {
        return Ok(None);
    };
    let Some(field) = plain(&own).into_iter().next() else { return Ok(None) };
    // A PUT replaces all of it, so it gets all of it, or is not tried.
    let whole: Option<Vec<_>> =
        own.iter().map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect();
    for path in own_paths(scene)? {
        // POST first: it is what a form of another site can send.
        for method in [Method::POST, Method::PATCH, Method::PUT] {
            let fields = if method == Method::PUT { whole.clone() } else { Some(vec![field.clone()]) };
            let Some(fields) = fields else { continue };
            let mut change = Change {
                call: Call::new(method, path.clone()),
                format: Format::Json,
                fields,
                see: app.who.url.clone(),
                before: None,
                same: None,
            };
            let Some(ask) = change.ask(scene, "") else { continue };
            let own = session.send(ask).await?;
            if !own.is_success() || own.is_html() {
                continue;
            }
            let Some(ask) = change.ask(scene, "") else { continue };
            let nobody = scene.agent(Device::Own).send_apart(ask.cookies(Cookies::None)).await?;
            if Welcome::of(&nobody) == Welcome::of(&own) {
                continue;
            }
            if session.send(Ask::get(app.who.url.clone())).await?.text() != before.text() {
                continue;
            }
            change.same = Some(Welcome::of(&own));
            return Ok(Some(change));
        }
    }
    Ok(None)
}

/// The object that names the account.
fn own_members<'v>(value: &'v Value, login: &str) -> Option<&'v Map<String, Value>> {
    match value {
        Value::Object(members) => {
            let names_it = members.values().any(|value| value.as_str() == Some(login));
            if names_it {
                Some(members)
            } else {
                members.values().find_map(|value| own_members(value, login))
            }
        }
        Value::Array(items) => items.iter().take(3).find_map(|item| own_members(item, login)),
        _ => None,
    }
}

/// Its texts, without what decides something.
fn plain(members: &Map<String, Value>) -> Vec<(String, String)> {
    let texts = members.iter().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    texts.filter(|(name, _)| !decides(name)).collect()
}

/// Whether a name sounds as if more hung on it than how somebody is shown.
pub(super) fn decides(name: &str) -> bool {
    let name = name.to_lowercase();
    DECIDING.iter().any(|word| name.contains(word))
}

/// What to write into a profile, with what was seen here.
pub(super) async fn advice(scene: &Scene, session: &Session) -> Result<String, Broken> {
    let who = &scene.app()?.who;
    let shown = session.send(who.ask()).await?.json();
    let own = shown.as_ref().and_then(|json| own_members(json, &session.account.login));
    let field = own.and_then(|own| plain(own).into_iter().next()).map(|(name, _)| name);
    let field = field.unwrap_or_else(|| "nickname".to_owned());
    let call = &who.call;
    Ok(format!(
        "no harmless change was found to try it with; write one into a profile: [change] request = \"PUT {}\", format = \"json\" \
         (or \"form\"), fields = {{ {field} = \"{{marker}}\" }}, see = \"{call}\"",
        call.path
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_decides_nothing_is_written_back() {
        let shown = json!({ "plan": "x", "user": { "id": 7, "email": "a@x.test", "motto": "calm", "role": "admin", "city": "Ulm" } });
        let mut fields = plain(own_members(&shown, "a@x.test").unwrap());
        fields.sort();
        assert_eq!(fields, [("city".into(), "Ulm".into()), ("motto".into(), "calm".into())]);
        assert_eq!(own_members(&json!({ "motto": "calm" }), "a@x.test"), None, "nobody is named");
    }
}
