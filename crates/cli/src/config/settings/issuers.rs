//! Whose access tokens are accepted beside our own.

use crate::config::problem::Problem;
use crate::config::typed;
use std::path::PathBuf;
use url::Url;

/// `[[issuer]]` (requirement A04)
#[derive(Debug, Clone)]
pub(crate) struct Issuer {
    /// `iss` of its tokens: an origin, compared exactly.
    pub(crate) issuer: String,
    /// Its public keys, as a JWK set.
    pub(crate) jwks_file: PathBuf,
}

pub(super) fn issuers(
    typed: Vec<typed::Issuer>,
    public_url: Option<&Url>,
    problems: &mut Vec<Problem>,
) -> Vec<Issuer> {
    let own = public_url.map(|url| url.origin().ascii_serialization());
    let mut issuers: Vec<Issuer> = Vec::new();
    for entry in typed {
        // An entry that lacks one of these is a problem already.
        let (Some(url), Some(jwks_file)) = (entry.issuer, entry.jwks_file) else { continue };
        let issuer = url.0.origin().ascii_serialization();
        let message = if own.as_deref() == Some(issuer.as_str()) {
            Some("this is our own public_url, whose keys are in the store")
        } else if issuers.iter().any(|other| other.issuer == issuer) {
            Some("this issuer is there twice, and which keys would count is a guess")
        } else {
            None
        };
        if let Some(message) = message {
            let remedy = "remove the entry; one file may hold several keys";
            problems.push(Problem::with_value("issuer.issuer", &format!("{issuer:?}"), message, remedy));
            continue;
        }
        issuers.push(Issuer { issuer, jwks_file });
    }
    issuers
}
