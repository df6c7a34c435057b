//! What is wrong with a JWT.

use countersign_core::domain::time::Timestamp;
use countersign_core::domain::token::access::LONGEST;
use serde_json::{Map, Value};

use super::super::claim;
use super::super::decode::Decoded;
use super::super::flaw::{Flaw, Severity};
use super::super::guess::is_signed_with_a_known_secret;
use super::super::report::Kind;
use super::super::span::span;
use super::super::times::{Times, Written, read};
use super::audience;

/// Everything, most serious first.
pub(super) fn with(kind: Kind, decoded: &Decoded<'_>, times: &Times, now: Timestamp) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    flaws.extend(signature(decoded));
    header(&decoded.header, &mut flaws);
    flaws.extend(end(decoded, times));
    if audience(decoded).is_empty() {
        flaws.push(Flaw::new(
            "no_audience",
            Severity::Medium,
            "It has no audience: a token that one service leaks works at every other that trusts the issuer.",
            "Name the service in aud, and check it there (A12).",
        ));
    }
    flaws.extend(dates(&decoded.claims, times, now));
    flaws.extend(contents(kind, &decoded.claims));
    flaws.extend(spelling(decoded));
    flaws.sort_by_key(|flaw| std::cmp::Reverse(flaw.severity));
    flaws
}

/// Whether nothing signs it.
pub(super) fn is_unsigned(decoded: &Decoded<'_>) -> bool {
    let alg = decoded.header.get("alg").and_then(Value::as_str);
    decoded.signature.is_empty() || alg.is_none_or(|alg| alg.eq_ignore_ascii_case("none") || alg.is_empty())
}

fn signature(decoded: &Decoded<'_>) -> Option<Flaw> {
    let alg = decoded.header.get("alg").and_then(Value::as_str).unwrap_or_default();
    if is_unsigned(decoded) {
        return Some(Flaw::new(
            "alg_none",
            Severity::Critical,
            "It is not signed: anybody can write one.",
            "Sign tokens, and accept only the algorithms of a list (A01).",
        ));
    }
    if is_signed_with_a_known_secret(alg, decoded.signed, &decoded.signature) {
        return Some(Flaw::new(
            "known_secret",
            Severity::Critical,
            "It is signed with a secret out of a tutorial: anybody can sign tokens for any user.",
            "Replace the secret at once by 32 random bytes, better by a key pair (EdDSA); end all sessions.",
        ));
    }
    match alg {
        "EdDSA" | "Ed25519" | "ES256" | "ES384" | "ES512" | "PS256" | "PS384" | "PS512" | "RS256"
        | "RS384" | "RS512" => None,
        "HS256" | "HS384" | "HS512" => Some(Flaw::new(
            "alg_symmetric",
            Severity::Medium,
            format!(
                "{alg} is symmetric: every service that can check it can also make one, and a short secret can be guessed from a \
                 single token."
            ),
            "Sign with a key pair (EdDSA or ES256), so that verifiers hold nothing worth stealing.",
        )),
        _ => Some(Flaw::new(
            "alg_unknown",
            Severity::High,
            format!(
                "The algorithm {:?} is none that is in use for tokens.",
                alg.chars().take(24).collect::<String>()
            ),
            "Sign with EdDSA or ES256.",
        )),
    }
}

fn header(header: &Map<String, Value>, flaws: &mut Vec<Flaw>) {
    if let Some(name) = ["jwk", "jku", "x5u", "x5c"].iter().find(|name| header.contains_key(**name)) {
        flaws.push(Flaw::new(
            "key_in_header",
            Severity::High,
            format!("Its header brings its own key ({name}): a verifier that uses that lets everybody sign."),
            "Leave it out, and take keys only from the issuer's pinned list (A03).",
        ));
    }
    let kid = header.get("kid");
    let plain = |kid: &str| {
        (1..=256).contains(&kid.len())
            && kid.bytes().all(|c| {
                c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.' | b'=' | b'+' | b':' | b'@')
            })
            && !kid.contains("..")
    };
    if kid.is_some_and(|kid| !kid.as_str().is_some_and(plain)) {
        flaws.push(Flaw::new(
            "kid_odd",
            Severity::High,
            "Its kid looks like a path, a query or a command: an attempt to choose the verifier's key.",
            "Look kid up in a table, exactly; never in a file system or a database by concatenation (A05).",
        ));
    }
    if header.contains_key("crit") || header.get("b64") == Some(&Value::Bool(false)) {
        flaws.push(Flaw::new(
            "crit",
            Severity::Medium,
            "Its header has members that a verifier must understand (crit, b64), and many do not look.",
            "Leave them out (A14).",
        ));
    }
}

fn end(decoded: &Decoded<'_>, times: &Times) -> Option<Flaw> {
    let written = decoded.claims.get("exp").filter(|exp| !exp.is_null()).map(|exp| read(exp).1);
    let flaw = |id, severity, what: &str, remedy| Some(Flaw::new(id, severity, what, remedy));
    match written {
        None => flaw(
            "no_expiry",
            Severity::High,
            "It never ends: stolen once, it works for ever.",
            "Give access tokens 15 minutes, and renew them by a refresh token that rotates.",
        ),
        Some(Written::Millis) => flaw(
            "expiry_in_milliseconds",
            Severity::High,
            "Its exp is in milliseconds: verifiers read seconds, and let it live for tens of thousands of years.",
            "Divide by 1000: times in a JWT are seconds (RFC 7519 §2).",
        ),
        Some(Written::Nonsense) => flaw(
            "expiry_unreadable",
            Severity::High,
            "Its exp is no number: some verifiers take that for none at all.",
            "Write seconds since 1970 as a number (RFC 7519 §2), and refuse other types (A10).",
        ),
        Some(Written::Text | Written::Seconds) => {
            let lifetime = times.lifetime_seconds.or(times.remaining_seconds)?;
            if lifetime <= LONGEST.as_secs() {
                return None;
            }
            let severity = if lifetime > 86_400 { Severity::High } else { Severity::Medium };
            Some(Flaw::new(
                "long_life",
                severity,
                format!(
                    "It lives for {}; nothing but its end stops a stolen one where verifiers ask nobody.",
                    span(lifetime)
                ),
                "Give access tokens 15 minutes, and renew them by a refresh token that rotates.",
            ))
        }
    }
}

fn dates(claims: &Map<String, Value>, times: &Times, now: Timestamp) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let texts: Vec<_> = ["exp", "iat", "nbf"]
        .into_iter()
        .filter(|name| claims.get(*name).is_some_and(|value| read(value).1 == Written::Text))
        .collect();
    if !texts.is_empty() {
        flaws.push(Flaw::new(
            "time_as_text",
            Severity::Medium,
            format!("{} is a string: a verifier may skip what it cannot compare.", texts.join(" and ")),
            "Write times as numbers (RFC 7519 §2), and refuse other types (A10).",
        ));
    }
    let minute = std::time::Duration::from_secs(60);
    if times.issued_at.is_some_and(|at| at > now.plus(minute)) {
        flaws.push(Flaw::new(
            "from_the_future",
            Severity::Low,
            "It was issued in the future: the issuer's clock is wrong, or it is forged.",
            "Set the clock, and refuse an iat of more than a minute ahead (A11).",
        ));
    }
    flaws
}

/// What everybody who sees a token reads in it: it is encoded, not encrypted.
const PERSONAL: [&str; 24] = [
    "email",
    "mail",
    "phone",
    "phone_number",
    "mobile",
    "address",
    "street",
    "birthdate",
    "birthday",
    "dob",
    "gender",
    "given_name",
    "family_name",
    "first_name",
    "last_name",
    "firstname",
    "lastname",
    "fullname",
    "full_name",
    "ssn",
    "iban",
    "picture",
    "ip",
    "name",
];

fn contents(kind: Kind, claims: &Map<String, Value>) -> Vec<Flaw> {
    let mut found = Found::default();
    found.look(claims, 0);
    let mut flaws = Vec::new();
    // Ours name sessions on purpose, and never anything that could be presented.
    found.secret.retain(|name| !matches!(name.as_str(), "sid" | "session" | "session_id" | "sessionid"));
    if !found.secret.is_empty() && kind == Kind::Jwt {
        flaws.push(Flaw::new(
            "secret_in_claims",
            Severity::Critical,
            format!("It carries secrets ({}): a JWT is encoded, not encrypted.", found.secret.join(", ")),
            "Take them out, and replace what was in them: whoever saw a token has read them.",
        ));
    }
    // An assertion goes to one upstream inside, and an ID token is for one client; both say who the user is on purpose.
    if !found.personal.is_empty() && kind != Kind::Assertion {
        flaws.push(Flaw::new(
            "personal_data",
            Severity::Low,
            format!(
                "It carries personal data ({}), readable in every log and browser it passes.",
                found.personal.join(", ")
            ),
            "Say who by an opaque sub, and let services look up the rest.",
        ));
    }
    flaws
}

#[derive(Default)]
struct Found {
    secret: Vec<String>,
    personal: Vec<String>,
}

impl Found {
    fn look(&mut self, members: &Map<String, Value>, depth: u8) {
        for (name, value) in members {
            let empty = value.is_null() || value.as_str().is_some_and(str::is_empty);
            let lower = name.to_ascii_lowercase();
            // Names come from whoever made the token; only plain ones are told.
            let plain = lower.len() <= 40
                && lower.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-'));
            let told = || if plain { name.clone() } else { String::from("one with an odd name") };
            if empty {
            } else if claim::is_secret(name) {
                self.secret.push(told());
            } else if PERSONAL.contains(&lower.as_str())
                || (name != "iss" && value.as_str().is_some_and(is_address))
            {
                self.personal.push(told());
            }
            if let (Value::Object(inner), true) = (value, depth < 3) {
                self.look(inner, depth + 1);
            }
        }
    }
}

fn is_address(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && domain.contains('.') && !text.contains(['/', ' ', ':'])
    })
}

fn spelling(decoded: &Decoded<'_>) -> Option<Flaw> {
    let what = match (decoded.unambiguous, decoded.canonical) {
        (false, _) => {
            "Its JSON names a member twice or nests very deep: two readers may read two different tokens."
        }
        (true, false) => {
            "It is spelt in a way that strict verifiers refuse: padding, stray bits, or more than 8 kB."
        }
        (true, true) => return None,
    };
    Some(Flaw::new(
        "ambiguous",
        if decoded.unambiguous { Severity::Low } else { Severity::High },
        what,
        "Refuse it at every verifier (A06, A15, A16); an honest issuer makes none.",
    ))
}
