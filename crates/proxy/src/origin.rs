//! The two origins of a proxied request: the upstream's and our public one.

use std::fmt;
use std::net::SocketAddr;

use http::header::HeaderValue;
use thiserror::Error;
use url::{Host, Url};

/// Why a URL is no origin that we can use.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OriginError {
    /// It does not parse.
    #[error("not a URL: {0}")]
    Url(#[from] url::ParseError),
    /// An upstream is reached by `http://`; a public origin has `http` or `https`.
    #[error("the scheme {0} is not supported here")]
    Scheme(String),
    /// It has user information, a path, a query or a fragment, or lacks a host.
    #[error("an origin has a scheme, a host and a port, nothing else")]
    NotAnOrigin,
}

/// Where an upstream listens: `http://host:port`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    pub(crate) host: Dial,
    pub(crate) port: u16,
    /// As in a Host header: without the port if it is 80.
    pub(crate) authority: HeaderValue,
    /// The host as it stands in a URL, lower case, IPv6 in brackets.
    printed: Box<str>,
}

/// What to connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Dial {
    Address(SocketAddr),
    Name(Box<str>),
}

impl Origin {
    /// Parses `http://host[:port]`, with an optional final slash.
    ///
    /// # Errors
    /// [`OriginError`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let (url, host) = parse(text)?;
        if url.scheme() != "http" {
            return Err(OriginError::Scheme(url.scheme().to_owned()));
        }
        let port = url.port_or_known_default().ok_or(OriginError::NotAnOrigin)?;
        let printed = host.to_string().into_boxed_str();
        let dial = match host {
            Host::Domain(name) => Dial::Name(name.into_boxed_str()),
            Host::Ipv4(ip) => Dial::Address((ip, port).into()),
            Host::Ipv6(ip) => Dial::Address((ip, port).into()),
        };
        let authority = authority(&printed, url.port())?;
        Ok(Self { host: dial, port, authority, printed })
    }

    /// Whether the authority of a URL, such as `LOCALHOST:3000`, is this one's.
    pub(crate) fn is(&self, authority: &str) -> bool {
        let (host, port) = match authority.rsplit_once(':') {
            // The colons of `[::1]` are not in front of a port.
            Some((host, port)) if !port.ends_with(']') => match port {
                "" => (host, Some(80)),
                _ => (host, port.parse::<u16>().ok()),
            },
            _ => (authority, Some(80)),
        };
        port == Some(self.port) && host.eq_ignore_ascii_case(&self.printed)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}:{}", self.printed, self.port)
    }
}

/// Where clients reach us, in the shapes that headers need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicOrigin {
    /// `https://app.example.com`, without a final slash.
    pub(crate) origin: Box<str>,
    /// `https` or `http`.
    pub(crate) proto: HeaderValue,
    /// Host, and port unless it is the scheme's own.
    pub(crate) host: HeaderValue,
    /// Always explicit.
    pub(crate) port: HeaderValue,
}

impl PublicOrigin {
    /// Parses `public_url`.
    ///
    /// # Errors
    /// [`OriginError`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let (url, host) = parse(text)?;
        let proto = match url.scheme() {
            "https" => HeaderValue::from_static("https"),
            "http" => HeaderValue::from_static("http"),
            other => return Err(OriginError::Scheme(other.to_owned())),
        };
        let port = url.port_or_known_default().ok_or(OriginError::NotAnOrigin)?;
        Ok(Self {
            origin: url.origin().ascii_serialization().into_boxed_str(),
            proto,
            host: authority(&host.to_string(), url.port())?,
            port: HeaderValue::from(port),
        })
    }
}

fn parse(text: &str) -> Result<(Url, Host<String>), OriginError> {
    let url = Url::parse(text)?;
    let host = url.host().ok_or(OriginError::NotAnOrigin)?.to_owned();
    let bare = url.username().is_empty()
        && url.password().is_none()
        && matches!(url.path(), "" | "/")
        && url.query().is_none()
        && url.fragment().is_none();
    if bare { Ok((url, host)) } else { Err(OriginError::NotAnOrigin) }
}

/// `port` is `None` if it is the scheme's own.
fn authority(host: &str, port: Option<u16>) -> Result<HeaderValue, OriginError> {
    let text = port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    HeaderValue::try_from(text).map_err(|_invalid| OriginError::NotAnOrigin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upstream_origins_parse() {
        let origin = Origin::parse("http://LocalHost:3000/").unwrap();
        assert_eq!(origin.host, Dial::Name("localhost".into()));
        assert_eq!((origin.port, origin.authority.to_str().unwrap()), (3000, "localhost:3000"));
        assert_eq!(Origin::parse("http://app").unwrap().authority, "app");
        let six = Origin::parse("http://[::1]:81").unwrap();
        assert_eq!(six.host, Dial::Address("[::1]:81".parse().unwrap()));
        assert_eq!(six.to_string(), "http://[::1]:81");
    }

    #[test]
    fn other_urls_are_refused() {
        assert_eq!(Origin::parse("https://app"), Err(OriginError::Scheme("https".into())));
        for text in ["http://app/x", "http://u:p@app", "http://app?x", "http://app#x"] {
            assert_eq!(Origin::parse(text), Err(OriginError::NotAnOrigin), "{text}");
        }
        assert!(Origin::parse("app:3000/").is_err());
        assert!(Origin::parse("").is_err());
    }

    #[test]
    fn authorities_are_compared_by_host_and_port() {
        let origin = Origin::parse("http://localhost:3000").unwrap();
        assert!(origin.is("LOCALHOST:3000"));
        for other in ["localhost", "localhost:30000", "localhost:3001", "u@localhost:3000", "localhost:3000x"]
        {
            assert!(!origin.is(other), "{other}");
        }
        let plain = Origin::parse("http://[::1]").unwrap();
        assert!(plain.is("[::1]") && plain.is("[::1]:80") && plain.is("[::1]:"));
    }

    #[test]
    fn public_origins_print_their_default_port_only_where_asked() {
        let public = PublicOrigin::parse("https://App.example.com/").unwrap();
        assert_eq!(&*public.origin, "https://app.example.com");
        assert_eq!(
            (public.host.to_str().unwrap(), public.port.to_str().unwrap()),
            ("app.example.com", "443")
        );
        assert!(PublicOrigin::parse("ftp://app").is_err());
    }
}
