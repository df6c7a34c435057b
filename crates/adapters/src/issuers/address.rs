//! Where the keys of an issuer may be fetched from (H09).

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

/// Longest address in bytes.
const LONGEST: usize = 2048;

/// The address of a JWK set, pinned: `https`, or `http` on this machine.
#[derive(Clone, PartialEq, Eq)]
pub struct JwksUrl {
    pub(super) https: bool,
    /// For the connection: a name, or an address without brackets.
    pub(super) host: Box<str>,
    pub(super) port: u16,
    /// For the header `Host`.
    pub(super) authority: Box<str>,
    /// Path and query.
    pub(super) target: Box<str>,
}

/// An address that keys may not be fetched from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidJwksUrl {
    /// Not `https://host[:port]/path`, without user, password and fragment.
    #[error("this is not an address such as https://login.example.com/.well-known/jwks.json")]
    Malformed,
    /// Plain HTTP: whoever sits between could put in keys of their own.
    #[error("keys that come over plain http are anybody's; it is for this machine only")]
    Insecure,
}

impl JwksUrl {
    /// Reads an address.
    ///
    /// # Errors
    /// [`InvalidJwksUrl`].
    pub fn parse(text: &str) -> Result<Self, InvalidJwksUrl> {
        // The parser repairs these silently; what was meant would be a guess.
        if text.len() > LONGEST || text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\') {
            return Err(InvalidJwksUrl::Malformed);
        }
        let url = Url::parse(text).map_err(|_not_a_url| InvalidJwksUrl::Malformed)?;
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(InvalidJwksUrl::Malformed);
        }
        let (host, loopback) = match url.host() {
            Some(Host::Domain(name)) => {
                (name.to_owned(), name == "localhost" || name.ends_with(".localhost"))
            }
            Some(Host::Ipv4(address)) => (address.to_string(), address.is_loopback()),
            Some(Host::Ipv6(address)) => {
                (address.to_string(), IpAddr::V6(address).to_canonical().is_loopback())
            }
            None => return Err(InvalidJwksUrl::Malformed),
        };
        let https = match url.scheme() {
            "https" => true,
            "http" if loopback => false,
            "http" => return Err(InvalidJwksUrl::Insecure),
            _ => return Err(InvalidJwksUrl::Malformed),
        };
        let port = url.port_or_known_default().filter(|port| *port != 0).ok_or(InvalidJwksUrl::Malformed)?;
        let shown = url.host_str().unwrap_or(&host);
        let authority = url.port().map_or_else(|| shown.to_owned(), |port| format!("{shown}:{port}"));
        let target = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        Ok(Self { https, host: host.into(), port, authority: authority.into(), target: target.into() })
    }

    /// Whether it is fetched without TLS, from this machine.
    #[must_use]
    pub const fn is_plain(&self) -> bool {
        !self.https
    }
}

impl fmt::Display for JwksUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", if self.https { "https" } else { "http" }, self.authority, self.target)
    }
}

impl fmt::Debug for JwksUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JwksUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// H09: https only, except on this machine; one host, named in the open.
    #[test]
    fn h09_addresses() {
        for good in [
            "https://login.example.com/.well-known/jwks.json",
            "https://login.example.com:8443/keys?v=1",
            "https://[2001:db8::1]/jwks",
            "http://localhost:8080/jwks",
            "http://127.0.0.1:1/",
            "http://[::1]:1/",
            "http://[::ffff:127.0.0.1]:1/",
        ] {
            let address = JwksUrl::parse(good).unwrap_or_else(|error| panic!("{good}: {error}"));
            assert_eq!(JwksUrl::parse(&address.to_string()).unwrap(), address, "{good}");
        }
        for insecure in [
            "http://login.example.com/jwks",
            "http://127.0.0.1.example.com/",
            "http://localhost.example.com/",
            "http://10.0.0.1/",
        ] {
            assert_eq!(JwksUrl::parse(insecure).unwrap_err(), InvalidJwksUrl::Insecure, "{insecure}");
        }
        for bad in [
            "",
            "login.example.com",
            "file:///etc/jwks.json",
            "ftp://a/b",
            "https://u:p@a/b",
            "https://u@a/b",
            "https://a/b#c",
            "https://a:0/",
            "https://a /b",
            "https://a\\b/",
            "data:application/json,{}",
            &format!("https://a/{}", "x".repeat(LONGEST)),
        ] {
            assert_eq!(JwksUrl::parse(bad).unwrap_err(), InvalidJwksUrl::Malformed, "{bad}");
        }
    }

    #[test]
    fn parts() {
        let address = JwksUrl::parse("https://[2001:db8::1]:8443/keys?v=1").unwrap();
        assert_eq!((&*address.host, address.port), ("2001:db8::1", 8443));
        assert_eq!((&*address.authority, &*address.target), ("[2001:db8::1]:8443", "/keys?v=1"));
        let plain = JwksUrl::parse("https://login.example.com").unwrap();
        assert_eq!((plain.port, &*plain.authority, &*plain.target), (443, "login.example.com", "/"));
    }
}
