//! How mail leaves.

use super::network::is_loopback_host;
use crate::config::Private;
use crate::config::typed::{Leaf, Misfit};
use percent_encoding::percent_decode_str;
use url::Url;

/// How the connection to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SmtpSecurity {
    /// TLS from the first byte (`smtps://`).
    Implicit,
    /// STARTTLS, and nothing is sent if the server does not offer it (`smtp://`).
    StartTls,
    /// A relay on this machine (`smtp://localhost`).
    LoopbackPlain,
}

/// `mail.smtp = "smtps://user:password@mail.example.com"`.
#[derive(Debug)]
pub(crate) struct SmtpServer {
    /// Host name or address.
    pub(crate) host: String,
    /// TCP port; 465 for `smtps`, 587 for `smtp`, 25 for a relay on this machine.
    pub(crate) port: u16,
    /// How the connection is protected.
    pub(crate) security: SmtpSecurity,
    /// User name and password, percent-decoded.
    pub(crate) credentials: Option<(String, Private)>,
}

impl Leaf for SmtpServer {
    const PRIVATE: bool = true;

    fn from_text(text: &str) -> Result<Self, Misfit> {
        let remedy = "write \"smtps://user:password@mail.example.com\", or smtp:// for STARTTLS; encode : / @ in a password as %3A %2F %40";
        let bad = |message: &str| Misfit::new(message, remedy);
        let url = Url::parse(text).ok().ok_or_else(|| bad("this is not a URL"))?;
        let implicit = match url.scheme() {
            "smtps" => true,
            "smtp" => false,
            _ => return Err(bad("the scheme is neither smtps nor smtp")),
        };
        let host =
            url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| bad("the URL names no host"))?;
        if !url.path().trim_matches('/').is_empty() || url.query().is_some() || url.fragment().is_some() {
            return Err(bad("the URL holds more than user, host and port"));
        }
        let as_web =
            Url::parse(&format!("http://{host}")).ok().ok_or_else(|| bad("the host is malformed"))?;
        let (security, port) = match (implicit, is_loopback_host(&as_web)) {
            (true, _) => (SmtpSecurity::Implicit, 465),
            (false, true) => (SmtpSecurity::LoopbackPlain, 25),
            (false, false) => (SmtpSecurity::StartTls, 587),
        };
        let decoded = |part: &str| percent_decode_str(part).decode_utf8().ok().map(|text| text.into_owned());
        let credentials = match (url.username(), url.password()) {
            ("", None) => None,
            (user, Some(password)) if !user.is_empty() => {
                let not_text = || bad("user or password is not UTF-8");
                let user = decoded(user).ok_or_else(not_text)?;
                Some((user, Private::new(decoded(password).ok_or_else(not_text)?)))
            }
            _ => return Err(bad("user and password go together")),
        };
        Ok(Self { host: host.to_owned(), port: url.port().unwrap_or(port), security, credentials })
    }
}

/// A sender, `app@example.com` or `App <app@example.com>`. A line break in it would write headers of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::config) struct Mailbox(pub(in crate::config) String);

impl Leaf for Mailbox {
    fn from_text(text: &str) -> Result<Self, Misfit> {
        let address = match text.split_once('<') {
            Some((_, rest)) => rest.strip_suffix('>').unwrap_or_default(),
            None => text,
        };
        let well = |part: &str| {
            !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || "<>@,;\"".contains(c))
        };
        let parts = address.split_once('@');
        if parts.is_some_and(|(local, domain)| well(local) && well(domain))
            && !text.chars().any(char::is_control)
        {
            return Ok(Self(text.to_owned()));
        }
        Err(Misfit::new(
            "this is not a mail address",
            "write \"app@example.com\" or \"App <app@example.com>\"",
        ))
    }
}
