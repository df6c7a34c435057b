//! A stolen credential on a thief's own device, and in an address.

use super::Attacks;
use super::lifetime::{claimed, span};
use crate::check::Check;
use crate::client::{Ask, Cookies, Device};
use crate::credential::{Carrier, CredentialKind};
use crate::detect::{alone, alone_value, seen_apart};
use crate::scene::{Broken, Scene};
use crate::verdict::{Evidence, Severity, Verdict};

const ELSEWHERE: Check = Check::new(
    "stolen-elsewhere",
    "a stolen credential does not work for long on another device",
    "RFC 9700 §2.2; RFC 9449; ASVS 10.3.5",
    "Bind sessions to a key of the device (DBSC, DPoP), or keep access tokens short and let the reuse of refresh tokens end the session.",
);

const IN_URL: Check = Check::new(
    "token-in-url",
    "tokens in addresses are refused",
    "RFC 9700 §4.3.2; RFC 6750 §5.3; ASVS 14.2.1; G06",
    "Take credentials from headers and cookies only: addresses end in histories, logs and Referer headers.",
)
.severity(Severity::Medium);

pub(super) const ATTACKS: Attacks =
    &[(ELSEWHERE, |scene| Box::pin(elsewhere(scene))), (IN_URL, |scene| Box::pin(in_url(scene)))];

/// A thief has as long as an access token that a rotating refresh token renews may live.
const SHORT: u64 = 3600;

async fn elsewhere(scene: &Scene) -> Result<Verdict, Broken> {
    let session = scene.session(0).await?;
    let app = scene.app()?;
    let thief = scene.agent(Device::Other);
    let mut open = Vec::new();
    let mut steps = Vec::new();
    let mut brief = Vec::new();
    for token in session.of_kind(CredentialKind::Access) {
        let ask = alone(app.who.method(), app.who.url.clone(), &token);
        let (seen, answer) = seen_apart(scene, &thief, ask).await?;
        let works = seen.is_somebody();
        // Not noticed, if both go on a moment later.
        let (owner, _) = seen_apart(scene, &session.agent, session.attach(app.who.ask())).await?;
        let seconds = claimed(scene, &session, &token);
        scene.radius(&session, &token, |radius| {
            radius.elsewhere = Some(works);
            radius.seen_working_s =
                Some(session.opened_at.elapsed().as_secs_f64().max(radius.seen_working_s.unwrap_or(0.0)));
            if works {
                radius.works_for.push(format!("reads {}", app.who.call));
            }
            if app.refresh.is_none() {
                radius.noticed.get_or_insert(!owner.is_somebody());
            }
        });
        steps.push(format!(
            "{} of the {}, alone, from another browser: {}",
            token.kind.as_str(),
            token.place,
            answer.line()
        ));
        if works && seconds.is_none_or(|seconds| seconds > SHORT) {
            open.push(format!(
                "the {} works for {}",
                token.place,
                seconds.map_or_else(|| "an unknown time".to_owned(), span)
            ));
        } else if works {
            brief.push(seconds.map_or_else(String::new, |seconds| {
                format!("{} for at most {}", token.place, span(seconds))
            }));
        }
    }
    if !open.is_empty() {
        let text = format!("on a thief's device {}, and nobody notices", open.join("; "));
        return Ok(ELSEWHERE.finding(Evidence::new(text).steps(steps)));
    }
    let summary = if brief.is_empty() {
        "no stolen credential works on another device".to_owned()
    } else {
        format!("works on another device: {}", brief.join("; "))
    };
    Ok(Verdict::Pass { evidence: Evidence::new(summary).steps(steps) })
}

/// Names under which tokens are read from queries.
const PARAMETERS: [&str; 8] =
    ["access_token", "token", "jwt", "auth_token", "auth", "api_key", "session", "sid"];

async fn in_url(scene: &Scene) -> Result<Verdict, Broken> {
    let session = scene.session(0).await?;
    let app = scene.app()?;
    let thief = scene.agent(Device::Other);
    let mut through = Vec::new();
    if let Some(place) = session.answer.header("location") {
        let leaks = |token: &crate::Credential| place.contains(token.secret.expose());
        if session.credentials().iter().any(leaks) {
            through.push(format!("{} redirects to an address that holds the token", session.answer.asked));
        }
    }
    for token in session.of_kind(CredentialKind::Access) {
        let own = match &token.carrier {
            Carrier::Cookie { name }
            | Carrier::Header { name, .. }
            | Carrier::Query { name }
            | Carrier::Body { name } => name.clone(),
        };
        let names = PARAMETERS.iter().map(|name| (*name).to_owned()).chain(std::iter::once(own));
        for name in names {
            let value = token.secret.expose();
            let carrier = Carrier::Query { name: name.clone() };
            let (seen, answer) = seen_apart(
                scene,
                &thief,
                alone_value(app.who.method(), app.who.url.clone(), &carrier, value),
            )
            .await?;
            if seen.is_somebody() {
                through.push(format!(
                    "as the query parameter {name}, the token from the {}: {}",
                    token.place,
                    answer.line()
                ));
                break;
            }
        }
        // Old servers read their session from the path: /page;jsessionid=….
        let mut url = app.who.url.clone();
        url.set_path(&format!("{};jsessionid={}", app.who.url.path(), token.secret.expose()));
        let (seen, answer) = seen_apart(scene, &thief, Ask::get(url).cookies(Cookies::None)).await?;
        if seen.is_somebody() {
            through.push(format!("a session in the path: {}", answer.status));
        }
    }
    Ok(if through.is_empty() {
        Verdict::pass(format!("refused under {} names", PARAMETERS.len() + 1))
    } else {
        IN_URL.finding(Evidence::new("a token in an address is accepted, or put there").steps(through))
    })
}
