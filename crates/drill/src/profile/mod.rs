//! What the caller knows about the application and the drill cannot guess: a small TOML file, every part of it optional.
//!
//! `docs/drill.md` shows it whole. Unknown keys are refused, so that a misspelt one is not silently a guess.

mod parts;

pub use parts::{Call, InvalidPart, Placement, Sending};

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the profile cannot be used: {0}")]
pub struct InvalidProfile(#[from] toml::de::Error);

/// The file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// How people sign in.
    pub login: LoginProfile,
    /// How people sign up: the same members.
    pub signup: LoginProfile,
    /// The access token.
    pub token: TokenProfile,
    /// A request that says who is signed in: `GET /api/me`.
    pub who: Option<Call>,
    /// A request that signs out: `POST /api/logout`.
    pub logout: Option<Call>,
    /// How tokens are renewed.
    pub refresh: RefreshProfile,
    /// A change of the account's own data that does no harm; tried only with `--active`.
    pub change: Option<ChangeProfile>,
    /// Requests that change something by GET, to be tried with `--active`: `GET /notes/{id}/delete`.
    pub changing_gets: Vec<Call>,
    /// Another deployment of the same application, whose tokens must not work here: its URL. The same accounts sign in there.
    pub elsewhere: Option<String>,
    /// Tokens that must be refused, each in a file of its own, with what is wrong with it as its name: `expired = "old.jwt"`.
    pub must_refuse: BTreeMap<String, PathBuf>,
    /// For the browser.
    pub browser: BrowserProfile,
}

/// `[login]` and `[signup]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LoginProfile {
    /// `POST /api/login`.
    pub request: Option<Call>,
    /// `json` or `form`.
    pub format: Option<Format>,
    /// The field of the name or address.
    pub user_field: Option<String>,
    /// The field of the password.
    pub password_field: Option<String>,
    /// Further fields, as they are.
    pub fields: BTreeMap<String, String>,
}

/// How fields are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// A JSON object.
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
}

/// `[token]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokenProfile {
    /// Where the login answer has it: `json:/token`, `header:X-Auth-Token`, `cookie:sid`.
    pub place: Option<Placement>,
    /// How it goes back: `header:Authorization: Bearer {token}`, `cookie:sid`, `query:token`.
    pub send: Option<Sending>,
}

/// `[refresh]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RefreshProfile {
    /// `POST /api/refresh`.
    pub request: Option<Call>,
    /// Where the login answer has the refresh token.
    pub place: Option<Placement>,
    /// The member of the JSON body that carries it; nothing for a cookie.
    pub field: Option<String>,
}

/// `[change]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeProfile {
    /// `PUT /api/me`.
    pub request: Call,
    /// `json` or `form`.
    #[serde(default)]
    pub format: Option<Format>,
    /// Its fields; `{marker}` becomes a word of the drill's, which `see` then shows.
    pub fields: BTreeMap<String, String>,
    /// Where the change shows; the request that says who is signed in, if nothing is given.
    #[serde(default)]
    pub see: Option<Call>,
}

/// `[browser]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BrowserProfile {
    /// The page with the login form.
    pub login_page: Option<String>,
    /// CSS selector of the name's field.
    pub user: Option<String>,
    /// CSS selector of the password's field.
    pub password: Option<String>,
    /// CSS selector of what submits.
    pub submit: Option<String>,
    /// CSS selector of something that is there only when signed in.
    pub signed_in: Option<String>,
}

impl Profile {
    /// Reads the file's text.
    ///
    /// # Errors
    /// [`InvalidProfile`] names the line.
    pub fn parse(text: &str) -> Result<Self, InvalidProfile> {
        Ok(toml::from_str(text)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Method;

    const WHOLE: &str = r#"
        who = "GET /api/me"
        logout = "DELETE /session"
        changing_gets = ["GET /notes/{id}/delete"]
        elsewhere = "https://staging.example.com"
        [login]
        request = "POST /session/new"
        format = "form"
        user_field = "username"
        password_field = "passwd"
        fields = { remember = "1" }
        [signup]
        request = "POST /people"
        fields = { terms = "yes" }
        [token]
        place = "json:/data/token"
        send = "header:Authorization: Token {token}"
        [refresh]
        request = "POST /refresh"
        place = "cookie:rt"
        [change]
        request = "PUT /api/me"
        fields = { biography = "{marker}" }
        [must_refuse]
        expired = "old.jwt"
        [browser]
        submit = "button.go"
    "#;

    #[test]
    fn a_whole_profile() {
        let profile = Profile::parse(WHOLE).unwrap();
        assert_eq!(profile.login.request.unwrap().method, Method::POST);
        assert_eq!(profile.signup.request.unwrap().to_string(), "POST /people");
        assert_eq!(profile.logout.unwrap().path, "/session");
        assert_eq!(profile.token.place, Some(Placement::Json("/data/token".into())));
        let send = Sending::Header { name: "Authorization".into(), prefix: "Token ".into() };
        assert_eq!(profile.token.send, Some(send));
        assert_eq!(profile.refresh.place, Some(Placement::Cookie("rt".into())));
    }

    #[test]
    fn mistakes_are_named() {
        for (text, word) in [
            ("whoo = \"GET /\"", "whoo"),
            ("who = \"/api/me\"", "METHOD /path"),
            ("[token]\nplace = \"somewhere\"", "json:/pointer"),
            ("[token]\nsend = \"header:X\"", "{token}"),
            ("[login]\nformat = \"xml\"", "xml"),
        ] {
            let said = Profile::parse(text).unwrap_err().to_string();
            assert!(said.contains(word), "{text}: {said}");
        }
    }
}
