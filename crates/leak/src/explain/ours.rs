//! Tokens of ours that are no JWT: refresh tokens, API keys, CSRF tokens, and the retrofit's placeholder.

use countersign_core::domain::base62;
use countersign_core::domain::environment::Environment;
use countersign_core::domain::recognise::{TokenShape, shape};
use countersign_core::domain::token::api_key;
use data_encoding::BASE64URL_NOPAD;

use super::input::Given;
use super::radius::{BlastRadius, Reach};
use super::report::{Explanation, Kind};

/// The word that signs a placeholder, or stands in its place (design §7).
const PLACEHOLDER: &str = "countersign";
/// Bytes of a CSRF token: 16 random ones and an HMAC (design §4).
const CSRF_BYTES: usize = 48;

/// `None` where it is none of these.
pub(super) fn explain(given: &Given<'_>) -> Option<Explanation> {
    let token = given.token;
    if token == PLACEHOLDER || (token.starts_with("eyJ") && token.ends_with(".countersign")) {
        return Some(placeholder());
    }
    match shape(token) {
        Some(TokenShape::Refresh) => return Some(refresh(token)),
        Some(TokenShape::ApiKey) => return Some(key(token)),
        Some(TokenShape::Jwt) | None => {}
    }
    if token.starts_with("csr_") || token.starts_with("csk_") {
        return Some(damaged(token));
    }
    is_csrf(given).then(csrf)
}

fn labelled(kind: Kind, title: &str, token: &str, blast_radius: BlastRadius) -> Explanation {
    let label = token.get(4..).and_then(|rest| rest.split_once('_')).map(|(label, _)| label);
    let environment = label.and_then(|label| Environment::parse(label).ok()).map(|env| env.to_string());
    Explanation { environment, ..Explanation::bare(kind, title, blast_radius) }
}

fn refresh(token: &str) -> Explanation {
    let generation = generation(token);
    let title = match generation {
        Some(1) => "Refresh token of Countersign, the session's first".to_owned(),
        Some(n) => format!("Refresh token of Countersign, number {n} of its session"),
        None => "Refresh token of Countersign".to_owned(),
    };
    let radius = BlastRadius {
        reach: Reach::Unknown,
        headline: "A thief is the user until the user's own browser comes back: then one of the two presents a spent token, and \
                   the session ends for both."
            .into(),
        can: vec![
            "get access tokens, 15 minutes each, if it is not spent yet".into(),
            "go on until the owner's next visit; if the owner never comes back, until the session's idle limit or its end \
             (7 and 30 days, unless tokens.idle_ttl and absolute_ttl say otherwise)"
                .into(),
        ],
        cannot: vec![
            "use a spent one: that ends the session, and raises authn_token_reuse".into(),
            "use it without the device's key, if the session is bound".into(),
            "use it in another environment".into(),
            "make the next one: each is signed with a secret that is not in the database".into(),
        ],
        noticed: "Yes, when the second holder comes back: a critical event, and the session is over.".into(),
        stop: "End the session: `countersign revoke --session ID`, or sign out everywhere on the account page. In effect at once."
            .into(),
    };
    labelled(Kind::Refresh, &title, token, radius)
}

/// The generation that it names, unproven: bytes 17 to 20 of 53 (design §4).
fn generation(token: &str) -> Option<u32> {
    let (_, rest) = token.get(4..)?.split_once('_')?;
    let bytes = base62::decode::<53>(rest.get(..72)?)?;
    Some(u32::from_be_bytes(bytes.get(17..21)?.try_into().ok()?))
}

fn key(token: &str) -> Explanation {
    let radius = BlastRadius {
        reach: Reach::Unknown,
        headline: "Whoever holds it can do what its scopes allow, from the addresses it is limited to, until it expires or is \
                   revoked."
            .into(),
        can: vec!["what its scopes allow, and never more than its owner may (default: nothing)".into()],
        cannot: vec![
            "sign in, make keys, or change a password or an address".into(),
            "use it from elsewhere, if it has a list of addresses".into(),
            "use it in another environment, in a URL or in a cookie".into(),
        ],
        noticed: "Its first use from a new network raises cs_api_key_new_place; the list of keys shows its last use.".into(),
        stop: "Revoke it: `countersign api-key revoke ID`. Dead for the very next request.".into(),
    };
    let mut explanation = labelled(Kind::ApiKey, "API key of Countersign", token, radius);
    if let Some(id) = api_key::find(token) {
        explanation.key_id = Some(id.to_string());
    }
    explanation
}

fn damaged(token: &str) -> Explanation {
    let what = if token.starts_with("csr_") { "a refresh token" } else { "an API key" };
    let title = format!("Looks like {what} of Countersign, but its checksum is wrong");
    let radius = BlastRadius {
        can: Vec::new(),
        cannot: vec!["use it: it is refused before anything is looked up".into()],
        stop: "If the rest of it can be found where this was found, treat the whole as leaked.".into(),
        ..BlastRadius::nothing(
            "As it stands it is worth nothing: it was cut, mistyped or made up. The whole one may be worth a lot.",
        )
    };
    labelled(Kind::Damaged, &title, token, radius)
}

fn placeholder() -> Explanation {
    let radius = BlastRadius {
        cannot: vec!["do anything with it: it is removed from every request".into()],
        stop: "Nothing has to be stopped.".into(),
        ..BlastRadius::nothing(
            "Worth nothing: it stands in place of the application's own token, which never reaches the browser.",
        )
    };
    Explanation::bare(Kind::Placeholder, "Placeholder of Countersign's retrofit", radius)
}

/// Whether text has the size of a CSRF token. So have others: alone that is no reason to call it worthless.
pub(super) fn has_csrf_size(token: &str) -> bool {
    BASE64URL_NOPAD.decode(token.as_bytes()).is_ok_and(|bytes| bytes.len() == CSRF_BYTES)
}

/// By the name of the cookie, field or header that it came in.
fn is_csrf(given: &Given<'_>) -> bool {
    let named = given.name.is_some_and(|name| {
        name.contains("cs-csrf")
            || ["_csrf", "csrf_token", "x-csrf-token"].iter().any(|n| n.eq_ignore_ascii_case(name))
    });
    named && has_csrf_size(given.token)
}

fn csrf() -> Explanation {
    let radius = BlastRadius {
        cannot: vec![
            "do anything without the session's cookies, which script cannot read".into(),
            "use it with another session: it is bound to one".into(),
        ],
        noticed: "A request with another session's token is refused, and raises malicious_csrf.".into(),
        stop: "It ends with its session.".into(),
        ..BlastRadius::nothing(
            "Worth nothing by itself: it is checked on top of the session's cookies, never instead of them.",
        )
    };
    Explanation::bare(Kind::Csrf, "CSRF token of Countersign", radius)
}
