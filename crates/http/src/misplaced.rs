//! API keys where they must never be (G06): in a URL they end up in logs, histories and Referer headers, in a cookie every
//! other site can have them sent along.

use countersign_core::domain::api_key::ApiKeyId;
use countersign_core::domain::event::EventName;
use countersign_core::domain::token::api_key;
use countersign_core::port::Outside;
use countersign_core::service::{Context, NewEvent};
use http::HeaderMap;
use http::header::COOKIE;
use http::request::Parts;
use memchr::memmem;

use crate::site::Site;
use crate::wire::problem::{Code, Problem};

/// How keys of every environment begin.
const PREFIX: &[u8] = b"csk_";
/// The parameter's usual name.
const PARAMETER: &[u8] = b"api_key=";

/// Refuses a request with an API key in its query or its cookies, and says so in an event: the key is known to more people
/// than its owner by now. At our own end points the parameter's name is enough; an application behind us may have keys of its own.
pub(crate) fn refuse<O: Outside>(
    site: &Site<O>,
    parts: &Parts,
    own: bool,
    context: impl FnOnce() -> Context,
) -> Option<Problem> {
    let (reason, key) = match in_query(parts.uri.query().unwrap_or_default(), own) {
        Some(key) => ("api_key_in_query", key),
        None => ("api_key_in_cookie", Some(in_cookies(&parts.headers)?)),
    };
    let id = key.map(|id| id.to_string()).unwrap_or_default();
    let event = NewEvent::refused(EventName::InputValidationFail, reason).detail(&id);
    site.engine.record(event, &context());
    Some(Problem::new(
        Code::InvalidRequest,
        "An API key belongs into the Authorization header, never into a URL or a cookie. Revoke this one: it may have been logged.",
    ))
}

/// Whether a key is in the query, and which, if one can be read.
fn in_query(query: &str, own: bool) -> Option<Option<ApiKeyId>> {
    // On every request: most have no query, and most queries neither of the two.
    let named = || {
        memmem::find_iter(query.as_bytes(), PARAMETER).any(|at| {
            let before = at.checked_sub(1).and_then(|before| query.as_bytes().get(before));
            let value = query.as_bytes().get(at + PARAMETER.len()..).unwrap_or_default();
            matches!(before, None | Some(b'&')) && (own || value.starts_with(PREFIX))
        })
    };
    if query.is_empty() {
        return None;
    }
    let found = memmem::find(query.as_bytes(), PREFIX).and_then(|_| api_key::find(query));
    (found.is_some() || named()).then_some(found)
}

fn in_cookies(headers: &HeaderMap) -> Option<ApiKeyId> {
    headers.get_all(COOKIE).iter().find_map(|cookie| {
        memmem::find(cookie.as_bytes(), PREFIX)?;
        api_key::find(&String::from_utf8_lossy(cookie.as_bytes()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_core::domain::environment::Environment;
    use countersign_core::domain::secret::SecretArray;

    fn key() -> (ApiKeyId, String) {
        let minted = api_key::mint(&Environment::parse("staging").unwrap(), &SecretArray::new([9; 36]));
        (minted.id, minted.text.expose().to_owned())
    }

    /// G06: a key is found under whatever name; a mere name only where the parameters are ours.
    #[test]
    fn g06_in_query() {
        let (id, key) = key();
        for query in [format!("api_key={key}"), format!("a=1&token={key}&b"), format!("q=x{key}x"), key] {
            assert_eq!(in_query(&query, false), Some(Some(id)), "{query}");
        }
        for (query, own, misplaced) in [
            ("", true, false),
            ("api_key=theirs", true, true),
            ("api_key=theirs", false, false),
            ("x=1&api_key=", true, true),
            ("my_api_key=1", true, false),
            ("x=1&api_key=csk_production_damaged", false, true),
            ("about=csk_", false, false),
        ] {
            assert_eq!(in_query(query, own).is_some(), misplaced, "{query}");
        }
    }

    #[test]
    fn g06_in_cookies() {
        let (id, key) = key();
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, "a=csk_; b=csk_x".parse().unwrap());
        assert_eq!(in_cookies(&headers), None);
        headers.append(COOKIE, format!("theme=dark; k={key}").parse().unwrap());
        assert_eq!(in_cookies(&headers), Some(id));
    }
}
