//! Whose access tokens are accepted beside our own.

use crate::config::problem::Problem;
use crate::config::typed;
use countersign_adapters::issuers::Source;
use url::Url;

/// `[[issuer]]` (requirement A04)
#[derive(Debug, Clone)]
pub(crate) struct Issuer {
    /// `iss` of its tokens: an origin, compared exactly.
    pub(crate) issuer: String,
    /// Where its public keys are, as a JWK set.
    pub(crate) keys: Source,
}

impl Issuer {
    /// The key of the configuration that names the place of the keys, and its value.
    pub(crate) fn place(&self) -> (&'static str, String) {
        match &self.keys {
            Source::File(path) => ("issuer.jwks_file", path.display().to_string()),
            Source::Url(url) => ("issuer.jwks_url", url.to_string()),
        }
    }
}

pub(super) fn issuers(
    typed: Vec<typed::Issuer>,
    public_url: Option<&Url>,
    problems: &mut Vec<Problem>,
) -> Vec<Issuer> {
    let own = public_url.map(|url| url.origin().ascii_serialization());
    let mut issuers: Vec<Issuer> = Vec::new();
    for entry in typed {
        // An entry that lacks its name is a problem already.
        let Some(url) = entry.issuer else { continue };
        let issuer = url.0.origin().ascii_serialization();
        let keys = match (entry.jwks_file, entry.jwks_url) {
            (Some(path), None) => Source::File(path),
            (None, Some(url)) => Source::Url(url),
            (None, None) => {
                let key = format!("issuer[{issuer}].jwks_url");
                let remedy = "name its /.well-known/jwks.json, or a file of it as jwks_file";
                problems.push(Problem::without_value(&key, "its keys are missing", remedy));
                continue;
            }
            (Some(_), Some(url)) => {
                let key = format!("issuer[{issuer}].jwks_url");
                let message = "there is a jwks_file too, and which keys would count is a guess";
                problems.push(Problem::with_value(
                    &key,
                    &format!("{:?}", url.to_string()),
                    message,
                    "remove one of them",
                ));
                continue;
            }
        };
        let message = if own.as_deref() == Some(issuer.as_str()) {
            Some("this is our own public_url, whose keys are in the store")
        } else if issuers.iter().any(|other| other.issuer == issuer) {
            Some("this issuer is there twice, and which keys would count is a guess")
        } else {
            None
        };
        if let Some(message) = message {
            let remedy = "remove the entry; one set may hold several keys";
            problems.push(Problem::with_value("issuer.issuer", &format!("{issuer:?}"), message, remedy));
            continue;
        }
        issuers.push(Issuer { issuer, keys });
    }
    issuers
}
