//! Parts of `[[retrofit]]`.

use crate::config::suggest;
use crate::config::typed::{Leaf, Misfit};
use countersign_core::domain::retrofit::{Injection, Pointer, RequestLine, TokenLocation};
use toml::Value;

impl Leaf for RequestLine {
    fn from_text(text: &str) -> Result<Self, Misfit> {
        Self::parse(text).map_err(|_invalid| {
            let message = "this is not a method and an exact path, in its normal form";
            Misfit::new(message, "write \"POST /api/login\"; no *, no query, one line for each path")
        })
    }
}

impl Leaf for TokenLocation {
    fn from_text(text: &str) -> Result<Self, Misfit> {
        Self::parse(text).map_err(|_invalid| {
            let remedy =
                "write \"json:/token\" (a JSON pointer), \"header:X-Auth-Token\" or \"cookie:sessionid\"";
            Misfit::new("this is not a place where a token can be", remedy)
        })
    }
}

impl Leaf for Injection {
    fn from_text(text: &str) -> Result<Self, Misfit> {
        Self::parse(text).map_err(|_invalid| {
            let remedy =
                "write \"authorization: Bearer {token}\", \"x-auth-token: {token}\" or \"cookie: name={token}\"";
            Misfit::new("this is not a header that a token can be sent in, with {token} once", remedy)
        })
    }
}

impl Leaf for Pointer {
    fn from_text(text: &str) -> Result<Self, Misfit> {
        Self::parse(text).map_err(|_invalid| {
            Misfit::new(
                "this is not a JSON pointer",
                "write \"/sub\", or \"/user/id\" for a member of a member",
            )
        })
    }
}

/// `refresh = "POST /api/refresh"`, or a table.
#[derive(Debug, Clone)]
pub(in crate::config) struct RefreshCall {
    pub(in crate::config) request: RequestLine,
    pub(in crate::config) token: Option<TokenLocation>,
    pub(in crate::config) send: Option<TokenLocation>,
    pub(in crate::config) answer: Option<TokenLocation>,
}

impl RefreshCall {
    pub(in crate::config) const KEYS: &'static [&'static str] = &["request", "token", "send", "answer"];
}

const WRITE_REFRESH: &str =
    "write \"POST /api/refresh\", or { request = \"POST /api/refresh\", token = \"json:/refresh_token\" }";

impl Leaf for RefreshCall {
    fn from_text(text: &str) -> Result<Self, Misfit> {
        Ok(Self { request: RequestLine::from_text(text)?, token: None, send: None, answer: None })
    }

    fn from_toml(value: &Value) -> Result<Self, Misfit> {
        if let Some(text) = value.as_str() {
            return Self::from_text(text);
        }
        let table =
            value.as_table().ok_or_else(|| Misfit::new("a table or text was expected", WRITE_REFRESH))?;
        if let Some(key) = table.keys().find(|key| !Self::KEYS.contains(&key.as_str())) {
            let near = suggest::nearest(key, Self::KEYS.iter().copied());
            let remedy = near.map_or(WRITE_REFRESH.into(), |near| format!("did you mean `{near}`?"));
            return Err(Misfit::new(&format!("unknown key {key:?}"), &remedy));
        }
        let place = |key: &str| table.get(key).map(TokenLocation::from_toml).transpose();
        let request =
            table.get("request").ok_or_else(|| Misfit::new("`request` is missing", WRITE_REFRESH))?;
        Ok(Self {
            request: RequestLine::from_toml(request)?,
            token: place("token")?,
            send: place("send")?,
            answer: place("answer")?,
        })
    }
}
