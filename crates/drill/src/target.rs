//! What may be attacked: the hosts that the caller named, and no other.

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

/// The application under attack.
#[derive(Debug, Clone)]
pub struct Target {
    base: Url,
}

/// Why text is no target.
#[derive(Debug, thiserror::Error)]
pub enum NotATarget {
    /// No URL at all.
    #[error("{0:?} is no URL: write it as https://app.example.com")]
    Url(String),
    /// Another scheme.
    #[error("{0:?} is neither http:// nor https://")]
    Scheme(String),
    /// `https://name:password@host/`.
    #[error("the URL holds a name or password: pass accounts with --account")]
    Credentials,
}

/// Scheme, host and port: what a browser compares.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// `http` or `https`.
    pub scheme: String,
    /// Host name or address, IPv6 in brackets.
    pub host: String,
    /// Port.
    pub port: u16,
}

impl Origin {
    /// Of a URL; `None` for other schemes than http and https.
    #[must_use]
    pub fn of(url: &Url) -> Option<Self> {
        let scheme = url.scheme();
        if scheme != "http" && scheme != "https" {
            return None;
        }
        Some(Self {
            scheme: scheme.to_owned(),
            host: url.host_str()?.to_owned(),
            port: url.port_or_known_default()?,
        })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let default = if self.scheme == "https" { 443 } else { 80 };
        if self.port == default {
            return write!(f, "{}://{}", self.scheme, self.host);
        }
        write!(f, "{}://{}:{}", self.scheme, self.host, self.port)
    }
}

impl Target {
    /// Reads `https://host[:port][/path]`; query and fragment are dropped.
    ///
    /// # Errors
    /// [`NotATarget`].
    pub fn parse(text: &str) -> Result<Self, NotATarget> {
        let mut base = Url::parse(text).map_err(|_invalid| NotATarget::Url(text.to_owned()))?;
        if Origin::of(&base).is_none() {
            return Err(NotATarget::Scheme(text.to_owned()));
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(NotATarget::Credentials);
        }
        base.set_query(None);
        base.set_fragment(None);
        Ok(Self { base })
    }

    /// The page that was named.
    #[must_use]
    pub const fn base(&self) -> &Url {
        &self.base
    }

    /// Its origin.
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin::of(&self.base).unwrap_or_else(|| Origin {
            scheme: String::new(),
            host: String::new(),
            port: 0,
        })
    }

    /// A path, or a whole URL, resolved against the named page; `None` where it leads to another origin.
    #[must_use]
    pub fn join(&self, reference: &str) -> Option<Url> {
        let url = self.base.join(reference).ok()?;
        (Origin::of(&url)? == self.origin()).then_some(url)
    }

    /// Whether it is served over TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.base.scheme() == "https"
    }

    /// Whether it runs on this machine, where neither TLS nor HSTS is asked for.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self.base.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
            Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
            None => false,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.base.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets() {
        let target = Target::parse("https://app.example.com/base/?q#f").unwrap();
        assert_eq!(target.base().as_str(), "https://app.example.com/base/");
        assert_eq!(target.origin().to_string(), "https://app.example.com");
        assert!(target.is_https() && !target.is_local());
        for local in ["http://localhost:3000", "http://app.localhost", "http://127.0.0.9:1", "http://[::1]:1"]
        {
            assert!(Target::parse(local).unwrap().is_local(), "{local}");
        }
        for wrong in ["localhost:3000", "ftp://x", "x", "https://a:b@c/"] {
            assert!(Target::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_the_named_origin_is_joined() {
        let target = Target::parse("http://localhost:3000/").unwrap();
        assert_eq!(target.join("/api/me").unwrap().as_str(), "http://localhost:3000/api/me");
        for elsewhere in
            ["http://localhost:3001/", "https://localhost:3000/", "//evil.example/x", "javascript:x"]
        {
            assert!(target.join(elsewhere).is_none(), "{elsewhere}");
        }
    }
}
