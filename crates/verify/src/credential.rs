//! Finding the credential in a request.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::principal::Credential;
use crate::refusal::Refusal;

/// The header that carries an assertion.
pub(crate) const ASSERTION: HeaderName = HeaderName::from_static("countersign-assertion");

/// Which kinds are accepted. What is not accepted is not even looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Accepts {
    pub(crate) access_tokens: bool,
    pub(crate) assertions: bool,
}

/// The one credential of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Presented<'r> {
    pub(crate) credential: Credential,
    pub(crate) token: &'r str,
}

impl Accepts {
    /// # Errors
    /// [`Refusal::Missing`] and [`Refusal::Unclear`].
    pub(crate) fn find(self, headers: &HeaderMap) -> Result<Presented<'_>, Refusal> {
        let bearer = if self.access_tokens { bearer(headers)? } else { None };
        let assertion = if self.assertions { one(headers, &ASSERTION)? } else { None };
        match (bearer, assertion) {
            (Some(token), None) => Ok(Presented { credential: Credential::AccessToken, token }),
            (None, Some(token)) => Ok(Presented { credential: Credential::Assertion, token }),
            (None, None) => Err(Refusal::Missing),
            // The gateway removes bearer tokens before it adds an assertion, so nobody honest sends both.
            (Some(_), Some(_)) => Err(Refusal::Unclear("a bearer token and an assertion")),
        }
    }
}

/// The token after `Bearer`; other schemes (Basic …) are the application's own and count as absent.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let Some(value) = one(headers, &AUTHORIZATION)? else { return Ok(None) };
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if scheme.eq_ignore_ascii_case("DPoP") {
        // Taking it as a bearer token would undo the binding (E04).
        return Err(Refusal::Unclear("a token bound to a key, which this service cannot check"));
    }
    Ok(scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim_start_matches(' ')))
}

fn one<'r>(headers: &'r HeaderMap, name: &HeaderName) -> Result<Option<&'r str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let first: Option<&HeaderValue> = values.next();
    if values.next().is_some() {
        return Err(Refusal::Unclear("a header that came twice"));
    }
    first
        .map(|value| value.to_str().map_err(|_bytes| Refusal::Unclear("a header that is not ASCII")))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: Accepts = Accepts { access_tokens: true, assertions: true };

    fn found(accepts: Accepts, headers: &[(&str, &str)]) -> Result<(Credential, String), Refusal> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap());
        }
        accepts.find(&map).map(|p| (p.credential, p.token.to_owned()))
    }

    #[test]
    fn one_credential() {
        assert_eq!(found(BOTH, &[("authorization", "bearer  t")]), Ok((Credential::AccessToken, "t".into())));
        assert_eq!(found(BOTH, &[("countersign-assertion", "t")]), Ok((Credential::Assertion, "t".into())));
        assert_eq!(found(BOTH, &[]), Err(Refusal::Missing));
        assert_eq!(found(BOTH, &[("authorization", "Basic dTpw")]), Err(Refusal::Missing));
        assert_eq!(found(BOTH, &[("authorization", "Bearer")]), Ok((Credential::AccessToken, String::new())));
    }

    /// E04 at the edge, and requests that two readers could read differently.
    #[test]
    fn e04_unclear_credentials() {
        let cases: [&[(&str, &str)]; 4] = [
            &[("authorization", "Bearer a"), ("authorization", "Bearer b")],
            &[("countersign-assertion", "a"), ("countersign-assertion", "a")],
            &[("authorization", "Bearer a"), ("countersign-assertion", "b")],
            &[("authorization", "DPoP a")],
        ];
        for headers in cases {
            assert!(matches!(found(BOTH, headers), Err(Refusal::Unclear(_))), "{headers:?}");
        }
    }

    #[test]
    fn what_is_not_accepted_is_not_looked_at() {
        let assertions = Accepts { access_tokens: false, assertions: true };
        assert_eq!(found(assertions, &[("authorization", "Bearer a")]), Err(Refusal::Missing));
        let both = &[("authorization", "Bearer a"), ("countersign-assertion", "b")];
        assert_eq!(found(assertions, both), Ok((Credential::Assertion, "b".into())));
    }
}
