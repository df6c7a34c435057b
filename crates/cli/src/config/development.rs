//! The configuration that `dev` makes up, so that one command is a working system (design §9).

use super::Sources;
use super::typed::Leaf;
use super::value::{BaseUrl, is_loopback_host};
#[cfg(test)]
use super::{Checked, Settings, problem::Refused, read};
use toml::{Table, Value};

const DEVELOPMENT: &str = "development";

/// What the flags of `dev` say.
#[derive(Debug, Default)]
pub(crate) struct Development {
    /// `--upstream [/path=]URL`, in order.
    pub(crate) upstreams: Vec<DevelopmentUpstream>,
    /// `--plain-http`: no TLS, on loopback only.
    pub(crate) plain_http: bool,
    /// `--public-url URL`.
    pub(crate) public_url: Option<String>,
}

/// One `--upstream`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DevelopmentUpstream {
    /// Without its `/` at the end: empty stands for every path.
    pub(crate) path: String,
    /// As typed.
    pub(crate) url: String,
}

impl Development {
    /// Whether there are upstreams, and paths that none of them has.
    pub(crate) fn leaves_paths(&self) -> bool {
        !self.upstreams.is_empty() && self.upstreams.iter().all(|upstream| !upstream.path.is_empty())
    }
}

impl DevelopmentUpstream {
    /// Takes `URL` (serves every path) or `/path=URL` (that path and all below it).
    pub(crate) fn parse(text: &str) -> Self {
        match text.split_once('=') {
            Some((path, url)) if path.starts_with('/') => {
                Self { path: path.trim_end_matches('/').to_owned(), url: url.to_owned() }
            }
            _ => Self { path: String::new(), url: text.to_owned() },
        }
    }

    /// As it was typed, but for a `/` at the end of the path.
    pub(crate) fn typed(&self) -> String {
        if self.path.is_empty() { self.url.clone() } else { format!("{}={}", self.path, self.url) }
    }

    /// What is wrong with the form, and what was probably meant. The parts themselves are judged with the configuration.
    pub(crate) fn mistyped(&self) -> Option<(&'static str, String)> {
        let url = self.url.as_str();
        if ["/auth", "/.well-known"].iter().any(|own| self.path == *own) || self.path.starts_with("/auth/") {
            return Some((
                "Countersign itself answers what lies below this path",
                format!("/app{}={url}", self.path),
            ));
        }
        match url.split_once('=') {
            Some((path, rest)) if self.path.is_empty() && !path.contains(['/', ':']) => {
                Some(("the path lacks its slash", format!("/{path}={}", with_scheme(rest))))
            }
            _ if self.path.is_empty() && url.starts_with('/') => Some((
                "this is a path without a URL",
                format!("{}=http://localhost:3000", url.trim_end_matches('=')),
            )),
            _ if with_scheme(url) != url => {
                let right = Self { path: self.path.clone(), url: with_scheme(url) };
                Some(("the URL lacks its scheme", right.typed()))
            }
            _ => None,
        }
    }

    fn routes(&self, name: &str) -> Vec<Value> {
        let mut paths = vec![format!("{}/*", self.path)];
        if !self.path.is_empty() {
            paths.push(self.path.clone());
        }
        paths.iter().map(|path| table([("path", path), ("upstream", name)])).collect()
    }
}

/// `3000` and `localhost:3000` as the URLs that they stand for.
fn with_scheme(url: &str) -> String {
    match url {
        _ if url.contains("://") || url.is_empty() => url.to_owned(),
        _ if url.chars().all(|c| c.is_ascii_digit()) => format!("http://localhost:{url}"),
        _ if url.starts_with(':') => format!("http://localhost{url}"),
        _ => format!("http://{url}"),
    }
}

fn table<const N: usize>(entries: [(&str, &str); N]) -> Value {
    Value::Table(Table::from_iter(entries.map(|(key, text)| (key.to_owned(), Value::from(text)))))
}

impl Sources {
    /// What `dev` starts from without a file.
    #[cfg(test)]
    pub(crate) fn development(dev: &Development) -> Self {
        Self::default().with_development(dev)
    }

    /// The file and what it says that `dev` cannot be: another environment, or a host that is not this machine. To run
    /// it as development would open the store of a real site with weaker rules.
    pub(crate) fn contradicts_development(&self) -> Option<(&str, String)> {
        let file = self.file.as_deref()?;
        let says = match (self.table.get("environment"), self.table.get("public_url")) {
            (Some(Value::String(environment)), _) if environment == DEVELOPMENT => return None,
            (Some(Value::String(environment)), _) => format!("environment = {environment:?}"),
            (None, Some(Value::String(url))) => {
                let BaseUrl(url) = BaseUrl::from_text(url).ok().filter(|url| !is_loopback_host(&url.0))?;
                format!("public_url = {:?}", url.origin().ascii_serialization())
            }
            _ => return None,
        };
        Some((file, says))
    }

    /// Lays the flags of `dev` over these sources. Its upstreams replace the file's, routes included.
    pub(crate) fn with_development(mut self, dev: &Development) -> Self {
        if !dev.upstreams.is_empty() {
            let mut upstreams = Vec::new();
            let mut routes = Vec::new();
            for (index, upstream) in dev.upstreams.iter().enumerate() {
                let name = if index == 0 { "app".to_owned() } else { format!("app{}", index + 1) };
                routes.extend(upstream.routes(&name));
                upstreams.push(table([("name", &name), ("url", &upstream.url)]));
            }
            self.table.insert("upstream".into(), upstreams.into());
            self.table.insert("route".into(), routes.into());
            self.file.get_or_insert_with(|| "--upstream".into());
        }
        let mut sources = self.with_flag("dev", "environment", DEVELOPMENT);
        if dev.plain_http {
            sources = sources.with_flag("--plain-http", "tls.mode", "off");
        }
        if let Some(url) = &dev.public_url {
            sources = sources.with_flag("--public-url", "public_url", url);
        }
        sources
    }
}

#[cfg(test)]
impl Settings {
    /// The settings of `dev`: HTTPS on `https://localhost:8443` with a local CA, SQLite in `.countersign/`.
    ///
    /// # Errors
    /// [`Refused`] if a flag is malformed, or the public URL is not loopback.
    pub(crate) fn development(dev: &Development) -> Result<Self, Refused> {
        read(&Sources::development(dev)).and_then(Checked::start).map(|(settings, _)| settings)
    }
}
