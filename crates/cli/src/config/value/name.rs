//! Labels, header names, scopes.

use crate::config::suggest;
use crate::config::typed::{Leaf, Misfit};
use countersign_core::domain::api_key::ApiKeyId;
use countersign_core::domain::client::ClientId;
use std::fmt;
use toml::Value;

/// An environment label, `[a-z][a-z0-9]{0,11}`: it is part of token prefixes and of key derivation (design §2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Environment(String);

impl Environment {
    /// The label.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// All environments but `development` are hardened.
    pub(crate) fn is_hardened(&self) -> bool {
        self.0 != "development"
    }
}

/// Where nothing is said, everything is refused that production refuses.
impl Default for Environment {
    fn default() -> Self {
        Self("production".into())
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl Leaf for Environment {
    fn from_text(text: &str) -> Result<Self, Misfit> {
        let starts_well = text.starts_with(|c: char| c.is_ascii_lowercase());
        let rest_well = text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        if let Some(meant) = near_miss(text) {
            // It would pass as a label of its own, with keys of its own, and none of the rules of what was meant.
            return Err(Misfit::new(
                "this is nearly an environment that is known",
                &format!("did you mean {meant:?}?"),
            ));
        }
        if starts_well && rest_well && text.len() <= 12 {
            return Ok(Self(text.to_owned()));
        }
        Err(Misfit::new(
            "this is not an environment label",
            "write \"production\", \"staging\", \"development\" or a label of 1 to 12 characters: a letter a-z, then a-z and 0-9",
        ))
    }
}

/// The id of an API key, which is no secret.
impl Leaf for ApiKeyId {
    // Somebody may put the key there by mistake.
    const PRIVATE: bool = true;

    fn from_text(text: &str) -> Result<Self, Misfit> {
        Self::parse(text).ok_or_else(|| {
            let remedy =
                "write the id that `countersign api-key list` shows; the key itself does not belong here";
            Misfit::new("this is not the id of an API key", remedy)
        })
    }
}

/// The environments that have a meaning, and what people write for them.
const KNOWN: &[(&str, &[&str])] = &[
    ("development", &["dev", "devel", "develop"]),
    ("staging", &["stage", "stg"]),
    ("production", &["prod", "prd"]),
];

/// The known environment that a text nearly is. One followed by a number is meant: `staging2`.
fn near_miss(text: &str) -> Option<&'static str> {
    let folded = text.trim().to_ascii_lowercase();
    let near = |known: &str, short: &[&str]| {
        let numbered = text.strip_prefix(known).is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()));
        !numbered && (short.contains(&folded.as_str()) || strsim::osa_distance(&folded, known) <= 2)
    };
    KNOWN.iter().find(|(known, short)| near(known, short)).map(|(known, _)| *known)
}

/// An upstream's name; also the audience of its assertions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::config) struct UpstreamName(pub(in crate::config) String);

impl Leaf for UpstreamName {
    fn from_text(text: &str) -> Result<Self, Misfit> {
        let well = text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_');
        if well && (1..=32).contains(&text.len()) && text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return Ok(Self(text.to_owned()));
        }
        Err(Misfit::new(
            "this is not an upstream name",
            "write 1 to 32 of a-z, 0-9, - and _, such as \"app\"",
        ))
    }
}

/// A client's id; also the claim `client_id` of its tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::config) struct ClientName(pub(in crate::config) String);

impl Leaf for ClientName {
    fn from_text(text: &str) -> Result<Self, Misfit> {
        if ClientId::parse(text).is_some() {
            return Ok(Self(text.to_owned()));
        }
        Err(Misfit::new(
            "this is not a client's id",
            "write 1 to 64 of A-Z, a-z, 0-9, ., _ and -, such as \"ios\"; \"countersign\" is what sessions without a client are called",
        ))
    }
}

/// A scope token (RFC 6749 §3.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::config) struct Scope(pub(in crate::config) String);

impl Leaf for Scope {
    fn from_text(text: &str) -> Result<Self, Misfit> {
        let well = |c: char| c.is_ascii_graphic() && c != '"' && c != '\\';
        if !text.is_empty() && text.len() <= 64 && text.chars().all(well) {
            return Ok(Self(text.to_owned()));
        }
        Err(Misfit::new(
            "this is not a scope",
            "write up to 64 visible characters without spaces, quotes and backslashes",
        ))
    }
}

/// A header name (RFC 9110 §5.6.2), in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::config) struct HeaderName(pub(in crate::config) String);

impl Leaf for HeaderName {
    fn from_text(text: &str) -> Result<Self, Misfit> {
        let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if !text.is_empty() && text.len() <= 64 && text.chars().all(token) {
            return Ok(Self(text.to_ascii_lowercase()));
        }
        Err(Misfit::new(
            "this is not a header name",
            "write letters, digits and hyphens, such as \"X-Remote-User\"",
        ))
    }
}

/// `identity_headers = { user = "X-Remote-User" }`
#[derive(Debug, Clone, Default)]
pub(in crate::config) struct IdentityNames {
    pub(in crate::config) user: Option<HeaderName>,
    pub(in crate::config) email: Option<HeaderName>,
    pub(in crate::config) session: Option<HeaderName>,
    pub(in crate::config) scopes: Option<HeaderName>,
}

impl IdentityNames {
    pub(in crate::config) const KEYS: &'static [&'static str] = &["user", "email", "session", "scopes"];
}

const WRITE_NAMES: &str = "write { user = \"X-Remote-User\" }; the keys are user, email, session, scopes";

impl Leaf for IdentityNames {
    fn from_text(_: &str) -> Result<Self, Misfit> {
        Err(Misfit::new("a table was expected", WRITE_NAMES))
    }

    fn from_toml(value: &Value) -> Result<Self, Misfit> {
        let table = value.as_table().ok_or_else(|| Misfit::new("a table was expected", WRITE_NAMES))?;
        let mut names = Self::default();
        for (key, name) in table {
            let slot = match key.as_str() {
                "user" => &mut names.user,
                "email" => &mut names.email,
                "session" => &mut names.session,
                "scopes" => &mut names.scopes,
                _ => {
                    let near = suggest::nearest(key, Self::KEYS.iter().copied());
                    let remedy = near.map_or(WRITE_NAMES.into(), |near| format!("did you mean `{near}`?"));
                    return Err(Misfit::new(&format!("unknown key {key:?}"), &remedy));
                }
            };
            *slot = Some(HeaderName::from_toml(name)?);
        }
        Ok(names)
    }
}

/// A control character would end a mail's subject line, one that turns the reading direction or that nobody sees would make a name
/// look like another; `=?` begins an encoded word in a header (RFC 2047 §2).
fn misleads(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// What people call the application: in titles, headings and subjects of mails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::config) struct ProductName(pub(in crate::config) String);

impl Leaf for ProductName {
    fn from_text(text: &str) -> Result<Self, Misfit> {
        let well = !text.chars().any(misleads) && !text.contains("=?") && text.trim() == text;
        if well && (1..=40).contains(&text.chars().count()) {
            return Ok(Self(text.to_owned()));
        }
        Err(Misfit::new(
            "this is not a name",
            "write 1 to 40 visible characters, with no space at the ends and no =?, such as \"Acme\"",
        ))
    }
}
