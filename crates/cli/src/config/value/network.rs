//! Public URLs and trusted networks.

use crate::config::typed::{Leaf, Misfit};
use countersign_adapters::issuers::JwksUrl;
use ipnet::IpNet;
use std::fmt;
use std::net::IpAddr;
use toml::Value;
use url::{Host, Url};

/// Scheme, host and port; nothing else. Origins are compared whole (C06), so a path would only be ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::config) struct BaseUrl(pub(in crate::config) Url);

impl Leaf for BaseUrl {
    fn from_text(text: &str) -> Result<Self, Misfit> {
        let remedy = "write scheme, host and port only, such as \"https://app.example.com\"";
        origin(text).map(Self).map_err(|message| {
            let meant = meant(text, "https").map(|url| format!("did you mean {url:?}?"));
            Misfit::new(message, meant.as_deref().unwrap_or(remedy))
        })
    }
}

/// Where an application listens: as a [`BaseUrl`], but what operators mean is another example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::config) struct UpstreamUrl(pub(in crate::config) Url);

impl Leaf for UpstreamUrl {
    fn from_text(text: &str) -> Result<Self, Misfit> {
        let remedy = "write scheme, host and port only, such as \"http://localhost:3000\"";
        origin(text).map(Self).map_err(|message| match meant(text, "http") {
            None => Misfit::new(message, remedy),
            Some(url) if url.starts_with(text) || !text.contains("://") => {
                Misfit::new(message, &format!("did you mean {url:?}?"))
            }
            Some(url) => {
                let remedy = format!(
                    "write {url:?}: requests keep their paths, and a [[route]] says which ones go there"
                );
                Misfit::new(message, &remedy)
            }
        })
    }
}

/// Where the keys of another issuer are.
impl Leaf for JwksUrl {
    fn from_text(text: &str) -> Result<Self, Misfit> {
        Self::parse(text).map_err(|fault| {
            let remedy = "write the whole address with https, such as \"https://login.example.com/.well-known/jwks.json\"";
            Misfit::new(&fault.to_string(), remedy)
        })
    }
}

/// The origin that a text probably stands for: one without a scheme, or with a path behind it.
fn meant(text: &str, scheme: &str) -> Option<String> {
    let whole = match text.split_once("://") {
        Some(_) => text.to_owned(),
        None if text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[') && !text.contains('=') => {
            format!("{scheme}://{text}")
        }
        None => return None,
    };
    let authority = whole.split("://").nth(1)?.split(['/', '?', '#']).next()?;
    let named =
        authority.parse::<u16>().is_err() && ["localhost", "."].iter().any(|part| authority.contains(part));
    let origin = origin(&format!("{}://{authority}", whole.split("://").next()?)).ok().filter(|_| named)?;
    Some(origin.origin().ascii_serialization())
}

fn origin(text: &str) -> Result<Url, &'static str> {
    if text == "*" || text == "null" {
        return Err("wildcards and \"null\" stand for anybody");
    }
    let lower = text.to_ascii_lowercase();
    if !lower.starts_with("https://") && !lower.starts_with("http://") {
        return Err("the URL does not begin with https:// or http://");
    }
    // The URL parser repairs these silently; what was meant would be a guess.
    if text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\') {
        return Err("the URL holds a space, a control character or a backslash");
    }
    let Ok(url) = Url::parse(text) else { return Err("this is not a URL") };
    if !url.username().is_empty() || url.password().is_some() || text.contains('@') {
        return Err("the URL holds a user name or password");
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err("the URL holds more than an origin");
    }
    if url.port() == Some(0) {
        return Err("port 0 cannot be reached");
    }
    Ok(url)
}

/// Whether a URL's host can only mean this machine: `localhost`, `*.localhost` (RFC 6761 §6.3), loopback addresses.
pub(in crate::config) fn is_loopback_host(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => is_loopback(IpAddr::V6(address)),
        None => false,
    }
}

/// Loopback, also where it is written as an IPv4-mapped IPv6 address.
pub(in crate::config) fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// Whose forwarding headers are believed (K04).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TrustedProxies {
    /// Peers in these networks; empty is nobody.
    Networks(Vec<IpNet>),
    /// Any peer with a private, link-local or loopback address.
    Private,
}

impl TrustedProxies {
    /// Whether no peer is trusted.
    pub(crate) fn is_nobody(&self) -> bool {
        matches!(self, Self::Networks(networks) if networks.is_empty())
    }
}

impl fmt::Display for TrustedProxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Networks(networks) => {
                let networks: Vec<_> = networks.iter().map(|network| format!("\"{network}\"")).collect();
                write!(f, "[{}]", networks.join(", "))
            }
            Self::Private => f.write_str("\"private\""),
        }
    }
}

const PRIVATE: &str = "private";

struct Network(IpNet);

impl Leaf for Network {
    fn from_text(text: &str) -> Result<Self, Misfit> {
        if text.eq_ignore_ascii_case(PRIVATE) {
            let remedy = "write trusted_proxies = \"private\", or only the networks that you mean, such as [\"10.0.0.0/8\"]";
            return Err(Misfit::new("\"private\" cannot stand beside networks", remedy));
        }
        let remedy = "write networks such as [\"10.0.0.0/8\", \"2001:db8::1\"], or \"private\"";
        let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        let network = network.ok().ok_or_else(|| Misfit::new("this is not a network or address", remedy))?;
        if network != network.trunc() {
            let remedy = format!("did you mean \"{}\"?", network.trunc());
            return Err(Misfit::new("the network has bits set beyond its prefix", &remedy));
        }
        Ok(Self(network))
    }
}

impl Leaf for TrustedProxies {
    fn from_text(text: &str) -> Result<Self, Misfit> {
        if text.eq_ignore_ascii_case(PRIVATE) {
            return Ok(Self::Private);
        }
        Vec::<Network>::from_text(text).map(Self::from)
    }

    fn from_toml(value: &Value) -> Result<Self, Misfit> {
        match value {
            Value::String(text) => Self::from_text(text),
            // What is meant is plain.
            Value::Array(items) if matches!(&items[..], [Value::String(text)] if text.eq_ignore_ascii_case(PRIVATE)) => {
                Ok(Self::Private)
            }
            other => Vec::<Network>::from_toml(other).map(Self::from),
        }
    }
}

impl From<Vec<Network>> for TrustedProxies {
    fn from(networks: Vec<Network>) -> Self {
        Self::Networks(networks.into_iter().map(|Network(network)| network).collect())
    }
}
