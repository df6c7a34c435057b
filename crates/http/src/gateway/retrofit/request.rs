//! What a request brings to an upstream: the token that we keep, and none of the client's own.

use countersign_core::domain::retrofit::UpstreamToken;
use data_encoding::BASE64_NOPAD;
use http::HeaderMap;
use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, COOKIE, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    IF_RANGE, RANGE,
};

use super::answer;
use super::config::SiteRetrofit;
use crate::wire::cookie;

/// The one scheme of `Authorization` that carries no token.
const BASIC: &str = "basic";

/// Takes away what a client sends where only we send a token: a token that was stolen before, or out of the upstream's own log,
/// opens nothing from outside.
pub(super) fn withhold(headers: &mut HeaderMap, retrofit: &SiteRetrofit) {
    match retrofit.rules.inject.scheme() {
        Some(scheme) => {
            // Which scheme stands before a token most applications never ask: they take what is behind the first space, or all of it.
            let mut sent = headers.get_all(AUTHORIZATION).iter();
            let harmless = |value: &HeaderValue| {
                !scheme.is_empty() && !scheme.eq_ignore_ascii_case(BASIC) && is_password(value.as_bytes())
            };
            // Of two lines nobody knows which counts.
            if !(sent.next().is_none_or(harmless) && sent.next().is_none()) {
                headers.remove(AUTHORIZATION);
            }
        }
        None if retrofit.inject == COOKIE => {}
        None => {
            // Servers of the CGI family read `x_token` and `x-token` as one header.
            let same = |name: &HeaderName| {
                name.as_str().len() == retrofit.inject.as_str().len()
                    && name.as_str().replace('_', "-") == retrofit.inject.as_str().replace('_', "-")
            };
            let doomed: Vec<HeaderName> = headers.keys().filter(|name| same(name)).cloned().collect();
            for name in doomed {
                headers.remove(name);
            }
        }
    }
    if !retrofit.cookies.is_empty() {
        cookie::remove_where(headers, |name| retrofit.reads_as_ours(name));
    }
}

/// Whether an `Authorization` is name and password (RFC 7617 §2), a staging site's say, and no token in their clothes.
fn is_password(value: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(value) else { return false };
    let Some((scheme, credentials)) = text.trim().split_once(' ') else { return false };
    if !scheme.eq_ignore_ascii_case(BASIC) {
        return false;
    }
    let bare = credentials.trim().trim_end_matches('=');
    let Some(decoded) = BASE64_NOPAD.decode(bare.as_bytes()).ok() else { return false };
    let Ok(pair) = std::str::from_utf8(&decoded) else { return false };
    pair.contains(':') && !pair.chars().any(char::is_control) && !answer::holds_jwt(&decoded)
}

/// Asks for an answer that can be read whole: plain, complete, and not from a cache.
pub(super) fn ask_plainly(headers: &mut HeaderMap) {
    for name in [RANGE, IF_RANGE, IF_NONE_MATCH, IF_MODIFIED_SINCE] {
        headers.remove(name);
    }
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
}

/// Adds the token. `false` if it cannot be in a header: nobody could have sent it.
pub(super) fn inject(headers: &mut HeaderMap, retrofit: &SiteRetrofit, token: &UpstreamToken) -> bool {
    let rendered = retrofit.rules.inject.render(&token.value);
    if retrofit.inject == COOKIE {
        return add_cookie(headers, rendered.expose());
    }
    let Ok(mut value) = HeaderValue::from_str(rendered.expose()) else { return false };
    value.set_sensitive(true);
    headers.insert(retrofit.inject.clone(), value);
    true
}

/// Adds a pair to the cookies that are there.
pub(super) fn add_cookie(headers: &mut HeaderMap, pair: &str) -> bool {
    let mut all: Vec<u8> =
        headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect::<Vec<_>>().join(&b"; "[..]);
    if !all.is_empty() {
        all.extend_from_slice(b"; ");
    }
    all.extend_from_slice(pair.as_bytes());
    let Ok(mut value) = HeaderValue::from_bytes(&all) else { return false };
    value.set_sensitive(true);
    headers.insert(COOKIE, value);
    true
}

#[cfg(test)]
mod tests {
    use countersign_core::domain::retrofit::{BODY_LIMIT, Injection, RequestLine, Retrofit, TokenLocation};
    use countersign_core::domain::secret::SecretString;

    use super::*;

    fn retrofit(token: &str, inject: &str) -> SiteRetrofit {
        let token = TokenLocation::parse(token).unwrap();
        SiteRetrofit::new(Retrofit {
            login: vec![RequestLine::parse("POST /login").unwrap()],
            logout: Vec::new(),
            inject: Injection::parse(inject).unwrap(),
            token,
            subject: None,
            placeholder_claims: Vec::new(),
            refresh: None,
            end_on_401: false,
            body_limit: BODY_LIMIT,
        })
        .unwrap()
    }

    fn through(retrofit: &SiteRetrofit, sent: &[(&'static str, &'static str)]) -> Vec<(String, String)> {
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        withhold(&mut headers, retrofit);
        let token = UpstreamToken::new(SecretString::new("T".into()), None, None);
        assert!(inject(&mut headers, retrofit, &token));
        let pair = |(name, value): (&HeaderName, &HeaderValue)| {
            (name.to_string(), value.to_str().unwrap().to_owned())
        };
        let mut sent: Vec<_> = headers.iter().map(pair).collect();
        sent.sort_unstable();
        sent
    }

    /// What is left of `Authorization` where there is no token to put in its place.
    fn left(retrofit: &SiteRetrofit, sent: &[&str]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for value in sent {
            headers.append(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        withhold(&mut headers, retrofit);
        headers.get_all(AUTHORIZATION).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_clients_own_token_never_passes() {
        let bearer = retrofit("json:/token", "authorization: Bearer {token}");
        for sent in ["Bearer stolen", "bearer stolen", "Bearer\tstolen", "Basic eDp5"] {
            assert_eq!(
                through(&bearer, &[("authorization", sent)]),
                [("authorization".into(), "Bearer T".into())]
            );
        }
        // Nor under another scheme, or none: `authorization.split(' ')[1]` is how most applications read it.
        let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0.c2lnbmF0dXJl";
        let as_password = data_encoding::BASE64.encode(format!("x:{jwt}").as_bytes());
        for sent in [
            format!("Basic {jwt}"),
            format!("Token {jwt}"),
            format!("JWT {jwt}"),
            format!("x {jwt}"),
            format!("Bearer:{jwt}"),
            format!("Basic {as_password}"),
            format!("Basic eDp5 {jwt}"),
            format!("Basic eDp5, Bearer {jwt}"),
            String::from("Basic c3RvbGVu"),
            String::from("Basic"),
            jwt.to_owned(),
        ] {
            assert_eq!(left(&bearer, &[&sent]), Vec::<String>::new(), "{sent}");
        }
        assert_eq!(left(&bearer, &["Basic eDp5", "Basic eDp5"]), Vec::<String>::new(), "which counts?");
        for kept in ["Basic eDp5", "basic eDp5", "Basic dXNlcjpwYXNzd29yZA==", "Basic dXNlcjpwYXNzd29yZA"] {
            assert_eq!(left(&bearer, &[kept]), [kept]);
        }
        let basic = retrofit("json:/token", "authorization: Basic {token}");
        assert_eq!(left(&basic, &["Basic eDp5"]), Vec::<String>::new());
        let header = retrofit("header:x-token", "x-token: {token}");
        assert_eq!(
            through(
                &header,
                &[
                    ("x-token", "stolen"),
                    ("x_token", "stolen"),
                    ("x-tokens", "1"),
                    ("authorization", "Basic a")
                ]
            ),
            [
                ("authorization".into(), "Basic a".into()),
                ("x-token".into(), "T".into()),
                ("x-tokens".into(), "1".into())
            ]
        );
        let cookie = retrofit("cookie:sid", "cookie: sid={token}");
        for (sent, arrives) in [
            ("sid=stolen", "sid=T"),
            ("a=1; sid=stolen; b=2", "a=1; b=2; sid=T"),
            ("Sid=1", "Sid=1; sid=T"),
            // As upstreams read names: Rack decodes them, PHP has no dots in them.
            ("a=1; s%69d=stolen", "a=1; sid=T"),
        ] {
            assert_eq!(through(&cookie, &[("cookie", sent)]), [("cookie".into(), arrives.into())]);
        }
    }

    /// PHP reads `connect.sid` and `connect sid` as `connect_sid`.
    #[test]
    fn names_that_an_upstream_takes_for_one() {
        let cookie = retrofit("cookie:connect_sid", "cookie: connect_sid={token}");
        for sent in ["connect.sid=stolen", "connect sid=stolen", "connect[sid=stolen"] {
            assert_eq!(through(&cookie, &[("cookie", sent)]), [("cookie".into(), "connect_sid=T".into())]);
        }
    }

    #[test]
    fn what_fits_no_header_is_not_sent() {
        let token = UpstreamToken::new(SecretString::new("a\nb".into()), None, None);
        for retrofit in
            [retrofit("json:/t", "authorization: Bearer {token}"), retrofit("cookie:s", "cookie: s={token}")]
        {
            assert!(!inject(&mut HeaderMap::new(), &retrofit, &token));
        }
    }
}
