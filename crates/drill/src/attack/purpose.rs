//! Genuine tokens in the wrong place: of another kind, another environment, or long past.

use super::Attacks;
use crate::check::{Check, Running};
use crate::client::Device;
use crate::credential::{Carrier, CredentialKind};
use crate::detect::{Seen, alone, alone_value, log_in, seen_apart};
use crate::scene::{Broken, Scene};
use crate::secret::Secret;
use crate::verdict::{Evidence, Verdict};

const PURPOSE: Check = Check::new(
    "wrong-purpose",
    "only an access token works as one",
    "RFC 8725 §3.11-3.12; RFC 9068 §4; A08, A09",
    "Give each kind of token a typ and an audience of its own, and check both where it is used.",
);

const ELSEWHERE: Check = Check::new(
    "wrong-environment",
    "another deployment's tokens do not work here",
    "RFC 8725 §3.8-3.9; A12, A13",
    "Use a key of its own in each environment, name the environment in the token, and check iss and aud.",
);

const REFUSED: Check = Check::new(
    "must-refuse",
    "tokens that must be refused are refused",
    "RFC 7519 §4.1; ASVS 9.2; A11, A12",
    "Check exp, iss, aud and the purpose of a token as well as its signature, on every request.",
);

pub(super) const ATTACKS: Attacks = &[
    (PURPOSE, |scene| Box::pin(purpose(scene))),
    (ELSEWHERE, elsewhere),
    (REFUSED, |scene| Box::pin(refused(scene))),
];

async fn purpose(scene: &Scene) -> Result<Verdict, Broken> {
    let session = scene.session(0).await?;
    let who = &scene.app()?.who;
    let Some(access) = session.of_kind(CredentialKind::Access).into_iter().next() else {
        return Ok(Verdict::not_applicable("there is no access token"));
    };
    let others: Vec<_> = session
        .credentials()
        .into_iter()
        .filter(|other| {
            matches!(other.kind, CredentialKind::Refresh | CredentialKind::Other)
                && !other.secret.same(&access.secret)
        })
        .collect();
    if others.is_empty() {
        return Ok(Verdict::not_applicable("signing in gives one kind of token only"));
    }
    let thief = scene.agent(Device::Other);
    let mut carriers = vec![access.carrier.clone()];
    let bearer = Carrier::Header { name: "authorization".into(), prefix: "Bearer ".into() };
    if !carriers.contains(&bearer) {
        carriers.push(bearer);
    }
    let mut through = Vec::new();
    for other in &others {
        for carrier in &carriers {
            let ask = alone_value(who.method(), who.url.clone(), carrier, other.secret.expose());
            let (seen, answer) = seen_apart(scene, &thief, ask).await?;
            if seen.is_somebody() {
                through.push(format!(
                    "{} token ({}) sent as {carrier}: {}",
                    other.kind.as_str(),
                    other.place,
                    answer.line()
                ));
            }
        }
    }
    Ok(if through.is_empty() {
        Verdict::pass(format!("{} other kinds of token were refused as access token", others.len()))
    } else {
        PURPOSE.finding(Evidence::new("a token of another kind works as access token").steps(through))
    })
}

fn elsewhere(scene: &Scene) -> Running<'_> {
    Box::pin(async move {
        let Some(target) = scene.elsewhere() else {
            return Ok(Verdict::not_applicable(
                "name another deployment of the same application: --elsewhere URL",
            ));
        };
        let account = scene.account(0)?;
        let there = log_in(scene, target, account, &scene.agent(Device::Own)).await?;
        let who = &scene.app()?.who;
        let thief = scene.agent(Device::Other);
        let mut through = Vec::new();
        let tokens = there.of_kind(CredentialKind::Access);
        for token in &tokens {
            let (seen, answer) =
                seen_apart(scene, &thief, alone(who.method(), who.url.clone(), token)).await?;
            if seen.is_somebody() {
                through.push(format!(
                    "token of {} from its {}: {}",
                    target.origin(),
                    token.place,
                    answer.line()
                ));
            }
        }
        Ok(if through.is_empty() {
            Verdict::pass(format!("{} of {} were refused", tokens.len(), target.origin()))
        } else {
            ELSEWHERE
                .finding(Evidence::new(format!("tokens of {} work here", target.origin())).steps(through))
        })
    })
}

async fn refused(scene: &Scene) -> Result<Verdict, Broken> {
    if scene.profile.must_refuse.is_empty() {
        return Ok(Verdict::not_applicable(
            "give tokens that must be refused in a profile: [must_refuse] expired = \"old.jwt\"",
        ));
    }
    let session = scene.session(0).await?;
    let Some(access) = session.of_kind(CredentialKind::Access).into_iter().next() else {
        return Ok(Verdict::not_applicable("there is no access token, so it is not known how to send one"));
    };
    let who = &scene.app()?.who;
    let thief = scene.agent(Device::Other);
    let mut through = Vec::new();
    for (what, path) in &scene.profile.must_refuse {
        let unreadable = |error| Broken::Unknown(format!("{}: {error}", path.display()));
        let text = tokio::fs::read_to_string(path).await.map_err(unreadable)?;
        let token = Secret::new(text.trim());
        scene.vault.keep(&token);
        let answer = thief
            .send_apart(alone_value(who.method(), who.url.clone(), &access.carrier, token.expose()))
            .await?;
        // A token of any user's counts: the answer need not name one of the two accounts.
        let accepted = matches!(who.read(&answer, &scene.accounts), Seen::Account(_))
            || answer.is_success() && answer.json().is_some();
        if accepted {
            through.push(format!("{what}: {}", answer.line()));
        }
    }
    Ok(if through.is_empty() {
        Verdict::pass(format!("all {} were refused", scene.profile.must_refuse.len()))
    } else {
        REFUSED.finding(Evidence::new("a token that must be refused is accepted").steps(through))
    })
}
