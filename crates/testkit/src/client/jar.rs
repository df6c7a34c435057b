//! A cookie jar: by name, one site, `Path=/`.

use std::collections::BTreeMap;

/// A cookie as a `Set-Cookie` header described it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cookie {
    /// Name.
    pub name: String,
    /// Value.
    pub value: String,
    /// Attributes as written, without the value: `Path=/`, `Secure`, …
    pub attributes: Vec<String>,
}

impl Cookie {
    /// Parses a header value.
    #[must_use]
    pub fn parse(header: &str) -> Self {
        let mut parts = header.split(';').map(str::trim);
        let (name, value) = parts.next().and_then(|p| p.split_once('=')).expect("name=value");
        Self {
            name: name.to_owned(),
            value: value.to_owned(),
            attributes: parts.map(str::to_owned).collect(),
        }
    }

    /// The value of an attribute; `Some("")` for one without a value.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find_map(|attribute| {
            let (key, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// Whether the header deletes the cookie.
    #[must_use]
    pub fn deletes(&self) -> bool {
        self.attribute("Max-Age") == Some("0")
    }

    /// Whether a browser would keep it at all: the rules of the `__Host-` prefixes (layered-cookies).
    #[must_use]
    pub fn is_acceptable(&self) -> bool {
        let host = !self.name.starts_with("__Host-")
            || (self.attribute("Secure").is_some()
                && self.attribute("Path") == Some("/")
                && self.attribute("Domain").is_none());
        let http = !self.name.starts_with("__Host-Http-") || self.attribute("HttpOnly").is_some();
        host && http && self.name.len() + self.value.len() <= 4096
    }
}

/// What a browser keeps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Jar(BTreeMap<String, Cookie>);

impl Jar {
    /// Follows a `Set-Cookie` header. Panics where a browser would drop the cookie in silence.
    pub(crate) fn put(&mut self, header: &str) {
        let cookie = Cookie::parse(header);
        assert!(cookie.is_acceptable(), "no browser would keep {header}");
        if cookie.deletes() {
            self.0.remove(&cookie.name);
        } else {
            self.0.insert(cookie.name.clone(), cookie);
        }
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|cookie| cookie.value.as_str())
    }

    pub(crate) fn all(&self) -> Vec<Cookie> {
        self.0.values().cloned().collect()
    }

    /// The `Cookie` header with all cookies that pass; `None` if there are none.
    pub(crate) fn header(&self, passes: impl Fn(&Cookie) -> bool) -> Option<String> {
        let pairs: Vec<String> =
            self.0.values().filter(|c| passes(c)).map(|c| format!("{}={}", c.name, c.value)).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_replace_delete() {
        let mut jar = Jar::default();
        jar.put("a=1; Path=/; Max-Age=9");
        jar.put("b=2; SameSite=Lax");
        jar.put("a=3");
        assert_eq!(jar.header(|_| true).as_deref(), Some("a=3; b=2"));
        assert_eq!(jar.header(|c| c.attribute("samesite") == Some("Lax")).as_deref(), Some("b=2"));
        jar.put("a=; Max-Age=0; Path=/");
        assert_eq!(jar.value("a"), None);
    }

    #[test]
    fn prefixes_are_checked() {
        assert!(Cookie::parse("__Host-a=1; Secure; Path=/").is_acceptable());
        assert!(!Cookie::parse("__Host-a=1; Path=/").is_acceptable());
        assert!(!Cookie::parse("__Host-a=1; Secure; Path=/; Domain=x.test").is_acceptable());
        assert!(!Cookie::parse("__Host-Http-a=1; Secure; Path=/").is_acceptable());
    }
}
