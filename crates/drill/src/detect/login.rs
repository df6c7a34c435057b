//! Signing in: ways to try, and the one that worked.

use http::Method;
use serde_json::{Map, Value};
use url::Url;

use super::common::{LOGIN_CALLS, PASSWORD_FIELDS, USER_FIELDS};
use super::html::Page;
use super::site::{Site, follow};
use crate::account::Account;
use crate::client::{Agent, Answer, Ask, From};
use crate::profile::{Call, Format};
use crate::scene::{Broken, Scene};
use crate::target::Target;

/// A way to sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The page with the form, fetched before each attempt: for its cookie and its hidden fields.
    pub page: Option<String>,
    /// The request.
    pub call: Call,
    /// How fields are written.
    pub format: Format,
    /// Fields of the name; several while it is not known which.
    pub users: Vec<String>,
    /// Fields of the password.
    pub passwords: Vec<String>,
    /// Further fields; they stand in place of those of the page.
    pub fields: Vec<(String, String)>,
    /// Where the CSRF token for it is handed out, if that is where it comes from.
    pub csrf: Option<String>,
}

impl Login {
    /// `POST /api/login (JSON: email, password)`.
    #[must_use]
    pub fn described(&self) -> String {
        let format = if self.format == Format::Json { "JSON" } else { "form" };
        format!("{} ({format}: {}, {})", self.call, self.users.join(", "), self.passwords.join(", "))
    }

    /// Every way that is worth trying, likeliest first.
    pub(super) fn ways(scene: &Scene, site: &Site) -> Vec<Self> {
        let profile = &scene.profile.login;
        let (users, passwords) = (
            one_or(profile.user_field.as_deref(), &USER_FIELDS),
            one_or(profile.password_field.as_deref(), &PASSWORD_FIELDS),
        );
        let more: Vec<_> = profile.fields.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let way = |call: Call, format: Format| Self {
            page: None,
            call,
            format,
            users: users.clone(),
            passwords: passwords.clone(),
            fields: more.clone(),
            csrf: site.csrf.clone(),
        };
        if let Some(call) = &profile.request {
            let page = scene.profile.browser.login_page.clone();
            let formats =
                profile.format.map_or_else(|| vec![Format::Json, Format::Form], |format| vec![format]);
            return formats
                .into_iter()
                .map(|format| Self { page: page.clone(), ..way(call.clone(), format) })
                .collect();
        }
        let mut ways: Vec<Self> =
            site.login_forms.iter().filter_map(|found| Self::by_form(scene, found)).collect();
        for operation in &site.operations {
            let pick = |names: &[&str]| {
                operation.fields.iter().find(|field| names.contains(&&*field.to_lowercase())).cloned()
            };
            if let (true, Some(user), Some(password)) = (
                operation.call.method == Method::POST && sounds(&operation.call.path),
                pick(&USER_FIELDS),
                pick(&PASSWORD_FIELDS),
            ) {
                ways.push(Self {
                    users: vec![user],
                    passwords: vec![password],
                    ..way(operation.call.clone(), Format::Json)
                });
            }
        }
        let way = |call: Call, format: Format| {
            let mut way = way(call, format);
            if let (Some((user, password)), true) = (site.field_names.first(), way.is_guess()) {
                // What the page calls them stands first: pairs are tried in this order.
                way.users.retain(|name| name != user);
                way.users.insert(0, user.clone());
                way.passwords.retain(|name| name != password);
                way.passwords.insert(0, password.clone());
            }
            way
        };
        let hinted =
            site.hints.resolved().into_iter().filter(|path| sounds(path) && !path.contains(['{', ':']));
        for path in hinted.chain(LOGIN_CALLS.map(str::to_owned)) {
            let call = Call::new(Method::POST, path);
            if !ways.iter().any(|known| known.call == call && known.format == Format::Json) {
                ways.push(way(call, Format::Json));
            }
        }
        ways
    }

    fn by_form(scene: &Scene, found: &super::site::FoundForm) -> Option<Self> {
        let page: Url = scene.target.join(&found.page)?;
        let action = page.join(&found.form.action).ok()?;
        let action = scene.target.join(action.as_str())?;
        let (user, password) =
            (found.form.user()?.name.clone(), (*found.form.passwords().first()?).to_owned());
        if password.is_empty() {
            return None;
        }
        let path = action
            .query()
            .map_or_else(|| action.path().to_owned(), |query| format!("{}?{query}", action.path()));
        Some(Self {
            page: Some(found.page.clone()),
            call: Call::new(Method::POST, path),
            format: Format::Form,
            users: vec![user],
            passwords: vec![password],
            fields: Vec::new(),
            csrf: None,
        })
    }

    /// Whether it is still open which fields are meant.
    pub(super) fn is_guess(&self) -> bool {
        self.users.len() > 1 || self.passwords.len() > 1
    }

    /// The same with one pair of fields after the other, for applications that refuse fields they do not know.
    pub(super) fn pairs(&self) -> Vec<Self> {
        let pair = |user: &String, password: &String| Self {
            users: vec![user.clone()],
            passwords: vec![password.clone()],
            ..self.clone()
        };
        self.passwords
            .iter()
            .take(2)
            .flat_map(|password| self.users.iter().take(4).map(move |user| pair(user, password)))
            .collect()
    }

    /// The same as a form.
    pub(super) fn as_form(&self) -> Self {
        Self { format: Format::Form, ..self.clone() }
    }

    /// Signs in, or tries to. The request pretends to come from `from`; the application's own page if nothing is said.
    ///
    /// # Errors
    /// [`Broken::Net`].
    pub async fn attempt(
        &self,
        target: &Target,
        account: &Account,
        agent: &Agent,
        from: Option<From>,
    ) -> Result<Answer, Broken> {
        let ask = self.ask(target, account, agent).await?;
        let ask = match from {
            Some(from) => ask.from(from),
            None => ask,
        };
        Ok(agent.send(ask).await?)
    }

    /// The request, with the hidden fields of its page.
    ///
    /// # Errors
    /// [`Broken`].
    pub async fn ask(&self, target: &Target, account: &Account, agent: &Agent) -> Result<Ask, Broken> {
        let elsewhere = || Broken::Unknown(format!("{} leads to another host", self.call));
        let url = target.join(&self.call.path).ok_or_else(elsewhere)?;
        let mut fields = self.fields.clone();
        let mut headers = Vec::new();
        if let Some(page) = &self.page {
            let page_url = target.join(page).ok_or_else(elsewhere)?;
            let answer = agent.send(Ask::get(page_url).from(From::Bar)).await?;
            let page = Page::read(&answer.text());
            if let Some(form) = page.login_forms().next() {
                let own = |name: &String| self.fields.iter().any(|(given, _)| given == name);
                fields.extend(form.untouched().into_iter().filter(|(name, _)| !own(name)));
            }
            let meta = page.metas.iter().find(|(name, _)| super::common::is_csrf(name));
            headers.extend(meta.map(|(_, token)| ("x-csrf-token", token.clone())));
        }
        if let Some(csrf) = self.csrf.as_deref().and_then(|path| target.join(path)) {
            let answer = agent.send(Ask::get(csrf)).await?;
            let token = super::session::csrf_in(&answer);
            headers.extend(token.map(|token| ("x-csrf-token", token.expose().to_owned())));
        }
        for (names, value) in [(&self.users, &*account.login), (&self.passwords, account.password.expose())] {
            fields.retain(|(name, _)| !names.contains(name));
            fields.extend(names.iter().map(|name| (name.clone(), value.to_owned())));
        }
        let ask = Ask::new(self.call.method.clone(), url).headers(headers);
        Ok(match self.format {
            Format::Form => ask.form(fields).from(From::Page),
            Format::Json => {
                let members: Map<String, Value> =
                    fields.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
                ask.json(&Value::Object(members))
            }
        })
    }
}

/// Follows where a form leads after it was sent: sessions are sometimes set on the way.
///
/// # Errors
/// [`Broken::Net`].
pub(super) async fn land(scene: &Scene, agent: &Agent, answer: &Answer) -> Result<Option<Answer>, Broken> {
    if answer.redirect().is_none() {
        return Ok(None);
    }
    Ok(Some(follow(scene, agent, answer.clone()).await?))
}

fn one_or(one: Option<&str>, all: &[&str]) -> Vec<String> {
    one.map_or_else(|| all.iter().map(|name| (*name).to_owned()).collect(), |name| vec![name.to_owned()])
}

/// Whether a path sounds like signing in.
fn sounds(path: &str) -> bool {
    let path = path.to_lowercase();
    let yes = ["login", "signin", "sign-in", "sign_in", "session", "token", "auth", "jwt", "enter"]
        .iter()
        .any(|word| path.contains(word));
    let no = [
        "logout",
        "signout",
        "sign-out",
        "refresh",
        "verify",
        "revoke",
        "reset",
        "forgot",
        "signup",
        "sign-up",
        "register",
        "blacklist",
        "csrf",
    ]
    .iter()
    .any(|word| path.contains(word));
    yes && !no
}
