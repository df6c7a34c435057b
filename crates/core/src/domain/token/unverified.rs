//! What a token says about itself, unproven: to name an error better, and to keep what looks like ours from others.

use super::claims::Claims;
use super::compact::Compact;
use super::jws::Header;
use super::members::{self, Field};

/// Reads what a token claims to be. `None` if it is no JWS that we could have made.
#[must_use]
pub fn read(token: &str) -> Option<Unverified> {
    let compact = Compact::decode(token).ok()?;
    let header = Header::read(compact.header()).ok()?;
    let mut claims = Claims::default();
    members::read(compact.payload(), &mut claims)?;
    let text = |field: Option<Field<'_>>| match field {
        Some(Field::Text(text)) => Some(text.into()),
        _ => None,
    };
    let aud = match claims.aud {
        Some(Field::Text(one)) => vec![one.into()],
        Some(Field::Texts(many)) => many.into_iter().map(Into::into).collect(),
        _ => Vec::new(),
    };
    Some(Unverified { typ: header.typ().map(Into::into), env: text(claims.env), iss: text(claims.iss), aud })
}

/// Nothing here is proven.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unverified {
    /// The kind, in its short form.
    pub typ: Option<Box<str>>,
    /// `env`, if it is a string.
    pub env: Option<Box<str>>,
    /// `iss`, if it is a string.
    pub iss: Option<Box<str>>,
    /// `aud`, if it is a string or a list of strings.
    pub aud: Vec<Box<str>>,
}

impl Unverified {
    /// Whether it looks like a signed token of any deployment of Countersign.
    #[must_use]
    pub fn looks_like_ours(&self) -> bool {
        self.env.is_some() && matches!(self.typ.as_deref(), Some(super::access::TYP | super::assertion::TYP))
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64URL_NOPAD;

    use super::*;

    #[test]
    fn looks() {
        let token = |header: &str, claims: &str| {
            format!(
                "{}.{}.AAAA",
                BASE64URL_NOPAD.encode(header.as_bytes()),
                BASE64URL_NOPAD.encode(claims.as_bytes())
            )
        };
        let ours = |typ: &str, claims: &str| {
            read(&token(&format!(r#"{{"alg":"EdDSA","typ":"{typ}"}}"#), claims))
                .is_some_and(|t| t.looks_like_ours())
        };
        assert!(ours("at+jwt", r#"{"env":"staging"}"#) && ours("application/at+jwt", r#"{"env":"x"}"#));
        assert!(ours("cs-assertion+jwt", r#"{"env":"staging"}"#));
        assert!(!ours("at+jwt", "{}") && !ours("JWT", r#"{"env":"x"}"#) && !ours("at+jwt", r#"{"env":1}"#));
        assert_eq!(read("csk_x"), None);
    }
}
