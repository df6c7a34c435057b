//! The one origin that keys and revocations come from.

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

/// Scheme, host and port; fixed when the verifier is made.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) https: bool,
    /// For the connection: a name or an address without brackets.
    pub(crate) host: Box<str>,
    pub(crate) port: u16,
    /// For the header `Host`.
    pub(crate) authority: Box<str>,
}

/// An origin that keys may not be fetched from.
#[derive(Debug, thiserror::Error)]
pub enum InvalidOrigin {
    /// Not `scheme://host[:port]` without path, query and user.
    #[error("{0:?} is not an origin such as https://app.example.com")]
    NotAnOrigin(String),
    /// Plain HTTP: whoever sits between could put in keys of their own (H09).
    #[error("{0:?} is not https; plain http is for loopback in development only")]
    Insecure(String),
}

impl Origin {
    /// Parses an origin. `http` is let through for loopback hosts if `development`.
    pub(crate) fn parse(text: &str, development: bool) -> Result<Self, InvalidOrigin> {
        let shown = || text.chars().take(200).collect::<String>();
        let not_an_origin = || InvalidOrigin::NotAnOrigin(shown());
        let url = Url::parse(text).map_err(|_invalid| not_an_origin())?;
        let bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
        if !bare || !url.username().is_empty() || url.password().is_some() {
            return Err(not_an_origin());
        }
        let (host, loopback) = match url.host() {
            Some(Host::Domain(name)) => {
                (name.to_owned(), name == "localhost" || name.ends_with(".localhost"))
            }
            Some(Host::Ipv4(address)) => (address.to_string(), address.is_loopback()),
            Some(Host::Ipv6(address)) => (address.to_string(), address.is_loopback()),
            None => return Err(not_an_origin()),
        };
        let https = match url.scheme() {
            "https" => true,
            "http" if development && loopback => false,
            "http" => return Err(InvalidOrigin::Insecure(shown())),
            _ => return Err(not_an_origin()),
        };
        let port = url.port_or_known_default().ok_or_else(not_an_origin)?;
        let shown_host = url.host_str().unwrap_or(&host);
        let authority =
            url.port().map_or_else(|| shown_host.to_owned(), |port| format!("{shown_host}:{port}"));
        Ok(Self { https, host: host.into(), port, authority: authority.into() })
    }

    /// The address, if the host is one.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.https { "https" } else { "http" }, self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// H09: https only, except loopback in development.
    #[test]
    fn h09_origins() {
        for good in ["https://app.example.com", "https://app.example.com:8443/", "https://[2001:db8::1]"] {
            assert!(Origin::parse(good, false).is_ok(), "{good}");
        }
        for loopback in ["http://localhost:8080", "http://127.0.0.1:1", "http://[::1]:1"] {
            assert!(Origin::parse(loopback, true).is_ok(), "{loopback}");
            assert!(matches!(Origin::parse(loopback, false), Err(InvalidOrigin::Insecure(_))), "{loopback}");
        }
        for bad in ["http://app.example.com", "http://127.0.0.1.example.com", "http://localhost.example.com"]
        {
            assert!(matches!(Origin::parse(bad, true), Err(InvalidOrigin::Insecure(_))), "{bad}");
        }
        for bad in
            ["app", "ftp://a", "https://a/path", "https://a?q", "https://u:p@a", "https://a#f", "file:///etc"]
        {
            assert!(matches!(Origin::parse(bad, true), Err(InvalidOrigin::NotAnOrigin(_))), "{bad}");
        }
    }

    #[test]
    fn parts() {
        let origin = Origin::parse("https://[::1]:8443", false).unwrap();
        assert_eq!((&*origin.host, origin.port, &*origin.authority), ("::1", 8443, "[::1]:8443"));
        assert_eq!(origin.to_string(), "https://[::1]:8443");
        let plain = Origin::parse("https://app.example.com", false).unwrap();
        assert_eq!((plain.port, &*plain.authority), (443, "app.example.com"));
    }
}
