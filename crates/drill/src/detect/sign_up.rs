//! Signing up: where an application takes new accounts. Only for checks that ask whether it tells whom it already has.

use http::Method;
use serde_json::{Map, Value};

use super::common::{PASSWORD_FIELDS, SIGN_UP_CALLS, SIGN_UP_PAGES, USER_FIELDS};
use super::html::{Field, Form, Page};
use super::{App, session};
use crate::client::{Agent, Ask, From};
use crate::profile::{Call, Format};
use crate::scene::{Broken, Scene};
use crate::secret::Secret;

/// A way to sign up.
#[derive(Debug, Clone)]
pub struct SignUp {
    /// The request.
    pub call: Call,
    format: Format,
    /// The page with its form, and the form's `action` as written: read anew for each attempt, for its hidden fields.
    page: Option<(String, String)>,
    fields: Vec<(String, Fill)>,
    /// Where a CSRF token is handed out.
    csrf: Option<String>,
}

/// What goes into a field.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fill {
    /// The name or address that may be taken.
    Login,
    Password,
    /// A word that nobody has.
    Word,
    /// An address that nobody has, where names are what may be taken.
    Address,
    Fixed(String),
}

impl SignUp {
    /// Every way that is worth trying, likeliest first.
    ///
    /// # Errors
    /// [`Broken`] if nothing was detected yet.
    pub async fn ways(scene: &Scene) -> Result<Vec<Self>, Broken> {
        let app = scene.app()?;
        let by_mail = scene.account(0)?.login.contains('@');
        let profile = &scene.profile.signup;
        let way = |call: Call, format: Format, names: Vec<String>| {
            let mut fields = filled(names.iter().map(|name| (&**name, "")), by_mail);
            fields.retain(|(name, _)| !profile.fields.contains_key(name));
            fields.extend(
                profile.fields.iter().map(|(name, value)| (name.clone(), Fill::Fixed(value.clone()))),
            );
            Self { call, format, page: None, fields, csrf: app.site.csrf.clone() }
        };
        // What signing in calls them, and what is commonly asked for besides.
        let user = profile.user_field.clone().or_else(|| app.login.users.first().cloned());
        let password = profile.password_field.clone().or_else(|| app.login.passwords.first().cloned());
        let mut usual: Vec<String> = user.into_iter().chain(password).collect();
        let more = ["name", "username"].map(str::to_owned);
        usual.extend(
            more.into_iter().filter(|name| profile.request.is_none() && !app.login.users.contains(name)),
        );
        if let Some(call) = &profile.request {
            return Ok(vec![way(call.clone(), profile.format.unwrap_or(Format::Json), usual)]);
        }
        let mut ways = by_form(scene, app, by_mail).await?;
        for operation in &app.site.operations {
            let has =
                |known: &[&str]| operation.fields.iter().any(|field| known.contains(&&*field.to_lowercase()));
            if operation.call.method == Method::POST
                && sounds(&operation.call.path)
                && has(&USER_FIELDS)
                && has(&PASSWORD_FIELDS)
            {
                // An invitation, or a place to go, that nobody asked for would only be refused.
                let fields =
                    if operation.required.is_empty() { &operation.fields } else { &operation.required };
                ways.push(way(operation.call.clone(), Format::Json, fields.clone()));
            }
        }
        let hinted =
            app.site.hints.resolved().into_iter().filter(|path| sounds(path) && !path.contains(['{', ':']));
        for path in hinted.chain(SIGN_UP_CALLS.map(str::to_owned)) {
            let call = Call::new(Method::POST, path);
            if !ways.iter().any(|known| known.call == call) {
                ways.push(way(call, Format::Json, usual.clone()));
            }
        }
        Ok(ways)
    }

    /// Whether a page shows it: then somebody is meant to use it, and an answer of any kind is an answer to it.
    #[must_use]
    pub const fn is_shown(&self) -> bool {
        self.page.is_some()
    }

    /// The request; `None` if it leads elsewhere.
    ///
    /// # Errors
    /// [`Broken::Net`].
    pub async fn ask(
        &self,
        scene: &Scene,
        agent: &Agent,
        login: &str,
        password: &Secret,
    ) -> Result<Option<Ask>, Broken> {
        let Some(url) = scene.target.join(&self.call.path) else { return Ok(None) };
        let mut fields = self.fields.clone();
        let mut headers = Vec::new();
        if let Some((page, action)) = &self.page
            && let Some(page) = scene.target.join(page)
        {
            let page = Page::read(&agent.send(Ask::get(page).from(From::Bar)).await?.text());
            let by_mail = login.contains('@');
            let form = page.forms.iter().find(|form| form.action == *action);
            fields = form.map_or(fields, |form| filled(form.fields.iter().filter_map(typed), by_mail));
            let meta = page.metas.iter().find(|(name, _)| super::common::is_csrf(name));
            headers.extend(meta.map(|(_, token)| ("x-csrf-token", token.clone())));
        }
        if let Some(csrf) = self.csrf.as_deref().and_then(|path| scene.target.join(path)) {
            let token = session::csrf_in(&agent.send(Ask::get(csrf)).await?);
            headers.extend(token.map(|token| ("x-csrf-token", token.expose().to_owned())));
        }
        let value = |fill: Fill| match fill {
            Fill::Login => login.to_owned(),
            Fill::Password => password.expose().to_owned(),
            Fill::Word => scene.words.next(),
            Fill::Address => format!("{}@example.com", scene.words.next()),
            Fill::Fixed(value) => value,
        };
        let fields = fields.into_iter().map(|(name, fill)| (name, value(fill)));
        let ask = Ask::new(self.call.method.clone(), url).headers(headers);
        Ok(Some(match self.format {
            Format::Form => ask.form(fields).from(From::Page),
            Format::Json => ask.json(&Value::Object(
                fields.map(|(name, value)| (name, Value::String(value))).collect::<Map<_, _>>(),
            )),
        }))
    }
}

/// A field of a form with its type, or with its value where nobody types; `None` for buttons and the like.
fn typed(field: &Field) -> Option<(&str, &str)> {
    let sent = !field.name.is_empty()
        && !matches!(&*field.kind, "submit" | "button" | "radio" | "file" | "image" | "reset");
    sent.then_some((&*field.name, &*field.kind)).map(|(name, kind)| match kind {
        "hidden" | "select" => (name, &*field.value),
        kind => (name, kind),
    })
}

/// What goes into each field, by its name and (in forms) its type.
fn filled<'f>(fields: impl Iterator<Item = (&'f str, &'f str)>, by_mail: bool) -> Vec<(String, Fill)> {
    let mut all: Vec<(String, Fill)> = Vec::new();
    for (name, kind) in fields {
        let lower = name.to_lowercase();
        let is_password = kind == "password"
            || PASSWORD_FIELDS.iter().any(|known| lower.contains(known)) && kind.is_empty();
        let is_mail = lower.contains("mail") || kind == "email";
        let is_name = USER_FIELDS.contains(&&*lower);
        let has_login = all.iter().any(|(_, fill)| *fill == Fill::Login);
        let fill = match kind {
            _ if is_password => Fill::Password,
            _ if is_mail && by_mail => Fill::Login,
            _ if is_mail => Fill::Address,
            "" | "text" | "tel" if is_name && !by_mail && !has_login => Fill::Login,
            "checkbox" => Fill::Fixed("on".to_owned()),
            "" | "text" | "tel" | "textarea" | "url" | "search" => Fill::Word,
            value => Fill::Fixed(value.to_owned()),
        };
        all.push((name.to_owned(), fill));
    }
    if !all.iter().any(|(_, fill)| *fill == Fill::Login)
        && let Some((_, fill)) = all
            .iter_mut()
            .find(|(name, fill)| *fill == Fill::Word && USER_FIELDS.contains(&&*name.to_lowercase()))
    {
        *fill = Fill::Login;
    }
    all
}

/// Forms in which a name and a password are chosen: the password twice, or on a page that sounds like it.
async fn by_form(scene: &Scene, app: &App, by_mail: bool) -> Result<Vec<SignUp>, Broken> {
    let agent = scene.agent(crate::client::Device::Own);
    let mut pages: Vec<String> = vec![scene.target.base().path().to_owned()];
    pages.extend(app.login.page.clone());
    pages.extend(SIGN_UP_PAGES.map(str::to_owned));
    let (mut seen, mut ways) = (Vec::new(), Vec::new());
    while let Some(path) = (!pages.is_empty()).then(|| pages.remove(0)) {
        if seen.contains(&path) || !ways.is_empty() {
            continue;
        }
        seen.push(path.clone());
        let Some(url) = scene.target.join(&path) else { continue };
        let answer = agent.send(Ask::get(url).from(From::Bar)).await?;
        if !answer.is_success() || !answer.is_html() {
            continue;
        }
        let page = Page::read(&answer.text());
        // Links of the application's own go before what is merely usual.
        for link in page.links.iter().filter(|link| sounds(link)) {
            let target = answer.url.join(link).ok().and_then(|url| scene.target.join(url.as_str()));
            pages.splice(0..0, target.map(|url| url.path().to_owned()));
        }
        for form in page.forms.iter().filter(|form| chooses(form, &path)) {
            let action = answer.url.join(&form.action).ok().and_then(|url| scene.target.join(url.as_str()));
            let Some(action) = action else { continue };
            ways.push(SignUp {
                call: Call::new(Method::POST, action.path()),
                format: Format::Form,
                page: Some((path.clone(), form.action.clone())),
                fields: filled(form.fields.iter().filter_map(typed), by_mail),
                csrf: None,
            });
        }
    }
    Ok(ways)
}

fn chooses(form: &Form, page: &str) -> bool {
    let passwords = form.passwords();
    let changes = passwords.iter().any(|name| {
        let name = name.to_lowercase();
        ["old", "current"].iter().any(|word| name.contains(word))
    });
    let twice = passwords.len() == 2;
    let named = !passwords.is_empty() && (sounds(page) || sounds(&form.action));
    form.method == "POST" && form.user().is_some() && !changes && (twice || named)
}

/// Whether a path sounds like signing up.
#[must_use]
pub fn sounds(path: &str) -> bool {
    let path = path.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| path.contains(word));
    has(&["signup", "sign-up", "sign_up", "register", "registration", "join", "create-account", "users/new"])
        && !has(&["unregister", "verify", "confirm", "resend", "check"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_into_which_field() {
        let page = Page::read(
            "<form method=post action=/join><input type=hidden name=_csrf value=t><input name=name><input type=email name=mail>\
             <input type=password name=p1><input type=password name=p2><input type=checkbox name=terms><button name=go></form>",
        );
        let form = &page.forms[0];
        assert!(chooses(form, "/"), "the password is asked for twice");
        let of = |by_mail| filled(form.fields.iter().filter_map(typed), by_mail);
        let fixed = |value: &str| Fill::Fixed(value.to_owned());
        let expected = [fixed("t"), Fill::Word, Fill::Login, Fill::Password, Fill::Password, fixed("on")];
        assert_eq!(of(true).into_iter().map(|(_, fill)| fill).collect::<Vec<_>>(), expected);
        let expected = [fixed("t"), Fill::Login, Fill::Address, Fill::Password, Fill::Password, fixed("on")];
        assert_eq!(of(false).into_iter().map(|(_, fill)| fill).collect::<Vec<_>>(), expected);
        // Of JSON only the names are known, and an address may stand in a field that is called otherwise.
        let json = filled([("login", ""), ("passwd", ""), ("passwordConfirm", "")].into_iter(), true);
        assert_eq!(
            json.into_iter().map(|(_, fill)| fill).collect::<Vec<_>>(),
            [Fill::Login, Fill::Password, Fill::Password]
        );
    }

    #[test]
    fn which_forms_are_for_newcomers() {
        let one = "<form method=post action=/a><input name=user><input type=password name=p></form>";
        let form = |text: &str| Page::read(text).forms.remove(0);
        assert!(chooses(&form(one), "/register") && !chooses(&form(one), "/login"));
        let change = "<form method=post action=/a><input name=user><input type=password name=old_pw><input type=password name=p></form>";
        assert!(!chooses(&form(change), "/signup"));
        assert!(sounds("/api/auth/sign-up/email") && !sounds("/auth/signup/verify") && !sounds("/login"));
    }
}
