//! What the thief of a JWT could do.

use super::super::claim;
use super::super::decode::Decoded;
use super::super::radius::{BlastRadius, Reach};
use super::super::report::Kind;
use super::super::span::span;
use super::super::times::{Times, Written, read};
use super::wrong::is_unsigned;
use super::{audience, powers, subject};
use serde_json::Value;

pub(super) fn of(kind: Kind, decoded: &Decoded<'_>, times: &Times) -> BlastRadius {
    if is_unsigned(decoded) {
        return forgeable();
    }
    if times.is_over() {
        return expired(times);
    }
    if claim::word(&decoded.claims, "iss").is_some() && is_bound(decoded) && kind != Kind::Assertion {
        return bound();
    }
    let reach = reach(decoded, times);
    match kind {
        Kind::Access => access(decoded, reach),
        Kind::Assertion => assertion(decoded, reach),
        _ => foreign(decoded, reach),
    }
}

/// By `exp` as verifiers read it: one in milliseconds is tens of thousands of years away.
fn reach(decoded: &Decoded<'_>, times: &Times) -> Reach {
    let written = decoded.claims.get("exp").map(|exp| read(exp).1);
    match (written, times.remaining_seconds) {
        (Some(Written::Seconds | Written::Text), Some(seconds)) => Reach::AtMost { seconds },
        _ => Reach::Endless,
    }
}

fn forgeable() -> BlastRadius {
    BlastRadius {
        reach: Reach::Endless,
        headline:
            "Nobody has to steal it: it is not signed, so anybody can write one for any user, for any time."
                .into(),
        can: vec!["be any user, with any rights, wherever unsigned tokens are accepted".into()],
        cannot: vec!["do anything where the algorithm is checked against a list (A01)".into()],
        noticed: "No. A forged token looks like every other.".into(),
        stop: "Refuse the algorithm none at every verifier.".into(),
    }
}

fn expired(times: &Times) -> BlastRadius {
    let before = times.lifetime_seconds.map(|s| format!(" It lived for {}.", span(s))).unwrap_or_default();
    BlastRadius::nothing(format!("It has expired: worth nothing any more, wherever exp is checked.{before}"))
}

fn bound() -> BlastRadius {
    BlastRadius {
        cannot: vec!["use it without the private key of the device (RFC 9449, RFC 7800)".into()],
        noticed: "Yes, where refused proofs are logged.".into(),
        stop: "Nothing has to be done; end the session if the device itself was lost.".into(),
        ..BlastRadius::nothing(
            "Stolen alone it is worth nothing: it is bound to a key that never leaves the device. (A verifier that takes it as \
             a plain bearer token undoes that.)",
        )
    }
}

fn is_bound(decoded: &Decoded<'_>) -> bool {
    decoded.claims.contains_key("bnd")
        || decoded.claims.get("cnf").and_then(Value::as_object).is_some_and(|cnf| !cnf.is_empty())
}

fn who(decoded: &Decoded<'_>) -> String {
    subject(decoded).map_or_else(|| "whomever it names".into(), |sub| format!("user {sub}"))
}

fn where_to(decoded: &Decoded<'_>) -> String {
    match audience(decoded).as_slice() {
        [] => "every service that trusts its issuer".into(),
        names => names.join(" and "),
    }
}

fn for_how_long(reach: Reach) -> String {
    match reach {
        Reach::AtMost { seconds } => format!("for {} more", span(seconds)),
        _ => "for ever".into(),
    }
}

fn powers_of(decoded: &Decoded<'_>) -> String {
    match powers(decoded).as_slice() {
        [] => String::new(),
        words => format!(", with {}", words.join(" ")),
    }
}

fn access(decoded: &Decoded<'_>, reach: Reach) -> BlastRadius {
    BlastRadius {
        reach,
        headline: format!("Whoever holds it is {} at {} {}.", who(decoded), where_to(decoded), for_how_long(reach)),
        can: vec![format!("act as {} at {}{}", who(decoded), where_to(decoded), powers_of(decoded))],
        cannot: vec![
            "prolong it: that takes the refresh token".into(),
            "change the password or the address, or make keys, where that asks for a fresh login".into(),
            "use it in another environment, or at a service that is not in its audience".into(),
        ],
        noticed: "Where it comes from a network or a browser that is new to the session (an event); and at once, if its \
                  generation was abandoned."
            .into(),
        stop: "End the session: `countersign revoke --session ID`, or the account page. In effect at once here, and \
               within a second at services that follow the feed."
            .into(),
    }
}

fn assertion(decoded: &Decoded<'_>, reach: Reach) -> BlastRadius {
    BlastRadius {
        reach,
        headline: format!(
            "Worth something only inside: {} takes it {}.",
            where_to(decoded),
            for_how_long(reach)
        ),
        can: vec![format!(
            "act as {} at {}, if they reach it past the gateway",
            who(decoded),
            where_to(decoded)
        )],
        cannot: vec!["use it at the gateway, which takes none as a credential".into(), "prolong it".into()],
        noticed: "No: an upstream cannot tell the gateway from somebody else on its network.".into(),
        stop: "It ends by itself within a minute. Let only the gateway reach the upstream.".into(),
    }
}

fn foreign(decoded: &Decoded<'_>, reach: Reach) -> BlastRadius {
    let named = ["jti", "sid", "session_id"].iter().any(|name| decoded.claims.contains_key(*name));
    let mut cannot = Vec::new();
    if let Reach::AtMost { seconds } = reach {
        cannot.push(format!("use it after {}", span(seconds)));
    }
    if !audience(decoded).is_empty() {
        cannot.push("use it elsewhere, as long as the services check aud".into());
    }
    BlastRadius {
        reach,
        headline: format!(
            "Whoever holds it is {} at {} {}.",
            who(decoded),
            where_to(decoded),
            for_how_long(reach)
        ),
        can: vec![
            format!("act as {} at {}{}", who(decoded), where_to(decoded), powers_of(decoded)),
            "do so from any machine, and after the user has signed out, unless the verifiers ask somebody"
                .into(),
        ],
        cannot,
        noticed: "No. A signature says who issued it, not who presents it.".into(),
        stop: if named {
            "Only where the verifiers keep a list of revoked tokens or ask the issuer; else by a new signing key, which \
             signs everybody out."
                .into()
        } else {
            "Nothing names it, so only a new signing key stops it, which signs everybody out.".into()
        },
    }
}
