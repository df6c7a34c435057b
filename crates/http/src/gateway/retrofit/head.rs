//! Tokens in the head of an answer: in a header, or in Set-Cookie. They are taken out of every answer of the upstream.

use std::time::Duration;

use countersign_core::domain::retrofit::TokenLocation;
use countersign_core::domain::secret::SecretString;
use countersign_core::domain::time::Timestamp;
use http::HeaderMap;
use http::header::{HeaderValue, SET_COOKIE};

use super::config::SiteRetrofit;

/// A token as it came.
#[derive(Debug)]
pub(super) struct Caught {
    pub(super) value: SecretString,
    /// What the answer said about its end.
    pub(super) declared: Option<Timestamp>,
}

/// What an answer held.
#[derive(Debug, Default)]
pub(super) struct Catch {
    /// The token.
    pub(super) token: Option<Caught>,
    /// What renews it.
    pub(super) refresh: Option<SecretString>,
    /// The upstream deleted the token's cookie.
    pub(super) cleared: bool,
}

impl Catch {
    /// Every token that was caught.
    pub(super) fn texts(&self) -> impl Iterator<Item = &SecretString> {
        self.token.as_ref().map(|token| &token.value).into_iter().chain(&self.refresh)
    }
}

/// Takes tokens out of a head. `token` is where the token is in this kind of answer.
pub(super) fn take(
    headers: &mut HeaderMap,
    retrofit: &SiteRetrofit,
    token: &TokenLocation,
    now: Timestamp,
) -> Catch {
    let mut found = Catch::default();
    if !retrofit.cookies.is_empty() && headers.contains_key(SET_COOKIE) {
        take_cookies(headers, retrofit, token, now, &mut found);
    }
    for name in &retrofit.in_headers {
        let Some(value) = headers.remove(name) else { continue };
        let Ok(text) = value.to_str() else { continue };
        // Whatever scheme the upstream puts before it, we put ours.
        let text = text.trim();
        let bare =
            text.strip_prefix("Bearer ").or_else(|| text.strip_prefix("bearer ")).unwrap_or(text).trim();
        if bare.is_empty() {
            continue;
        }
        let value = SecretString::new(bare.to_owned());
        if token.header() == Some(name.as_str()) {
            found.token = Some(Caught { value, declared: None });
        } else if refresh_place(retrofit).and_then(TokenLocation::header) == Some(name.as_str()) {
            found.refresh = Some(value);
        }
    }
    found
}

fn refresh_place(retrofit: &SiteRetrofit) -> Option<&TokenLocation> {
    retrofit.rules.refresh.as_ref()?.token.as_ref()
}

fn take_cookies(
    headers: &mut HeaderMap,
    retrofit: &SiteRetrofit,
    token: &TokenLocation,
    now: Timestamp,
    found: &mut Catch,
) {
    let mut kept: Vec<HeaderValue> = Vec::new();
    for header in headers.get_all(SET_COOKIE) {
        let cookie = SetCookie::read(header, now);
        let Some(cookie) = cookie.filter(|cookie| retrofit.holds(&cookie.name)) else {
            kept.push(header.clone());
            continue;
        };
        let place = Some(cookie.name.as_str());
        if token.cookie() == place {
            if cookie.deletes {
                found.cleared = true;
            } else {
                found.cleared = false;
                found.token = Some(Caught { value: cookie.value, declared: cookie.expires_at });
            }
        } else if refresh_place(retrofit).and_then(TokenLocation::cookie) == place && !cookie.deletes {
            found.refresh = Some(cookie.value);
        }
    }
    headers.remove(SET_COOKIE);
    for value in kept {
        headers.append(SET_COOKIE, value);
    }
}

/// A Set-Cookie header, as far as we need it (RFC 6265 §5.2).
struct SetCookie {
    name: String,
    value: SecretString,
    deletes: bool,
    expires_at: Option<Timestamp>,
}

impl SetCookie {
    fn read(header: &HeaderValue, now: Timestamp) -> Option<Self> {
        let text = String::from_utf8_lossy(header.as_bytes());
        let mut parts = text.split(';');
        let (name, value) = parts.next()?.split_once('=')?;
        let (mut age, mut expires) = (None, None);
        for attribute in parts {
            let (name, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
            match name.as_str() {
                "max-age" => age = value.parse::<i64>().ok().or(age),
                "expires" => expires = date(value).or(expires),
                _ => {}
            }
        }
        // Max-Age counts before Expires.
        let expires_at = match age {
            Some(seconds) => Some(now.plus(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))),
            None => expires,
        };
        let value = value.trim();
        let deletes = value.is_empty() || value == "\"\"" || expires_at.is_some_and(|at| at <= now);
        Some(Self {
            name: name.trim().to_owned(),
            value: SecretString::new(value.to_owned()),
            deletes,
            expires_at,
        })
    }
}

fn date(text: &str) -> Option<Timestamp> {
    // Some frameworks still write the dashes of Netscape's draft.
    let at = httpdate::parse_http_date(text)
        .or_else(|_| httpdate::parse_http_date(&text.replace('-', " ")))
        .ok()?;
    let since = at.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).ok().map(Timestamp::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &'static str) -> (String, String, bool, Option<i64>) {
        let cookie = SetCookie::read(&HeaderValue::from_static(header), Timestamp::from_secs(1000)).unwrap();
        (
            cookie.name,
            cookie.value.expose().to_owned(),
            cookie.deletes,
            cookie.expires_at.map(Timestamp::as_secs),
        )
    }

    #[test]
    fn set_cookie() {
        let sid = |value: &str, deletes, expires| (String::from("sid"), value.to_owned(), deletes, expires);
        for (header, expected) in [
            ("sid=abc; Path=/; HttpOnly", sid("abc", false, None)),
            ("sid=a=b; Max-Age=60", sid("a=b", false, Some(1060))),
            ("sid=a; MAX-AGE=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", sid("a", false, Some(1060))),
            ("sid=; Path=/", sid("", true, None)),
            ("sid=a; Max-Age=0", sid("a", true, Some(1000))),
            ("sid=a; Max-Age=-1", sid("a", true, Some(1000))),
            ("sid=a; Expires=Thu, 01 Jan 1970 00:00:00 GMT", sid("a", true, Some(0))),
            ("sid=a; expires=Thu, 01-Jan-1970 00:00:10 GMT", sid("a", true, Some(10))),
            ("sid=a; Expires=nonsense; Max-Age=x", sid("a", false, None)),
        ] {
            assert_eq!(read(header), expected, "{header}");
        }
        assert!(SetCookie::read(&HeaderValue::from_static("nameless"), Timestamp::default()).is_none());
    }
}
