//! Members of header and claims as they are shown: nothing that could be presented, nothing that paints a terminal.

use countersign_core::domain::recognise::{is_secret_name, redact_and_cut};
use serde::Serialize;
use serde_json::{Map, Value};

/// Longest value that is shown, in bytes.
const LONGEST: usize = 160;
/// Stands for a value that is not shown.
const HIDDEN: &str = "(not shown: a secret, or part of one)";

/// One member.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its value as JSON; strings without quotes.
    pub value: String,
    /// What the registered name means; empty for others.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub meaning: &'static str,
}

/// All members, in their order.
pub(super) fn shown(members: &Map<String, Value>) -> Vec<Member> {
    members
        .iter()
        .map(|(name, value)| Member {
            name: clean(name),
            value: if is_secret(name) { HIDDEN.into() } else { text(value) },
            meaning: meaning(name),
        })
        .collect()
}

/// A string claim, cleaned.
pub(super) fn word(members: &Map<String, Value>, name: &str) -> Option<String> {
    members.get(name)?.as_str().map(clean)
}

/// A claim that is a string of words, a string, or a list of strings; cleaned.
pub(super) fn words(members: &Map<String, Value>, name: &str) -> Vec<String> {
    match members.get(name) {
        Some(Value::String(text)) => text.split([' ', ',']).filter(|w| !w.is_empty()).map(clean).collect(),
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(clean).collect(),
        _ => Vec::new(),
    }
}

/// Whether the value of a claim is a secret wherever the token lies: sids are part of tokens (I01).
pub(super) fn is_secret(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    is_secret_name(name)
        || matches!(lower.as_str(), "sid" | "session" | "session_id" | "sessionid" | "token" | "pin" | "otp")
        || ["password", "passwd", "secret", "private_key", "apikey", "api_key"]
            .iter()
            .any(|part| lower.contains(part))
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => clean(text),
        other => clean(&hidden_inside(other).to_string()),
    }
}

/// Secrets hide in nested objects too.
fn hidden_inside(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| {
                let value = if is_secret(name) { Value::from(HIDDEN) } else { hidden_inside(value) };
                (name.clone(), value)
            })
            .collect(),
        Value::Array(items) => items.iter().map(hidden_inside).collect(),
        other => other.clone(),
    }
}

/// Without tokens, cut, and with what would move a cursor or turn text around escaped: whoever made the token chose it (I04).
fn clean(text: &str) -> String {
    let mut out = String::new();
    for c in redact_and_cut(text, LONGEST).chars() {
        let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if c.is_control() || turns {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

fn meaning(name: &str) -> &'static str {
    match name {
        "alg" => "how it is signed",
        "typ" => "what kind of token it is",
        "kid" => "which key signed it",
        "iss" => "who issued it",
        "sub" => "whose it is",
        "aud" => "whom it is meant for",
        "exp" => "when it ends",
        "nbf" => "when it begins",
        "iat" => "when it was issued",
        "jti" => "its own number",
        "azp" | "client_id" => "which client got it",
        "sid" => "the session",
        "gen" => "the session's generation",
        "epoch" => "the user's epoch",
        "env" => "the environment",
        "purpose" => "what it is for",
        "scope" | "scp" => "what it may do",
        "auth_time" => "when the user proved who they are",
        "amr" => "how they proved it",
        "acr" => "how well they proved it",
        "cnf" | "bnd" => "the device key it is bound to",
        "nonce" => "binds it to one login",
        "at_hash" => "binds it to an access token",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// I01, I04: a claim can neither carry a secret out nor write on the terminal.
    #[test]
    fn i01_i04_claims_are_cleaned() {
        let claims = json!({
            "sub": "a\u{1b}[31mb\u{202e}c",
            "sid": "c2Vzc2lvbg",
            "upstream_token": "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl",
            "user": { "passwordHash": "$2b$10$abc", "name": "Ada" },
            "long": "x".repeat(500),
        });
        let all = serde_json::to_string(&shown(claims.as_object().unwrap())).unwrap();
        for gone in ["\u{1b}", "\\u001b", "\u{202e}", "c2Vzc2lvbg", "c2lnbmF0", "$2b$10"] {
            assert!(!all.contains(gone), "{gone:?} in {all}");
        }
        assert!(all.contains("Ada") && all.contains("[redacted JWT]") && all.contains("[cut]"), "{all}");
    }
}
