//! Credentials in a login answer.

use std::collections::BTreeSet;

use countersign_core::domain::recognise::{self, TokenShape};
use serde_json::Value;

use super::common;
use crate::client::{Agent, Answer};
use crate::credential::{CredentialKind, Place};
use crate::secret::Secret;

/// A credential's place and its value, before it is known what it is for.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Where it lies.
    pub place: Place,
    /// What it is.
    pub secret: Secret,
    /// What its name or shape says; `Access` where they say nothing.
    pub guess: CredentialKind,
}

/// Shortest value that is taken for a token.
const SHORTEST: usize = 16;

/// Everything in the answer's JSON and headers, and in the jar, that could be a credential. `before` are names and values of
/// cookies that the browser held before signing in: they count too, for a session may live on in them (fixation).
#[must_use]
pub fn candidates(answer: &Answer, agent: &Agent) -> Vec<Candidate> {
    let mut found = Vec::new();
    if let Some(json) = answer.json() {
        walk(&json, &mut String::new(), "", &mut found);
    }
    for (name, value) in &answer.headers {
        let name = name.as_str();
        let sounds = ["token", "authorization", "session", "jwt"].iter().any(|word| name.contains(word));
        let ours = matches!(name, "set-cookie" | "www-authenticate")
            || name.starts_with("access-control-")
            || name.starts_with("sec-");
        if let (true, false, Ok(value)) = (sounds && !common::is_csrf(name), ours, value.to_str()) {
            let value = value.trim_start_matches("Bearer ");
            if value.len() >= SHORTEST && !value.contains(' ') {
                found.push(candidate(Place::Header { name: name.to_owned() }, name, value));
            }
        }
    }
    for kept in agent.jar().all() {
        let (name, value) = (&kept.cookie.name, kept.cookie.value.expose());
        let worth = value.len() >= SHORTEST || recognise::shape(value).is_some();
        if worth && !common::is_csrf(name) {
            found.push(candidate(Place::Cookie { name: name.clone() }, name, value));
        }
    }
    let mut seen = BTreeSet::new();
    found.retain(|candidate| seen.insert(candidate.place.to_string()));
    found
}

fn candidate(place: Place, name: &str, value: &str) -> Candidate {
    let guess = match recognise::shape(value) {
        Some(TokenShape::Refresh) => CredentialKind::Refresh,
        Some(TokenShape::ApiKey) => CredentialKind::ApiKey,
        _ if common::is_refresh(name) => CredentialKind::Refresh,
        _ => CredentialKind::Access,
    };
    Candidate { place, secret: Secret::new(value), guess }
}

fn walk(value: &Value, pointer: &mut String, name: &str, found: &mut Vec<Candidate>) {
    let length = pointer.len();
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                pointer.push('/');
                pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
                walk(value, pointer, name, found);
                pointer.truncate(length);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate().take(20) {
                pointer.push_str(&format!("/{index}"));
                walk(value, pointer, name, found);
                pointer.truncate(length);
            }
        }
        Value::String(text) if is_token(name, text) => {
            found.push(candidate(Place::Json { pointer: pointer.clone() }, name, text));
        }
        _ => {}
    }
}

/// A JWT under any name, or something long and unbroken under a name that sounds like it. The retrofit's placeholder is none.
fn is_token(name: &str, text: &str) -> bool {
    if recognise::shape(text).is_some() {
        return true;
    }
    if text == "countersign" || text.ends_with(".countersign") {
        return false;
    }
    let lower = name.to_ascii_lowercase();
    let sounds = [
        "token", "jwt", "access", "bearer", "api_key", "apikey", "session", "auth", "ticket", "key", "renew",
        "refresh",
    ]
    .iter()
    .any(|word| lower.contains(word))
        || lower == "sid";
    let unbroken = text.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>\\:@".contains(&b));
    // Public names of sessions and expiry times sound like tokens too.
    let times = text.len() < 32
        && text.bytes().filter(u8::is_ascii_digit).count() * 2 > text.len()
        && text.contains('-');
    sounds && !common::is_csrf(&lower) && text.len() >= SHORTEST && unbroken && !times
}

/// The present value of a credential that lies at a place, in an answer or in the jar.
#[must_use]
pub fn at(place: &Place, answer: &Answer, agent: &Agent) -> Option<Secret> {
    match place {
        Place::Cookie { name } => agent.jar().named(name).map(|cookie| cookie.value.clone()),
        Place::Json { pointer } => answer.json()?.pointer(pointer)?.as_str().map(Secret::new),
        Place::Header { name } => {
            answer.header(name).map(|value| Secret::new(value.trim_start_matches("Bearer ")))
        }
        Place::Script { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tokens_are_told_from_other_text() {
        let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl";
        let mut found = Vec::new();
        let body = json!({
            "data": { "anything": jwt, "refresh_token": "0123456789abcdef0123", "csrf_token": "0123456789abcdef0123" },
            "user": { "name": "a person of that name", "token": "short" },
            "session": { "expires_at": "2026-01-01T00:00:00Z" },
            "placeholder": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.countersign",
        });
        walk(&body, &mut String::new(), "", &mut found);
        let places: Vec<String> = found.iter().map(|candidate| candidate.place.to_string()).collect();
        assert_eq!(places, ["answer body at /data/anything", "answer body at /data/refresh_token"]);
        assert_eq!((found[0].guess, found[1].guess), (CredentialKind::Access, CredentialKind::Refresh));
    }
}
