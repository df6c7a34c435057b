//! The page: who you are, what the server received, and the theft script.

use data_encoding::BASE64URL_NOPAD;
use hyper::HeaderMap;
use serde_json::{Map, Value};

const ASSERTION: &str = "countersign-assertion";

/// The page for these request headers.
pub(super) fn page(headers: &HeaderMap) -> String {
    let text =
        |name: &str| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let (user, email) = (text("x-auth-user"), text("x-auth-email"));
    let who = email.as_ref().or(user.as_ref()).map_or("nobody", |who| who);
    format!(
        include_str!("page.html"),
        who = escape(who),
        identity = identity(user.as_deref(), email.as_deref(), text("x-auth-session").as_deref()),
        claims = claims(text(ASSERTION).as_deref()),
        cookies = cookies(headers),
        headers = received(headers),
    )
}

/// The page where there is none.
pub(super) fn missing(path: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Not found</title>\
         <link rel=\"stylesheet\" href=\"/demo.css\"></head><body><main><h1>Not found</h1>\
         <p>The demonstration application has no page {}.</p><p><a href=\"/\">Back to the start</a></p></main></body></html>\n",
        escape(path)
    )
}

fn identity(user: Option<&str>, email: Option<&str>, session: Option<&str>) -> String {
    [("X-Auth-User", user), ("X-Auth-Email", email), ("X-Auth-Session", session)]
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| row(name, value)))
        .collect()
}

/// The claims of the assertion, as an application reads them after it has checked the signature against
/// `/.well-known/jwks.json`. This page only shows them, so it does not check.
fn claims(assertion: Option<&str>) -> String {
    let decoded = assertion
        .and_then(|token| token.split('.').nth(1))
        .and_then(|claims| BASE64URL_NOPAD.decode(claims.as_bytes()).ok())
        .and_then(|claims| serde_json::from_slice::<Map<String, Value>>(&claims).ok());
    match decoded {
        None => row("none", "no assertion came with this request"),
        Some(claims) => claims
            .iter()
            .map(|(name, value)| row(name, &value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
            .collect(),
    }
}

fn cookies(headers: &HeaderMap) -> String {
    let names: Vec<_> = headers
        .get_all("cookie")
        .iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b';'))
        .filter_map(|pair| pair.split(|byte| *byte == b'=').next())
        .map(|name| String::from_utf8_lossy(name).trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect();
    if names.is_empty() {
        return "no cookie at all".to_owned();
    }
    let names: Vec<_> = names.iter().map(|name| format!("<code>{}</code>", escape(name))).collect();
    format!("only {}, which is this application's own", names.join(", "))
}

fn received(headers: &HeaderMap) -> String {
    headers
        .iter()
        .map(|(name, value)| {
            // An assertion is good at this application only and for a minute; in a page it has no place all the same.
            let value = if name.as_str() == ASSERTION {
                "a signed statement about you; its claims are above".to_owned()
            } else {
                String::from_utf8_lossy(value.as_bytes()).into_owned()
            };
            row(name.as_str(), &value)
        })
        .collect()
}

fn row(name: &str, value: &str) -> String {
    format!("<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n", escape(name), escape(value))
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
