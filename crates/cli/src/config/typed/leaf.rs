//! How one value is read, from TOML or from the text of a variable or flag.

use crate::config::span;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use toml::Value;

/// Why a value does not fit its key, and what would.
#[derive(Debug)]
pub(in crate::config) struct Misfit {
    pub(in crate::config) message: String,
    pub(in crate::config) remedy: String,
}

impl Misfit {
    pub(in crate::config) fn new(message: &str, remedy: &str) -> Self {
        Self { message: message.to_owned(), remedy: remedy.to_owned() }
    }
}

/// A type that a value can be read into.
pub(in crate::config) trait Leaf: Sized {
    /// Whether values usually carry a password, and are never quoted.
    const PRIVATE: bool = false;

    /// Reads text: a TOML string, a variable or a flag.
    ///
    /// # Errors
    /// [`Misfit`] says what was expected.
    fn from_text(text: &str) -> Result<Self, Misfit>;

    /// Reads a TOML value; strings by default.
    ///
    /// # Errors
    /// [`Misfit`] says what was expected.
    fn from_toml(value: &Value) -> Result<Self, Misfit> {
        match value {
            Value::String(text) => Self::from_text(text),
            other => Err(Misfit::new(
                &format!("text was expected, not {}", other.type_str()),
                "write the value in double quotes",
            )),
        }
    }
}

impl Leaf for String {
    fn from_text(text: &str) -> Result<Self, Misfit> {
        if text.trim().is_empty() {
            return Err(Misfit::new("the text is empty", "write a value, or remove the key"));
        }
        Ok(text.to_owned())
    }
}

impl Leaf for PathBuf {
    fn from_text(text: &str) -> Result<Self, Misfit> {
        String::from_text(text).map(Self::from)
    }
}

impl Leaf for bool {
    fn from_text(text: &str) -> Result<Self, Misfit> {
        text.parse().ok().ok_or_else(wanted_bool)
    }

    fn from_toml(value: &Value) -> Result<Self, Misfit> {
        value.as_bool().ok_or_else(wanted_bool)
    }
}

fn wanted_bool() -> Misfit {
    Misfit::new("this is neither true nor false", "write true or false, without quotes")
}

impl Leaf for u32 {
    fn from_text(text: &str) -> Result<Self, Misfit> {
        text.parse().ok().ok_or_else(wanted_number)
    }

    fn from_toml(value: &Value) -> Result<Self, Misfit> {
        value.as_integer().and_then(|number| number.try_into().ok()).ok_or_else(wanted_number)
    }
}

fn wanted_number() -> Misfit {
    Misfit::new("this is not a whole number from 0 to 4294967295", "write a number, without quotes")
}

impl Leaf for Duration {
    fn from_text(text: &str) -> Result<Self, Misfit> {
        span::parse(text).ok_or_else(|| {
            unitless(text).unwrap_or_else(|| {
                Misfit::new(
                    "this is not a duration",
                    "write a number and a unit, such as \"500ms\", \"10s\", \"15m\", \"12h\" or \"7d\"",
                )
            })
        })
    }

    fn from_toml(value: &Value) -> Result<Self, Misfit> {
        match value {
            Value::String(text) => Self::from_text(text),
            other => Self::from_text(&other.to_string()),
        }
    }
}

/// Whoever means seconds and whoever means minutes write the same `15`.
fn unitless(text: &str) -> Option<Misfit> {
    let number: u64 = text.trim().parse().ok()?;
    let remedy =
        format!("write \"{number}s\" for seconds, \"{number}m\" for minutes, \"{number}h\" for hours");
    Some(Misfit::new("this number has no unit", &remedy))
}

impl Leaf for SocketAddr {
    fn from_text(text: &str) -> Result<Self, Misfit> {
        text.parse().ok().ok_or_else(|| {
            let text = text.trim();
            let remedy = match (text.trim_start_matches(':').parse::<u16>(), text.parse::<IpAddr>()) {
                (Ok(port), _) => {
                    format!("write \"127.0.0.1:{port}\" for this machine alone, \"0.0.0.0:{port}\" for all")
                }
                (_, Ok(address)) => format!("write \"{}\"", Self::new(address, 8443)),
                _ => "write \"127.0.0.1:8443\" or \"[::1]:8443\"".to_owned(),
            };
            Misfit::new("this is not an address and port", &remedy)
        })
    }

    fn from_toml(value: &Value) -> Result<Self, Misfit> {
        match value {
            Value::String(text) => Self::from_text(text),
            other => Self::from_text(&other.to_string()),
        }
    }
}

/// A TOML array, or text with commas. One fault spoils the list.
impl<T: Leaf> Leaf for Vec<T> {
    fn from_text(text: &str) -> Result<Self, Misfit> {
        text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(T::from_text).collect()
    }

    fn from_toml(value: &Value) -> Result<Self, Misfit> {
        match value {
            Value::Array(items) => items.iter().map(T::from_toml).collect(),
            other => {
                let message = format!("a list was expected, not {}", other.type_str());
                let remedy = match other {
                    Value::String(_) if !T::PRIVATE => format!("write it in square brackets: [{other}]"),
                    _ => "write it in square brackets: [\"…\", \"…\"]".to_owned(),
                };
                Err(Misfit::new(&message, &remedy))
            }
        }
    }
}

/// Time-outs: a duration, or `"none"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::config) struct TimeOut(pub(in crate::config) Option<Duration>);

impl Leaf for TimeOut {
    fn from_text(text: &str) -> Result<Self, Misfit> {
        if text == "none" {
            return Ok(Self(None));
        }
        match span::parse(text) {
            Some(span) if !span.is_zero() => Ok(Self(Some(span))),
            _ => Err(unitless(text).unwrap_or_else(|| {
                Misfit::new("this is not a time-out", "write a duration such as \"60s\", or \"none\"")
            })),
        }
    }

    fn from_toml(value: &Value) -> Result<Self, Misfit> {
        match value {
            Value::String(text) => Self::from_text(text),
            other => Self::from_text(&other.to_string()),
        }
    }
}
