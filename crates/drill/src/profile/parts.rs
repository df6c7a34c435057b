//! The small languages inside a profile.

use std::fmt;
use std::str::FromStr;

use http::Method;
use serde::{Deserialize, Deserializer};

/// Why a part cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum InvalidPart {
    /// No request.
    #[error("{0:?} is no request: write METHOD /path, for example POST /api/login")]
    Call(String),
    /// No place.
    #[error("{0:?} is no place: write json:/pointer, header:Name or cookie:name")]
    Placement(String),
    /// No way to send.
    #[error(
        "{0:?} is no way to send a token: write header:Authorization: Bearer {{token}}, cookie:name or query:name"
    )]
    Sending(String),
}

/// A method and a path: `POST /api/login`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Method.
    pub method: Method,
    /// Path and query, from the root.
    pub path: String,
}

impl Call {
    /// Puts them together.
    #[must_use]
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into() }
    }
}

impl FromStr for Call {
    type Err = InvalidPart;

    fn from_str(text: &str) -> Result<Self, InvalidPart> {
        let invalid = || InvalidPart::Call(text.to_owned());
        let (method, path) = text.trim().split_once(' ').ok_or_else(invalid)?;
        let path = path.trim();
        if !path.starts_with('/') || !method.bytes().all(|b| b.is_ascii_uppercase()) {
            return Err(invalid());
        }
        Ok(Self { method: method.parse().map_err(|_invalid| invalid())?, path: path.to_owned() })
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// Where an answer has a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placement {
    /// RFC 6901 pointer.
    Json(String),
    /// Header name.
    Header(String),
    /// Cookie name.
    Cookie(String),
}

impl FromStr for Placement {
    type Err = InvalidPart;

    fn from_str(text: &str) -> Result<Self, InvalidPart> {
        let invalid = || InvalidPart::Placement(text.to_owned());
        match text.split_once(':').ok_or_else(invalid)? {
            ("json", pointer) if pointer.starts_with('/') => Ok(Self::Json(pointer.to_owned())),
            ("header", name) if !name.is_empty() => Ok(Self::Header(name.to_owned())),
            ("cookie", name) if !name.is_empty() => Ok(Self::Cookie(name.to_owned())),
            _ => Err(invalid()),
        }
    }
}

/// How a token goes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sending {
    /// In a header.
    Header {
        /// Its name.
        name: String,
        /// What stands before the token.
        prefix: String,
    },
    /// As a cookie.
    Cookie(String),
    /// In the query.
    Query(String),
}

impl FromStr for Sending {
    type Err = InvalidPart;

    fn from_str(text: &str) -> Result<Self, InvalidPart> {
        let invalid = || InvalidPart::Sending(text.to_owned());
        match text.split_once(':').ok_or_else(invalid)? {
            ("header", rest) => {
                let (name, template) = rest.split_once(':').ok_or_else(invalid)?;
                let prefix = template.trim_start().strip_suffix("{token}").ok_or_else(invalid)?;
                Ok(Self::Header { name: name.trim().to_owned(), prefix: prefix.to_owned() })
            }
            ("cookie", name) if !name.is_empty() => Ok(Self::Cookie(name.to_owned())),
            ("query", name) if !name.is_empty() => Ok(Self::Query(name.to_owned())),
            _ => Err(invalid()),
        }
    }
}

macro_rules! from_text {
    ($($name:ty),*) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

from_text!(Call, Placement, Sending);
