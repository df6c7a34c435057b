//! Where a token is: `json:<pointer>`, `header:<name>`, `cookie:<name>` (design §9).

use std::fmt;

use super::pointer::Pointer;

/// A place in an answer, or in the refresh call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TokenLocation {
    /// A string in a JSON body.
    Json(Pointer),
    /// The whole value of a header, without `Bearer ` before it; the name in lower case.
    Header(Box<str>),
    /// The value of a cookie.
    Cookie(Box<str>),
}

/// Text that is no such place.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0:?} is not a place for a token: write \"json:/token\", \"header:X-Auth-Token\" or \"cookie:sessionid\""
)]
pub struct InvalidLocation(String);

/// The word for a cookie, and the header that brings it back.
pub(super) const COOKIE: &str = "cookie";

/// Headers that carry framing or are handled by themselves: none of them is a token's.
const NOT_A_TOKENS: [&str; 12] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    COOKIE,
    "date",
    "host",
    "location",
    "set-cookie",
    "transfer-encoding",
    "upgrade",
    "vary",
];

impl TokenLocation {
    /// Parses a place.
    ///
    /// # Errors
    /// [`InvalidLocation`].
    pub fn parse(text: &str) -> Result<Self, InvalidLocation> {
        let bad = || InvalidLocation(text.chars().take(100).collect());
        match text.split_once(':').ok_or_else(bad)? {
            ("json", pointer) => Ok(Self::Json(Pointer::parse(pointer).map_err(|_invalid| bad())?)),
            ("header", name) => {
                let name = name.to_ascii_lowercase();
                let good = is_token(&name) && !NOT_A_TOKENS.contains(&name.as_str());
                if good { Ok(Self::Header(name.into())) } else { Err(bad()) }
            }
            (kind, name) if kind == COOKIE && is_token(name) => Ok(Self::Cookie(name.into())),
            _ => Err(bad()),
        }
    }

    /// The cookie, if it is one.
    #[must_use]
    pub fn cookie(&self) -> Option<&str> {
        if let Self::Cookie(name) = self { Some(name) } else { None }
    }

    /// The header, if it is one.
    #[must_use]
    pub fn header(&self) -> Option<&str> {
        if let Self::Header(name) = self { Some(name) } else { None }
    }

    /// The place in a body, if it is one.
    #[must_use]
    pub fn json(&self) -> Option<&Pointer> {
        if let Self::Json(pointer) = self { Some(pointer) } else { None }
    }
}

/// A token in the sense of RFC 9110 §5.6.2: what names headers and cookies.
pub(super) fn is_token(name: &str) -> bool {
    let part = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    (1..=128).contains(&name.len()) && name.bytes().all(part)
}

impl fmt::Display for TokenLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(pointer) => write!(f, "json:{pointer}"),
            Self::Header(name) => write!(f, "header:{name}"),
            Self::Cookie(name) => write!(f, "cookie:{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        for (text, shown) in [
            ("json:/token", "json:/token"),
            ("json:", "json:"),
            ("json:/data/0/access_token", "json:/data/0/access_token"),
            ("header:X-Auth-Token", "header:x-auth-token"),
            ("header:Authorization", "header:authorization"),
            ("cookie:_app_session", "cookie:_app_session"),
            ("cookie:connect.sid", "cookie:connect.sid"),
        ] {
            assert_eq!(TokenLocation::parse(text).unwrap().to_string(), shown);
        }
        for bad in [
            "",
            "token",
            "json:token",
            "header:",
            "header:a b",
            "header:Set-Cookie",
            "cookie:",
            "cookie:a=b",
            "body:/x",
        ] {
            assert!(TokenLocation::parse(bad).is_err(), "{bad}");
        }
    }
}
