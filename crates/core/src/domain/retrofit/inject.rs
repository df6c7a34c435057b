//! How a token is sent back: `authorization: Bearer {token}`.

use std::fmt;

use super::location::{COOKIE, TokenLocation, is_token};
use crate::domain::secret::SecretString;

/// Where the token goes in the template.
const MARK: &str = "{token}";

/// A header and what stands around the token in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Injection {
    header: Box<str>,
    before: Box<str>,
    after: Box<str>,
}

/// Text that is no such template.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0:?} is not a header with a token in it: write \"authorization: Bearer {{token}}\", \"x-auth-token: {{token}}\" or \"cookie: sid={{token}}\""
)]
pub struct InvalidInjection(String);

/// Headers that say where a request ends, where it goes, or who sent it.
const NEVER: [&str; 14] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "countersign-assertion",
    "expect",
    "host",
    "keep-alive",
    "origin",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

impl Injection {
    /// Parses `name: template`, the template with `{token}` once; for `cookie` it is `name={token}`.
    ///
    /// # Errors
    /// [`InvalidInjection`].
    pub fn parse(text: &str) -> Result<Self, InvalidInjection> {
        let bad = || InvalidInjection(text.chars().take(100).collect());
        let (name, template) = text.split_once(':').ok_or_else(bad)?;
        let (header, template) = (name.trim().to_ascii_lowercase(), template.trim());
        let (before, after) = template.split_once(MARK).ok_or_else(bad)?;
        let visible = |part: &str| part.bytes().all(|b| (0x20..0x7f).contains(&b)) && !part.contains(MARK);
        let cookie_fits =
            header != COOKIE || (before.strip_suffix('=').is_some_and(is_token) && after.is_empty());
        let family = [
            "x-forwarded-",
            "sec-",
            "proxy-",
            "countersign-",
            "x-auth-user",
            "x-auth-email",
            "x-auth-session",
            "x-auth-scopes",
        ];
        let free = !NEVER.contains(&header.as_str()) && !family.iter().any(|start| header.starts_with(start));
        if !(is_token(&header) && free && visible(before) && visible(after) && cookie_fits) {
            return Err(bad());
        }
        Ok(Self { header: header.into(), before: before.into(), after: after.into() })
    }

    /// What is usual for a place: a cookie goes back as that cookie, a header of its own as that header, all else as bearer token.
    #[must_use]
    pub fn default_for(location: &TokenLocation) -> Self {
        let plain = |header: &str, before: String| Self {
            header: header.into(),
            before: before.into(),
            after: "".into(),
        };
        match location {
            TokenLocation::Cookie(name) => plain(COOKIE, format!("{name}=")),
            TokenLocation::Header(name) if **name != *"authorization" => plain(name, String::new()),
            TokenLocation::Header(_) | TokenLocation::Json(_) => {
                plain("authorization", String::from("Bearer "))
            }
        }
    }

    /// The header, in lower case.
    #[must_use]
    pub fn header(&self) -> &str {
        &self.header
    }

    /// The cookie that carries the token, if the header is `cookie`.
    #[must_use]
    pub fn cookie(&self) -> Option<&str> {
        if *self.header == *COOKIE { self.before.strip_suffix('=') } else { None }
    }

    /// The scheme before the token in `authorization`, if it is that header.
    #[must_use]
    pub fn scheme(&self) -> Option<&str> {
        (*self.header == *"authorization").then(|| self.before.split(' ').next().unwrap_or_default())
    }

    /// The header's value, or the pair for the cookie header.
    #[must_use]
    pub fn render(&self, token: &SecretString) -> SecretString {
        SecretString::new(format!("{}{}{}", self.before, token.expose(), self.after))
    }
}

impl fmt::Display for Injection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}{MARK}{}", self.header, self.before, self.after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates() {
        let token = SecretString::new("t0k".into());
        for (text, header, value) in [
            ("Authorization: Bearer {token}", "authorization", "Bearer t0k"),
            ("authorization: Token token=\"{token}\"", "authorization", "Token token=\"t0k\""),
            ("X-Auth-Token:{token}", "x-auth-token", "t0k"),
            ("cookie: sid={token}", "cookie", "sid=t0k"),
        ] {
            let injection = Injection::parse(text).unwrap();
            assert_eq!((injection.header(), injection.render(&token).expose()), (header, value));
            assert_eq!(Injection::parse(&injection.to_string()).unwrap(), injection);
        }
        for bad in [
            "",
            "authorization",
            "authorization: Bearer",
            "authorization: {token} {token}",
            "host: {token}",
            "content-length: {token}",
            "x-auth-user: {token}",
            "x-forwarded-for: {token}",
            "cookie: {token}",
            "cookie: a=1; sid={token}",
            "a b: {token}",
            "x: \u{7f}{token}",
        ] {
            assert!(Injection::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn defaults() {
        let of = |place| Injection::default_for(&TokenLocation::parse(place).unwrap()).to_string();
        assert_eq!(of("json:/token"), "authorization: Bearer {token}");
        assert_eq!(of("header:X-Auth-Token"), "x-auth-token: {token}");
        assert_eq!(of("header:Authorization"), "authorization: Bearer {token}");
        assert_eq!(of("cookie:sid"), "cookie: sid={token}");
    }
}
