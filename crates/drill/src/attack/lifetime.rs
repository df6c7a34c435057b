//! How long a stolen access token is good for, and what it says of itself.

use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;

use super::Attacks;
use crate::check::{Check, Running};
use crate::client::Device;
use crate::credential::{Credential, CredentialKind, Jwt, Place};
use crate::detect::{Seen, Session, alone, seen_apart};
pub(super) use crate::report::text::span;
use crate::scene::{Broken, Scene};
use crate::verdict::{Evidence, Severity, Verdict};

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;
/// An expiry later than this is not waited for (`--wait`), in seconds.
const WAITED_FOR: u64 = 20 * 60;

const LIFETIME: Check = Check::new(
    "access-lifetime",
    "a stolen access token is good for an hour at most",
    "RFC 9700 §4.14; NIST SP 800-63B §5; D15",
    "Issue access tokens for about fifteen minutes, and renew them by a refresh token that rotates.",
);

const CLAIMS: Check = Check::new(
    "jwt-claims",
    "a token says who made it, for whom, for what and for how long",
    "RFC 8725 §3.8-3.12; A10",
    "Put iss, aud, exp and a purpose (typ, or a claim) into each token, and check all of them.",
)
.severity(Severity::Medium);

const IN_BODY: Check = Check::new(
    "token-in-body",
    "signing in does not hand tokens to script",
    "OAuth 2.0 for Browser-Based Applications §6; D19",
    "Keep tokens in HttpOnly cookies, set by the server or by a gateway: script has nowhere safe to keep one.",
)
.severity(Severity::Medium);

const EXPIRY: Check = Check::new(
    "expiry-enforced",
    "an expired token is refused",
    "RFC 7519 §4.1.4; ASVS 9.2.1; A11",
    "Compare exp with the present on every request, with a minute of leeway at most.",
)
.waits();

pub(super) const ATTACKS: Attacks = &[
    (LIFETIME, |scene| Box::pin(lifetime(scene))),
    (CLAIMS, |scene| Box::pin(claims(scene))),
    (IN_BODY, |scene| Box::pin(in_body(scene))),
    (EXPIRY, expiry),
];

/// Seconds that a credential says it is good for.
pub(super) fn claimed(scene: &Scene, session: &Session, credential: &Credential) -> Option<u64> {
    if let Some(jwt) = credential.jwt() {
        return jwt.lifetime(scene.present.now().as_secs());
    }
    if let Place::Cookie { name } = &credential.place {
        return session.agent.jar().named(name)?.lives.and_then(|seconds| u64::try_from(seconds).ok());
    }
    let json = session.answer.json()?;
    ["expires_in", "expiresIn"].iter().find_map(|name| json.get(name)?.as_u64())
}

async fn lifetime(scene: &Scene) -> Result<Verdict, Broken> {
    let session = scene.session(0).await?;
    let mut worst: Option<(Severity, Evidence)> = None;
    let mut said = Vec::new();
    for credential in session.credentials() {
        if credential.kind == CredentialKind::Other {
            continue;
        }
        let claimed = claimed(scene, &session, &credential);
        scene.radius(&session, &credential, |radius| radius.claimed_s = claimed);
        if credential.kind != CredentialKind::Access {
            continue;
        }
        let is_jwt = credential.jwt().is_some();
        let place = &credential.place;
        let found = match claimed {
            None if is_jwt => {
                Some((Severity::High, format!("the token in the {place} has no exp: it never expires")))
            }
            None => {
                said.push(format!("the {place} does not say how long it is good for"));
                None
            }
            Some(seconds) if seconds > DAY && is_jwt => {
                Some((Severity::High, format!("the token in the {place} is good for {}", span(seconds))))
            }
            Some(seconds) if seconds > DAY => {
                let text = format!("the {place} is good for {}", span(seconds));
                Some((Severity::Medium, text))
            }
            Some(seconds) if seconds > HOUR => {
                Some((Severity::Medium, format!("the token in the {place} is good for {}", span(seconds))))
            }
            Some(seconds) => {
                said.push(format!("{} in the {place}", span(seconds)));
                None
            }
        };
        if let Some((severity, text)) = found
            && worst.as_ref().is_none_or(|(known, _)| *known < severity)
        {
            worst = Some((severity, Evidence::new(text)));
        }
    }
    Ok(match worst {
        Some((severity, evidence)) => Verdict::Finding { severity, evidence },
        None if said.iter().all(|said| said.contains("does not say")) => {
            Verdict::inconclusive(said.join("; "))
        }
        None => Verdict::pass(said.join("; ")),
    })
}

async fn claims(scene: &Scene) -> Result<Verdict, Broken> {
    let session = scene.session(0).await?;
    let tokens: Vec<(Credential, Jwt)> = session
        .of_kind(CredentialKind::Access)
        .into_iter()
        .filter_map(|token| token.jwt().map(|jwt| (token, jwt)))
        .collect();
    let Some((token, jwt)) = tokens.into_iter().next() else {
        return Ok(Verdict::not_applicable("the access token is no JWT"));
    };
    let has = |name: &str| jwt.claims.get(name).is_some_and(|value| !value.is_null());
    let mut missing: Vec<&str> = ["iss", "aud", "exp", "iat"].into_iter().filter(|name| !has(name)).collect();
    let typ = jwt.header.get("typ").and_then(Value::as_str).unwrap_or_default();
    let purpose = ["purpose", "token_use", "token_type", "typ", "use"].iter().any(|name| has(name));
    if !purpose && (typ.is_empty() || typ.eq_ignore_ascii_case("jwt")) {
        missing.push("purpose");
    }
    if missing.is_empty() {
        return Ok(Verdict::pass("iss, aud, exp, iat and the purpose are there"));
    }
    let names: Vec<&str> = jwt.claims.as_object().into_iter().flatten().map(|(name, _)| &**name).collect();
    let evidence = Evidence::new(format!("the token in the {} lacks {}", token.place, missing.join(", ")))
        .step(format!("header: alg {}, typ {typ:?}; claims: {}", jwt.alg(), names.join(", ")));
    // Without any of the three, nothing tells this token from one of another service or environment with the same key.
    let bare =
        ["iss", "aud", "purpose"].iter().all(|name| missing.contains(name)) || missing.contains(&"exp");
    Ok(Verdict::Finding { severity: if bare { Severity::Medium } else { Severity::Low }, evidence })
}

async fn in_body(scene: &Scene) -> Result<Verdict, Broken> {
    let session = scene.session(0).await?;
    let opens = [session.of_kind(CredentialKind::Access), session.of_kind(CredentialKind::Refresh)].concat();
    let handed: Vec<String> = session
        .credentials()
        .iter()
        // What opens nothing is nobody's loss, unless it is what lies in a cookie out of script's reach.
        .filter(|credential| {
            credential.kind != CredentialKind::Other
                || opens.iter().any(|open| open.secret.same(&credential.secret))
        })
        .filter(|credential| matches!(credential.place, Place::Json { .. } | Place::Header { .. }))
        .map(|credential| format!("{} token in the {}", credential.kind.as_str(), credential.place))
        .collect();
    if handed.is_empty() {
        return Ok(Verdict::pass("no token stands in the body or in a header that script can read"));
    }
    let evidence = Evidence::new(format!("script is handed the {}", handed.join(" and the ")))
        .step(session.answer.line());
    Ok(IN_BODY.finding(evidence))
}

fn expiry(scene: &Scene) -> Running<'_> {
    Box::pin(async move {
        let session = scene.log_in(0).await?;
        let token = session.of_kind(CredentialKind::Access).into_iter().find(|token| token.jwt().is_some());
        let Some(token) = token else {
            return Ok(Verdict::not_applicable(
                "the access token is no JWT, so it does not say when it expires",
            ));
        };
        let Some(seconds) = claimed(scene, &session, &token).filter(|seconds| *seconds <= WAITED_FOR) else {
            return Ok(Verdict::not_applicable(
                "the token expires too late to wait for: configure a short life for a test",
            ));
        };
        let thief = scene.agent(Device::Other);
        let who = &scene.app()?.who;
        let leeway = scene.net().limits().leeway;
        sleep(Duration::from_secs(seconds) + leeway).await;
        let after = leeway.as_secs();
        let (seen, answer) = seen_apart(scene, &thief, alone(who.method(), who.url.clone(), &token)).await?;
        Ok(match seen {
            Seen::Nobody => Verdict::pass(format!("refused {after} s after its expiry ({})", answer.line())),
            Seen::Account(_) => EXPIRY.finding(
                Evidence::new(format!("the token still works {after} s after its expiry"))
                    .step(answer.line()),
            ),
            Seen::Unclear(status) => Verdict::inconclusive(format!("the server answered {status}")),
        })
    })
}
