//! Honest users must stay signed in: parallel tabs, and answers that get lost on trains.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::sleep;

use super::Attacks;
use crate::check::Check;
use crate::detect::{Session, seen_apart};
use crate::scene::{Broken, Scene};
use crate::verdict::{Evidence, Severity, Verdict};

const TABS: Check = Check::new(
    "honest-tabs",
    "five tabs that renew at once all stay signed in",
    "RFC 9700 §4.14.2; design §5 P1; D05",
    "Answer the same renewal again for some seconds with the same successor, instead of taking parallel tabs for a theft.",
)
.severity(Severity::Medium);

const LOST: Check = Check::new(
    "honest-lost-answer",
    "who loses the answer to a renewal stays signed in",
    "RFC 9700 §4.14.2; design §5 P1; D05",
    "Keep the predecessor good until its successor has been seen in use, or for some seconds: answers do get lost.",
)
.severity(Severity::Medium);

pub(super) const ATTACKS: Attacks =
    &[(TABS, |scene| Box::pin(tabs(scene))), (LOST, |scene| Box::pin(lost(scene)))];

/// Requests at once.
const AT_ONCE: usize = 5;

async fn tabs(scene: &Scene) -> Result<Verdict, Broken> {
    let app = scene.app()?;
    let Some(refresh) = &app.refresh else {
        return Ok(Verdict::not_applicable(
            "no refresh token was found, so that tabs have nothing to race for",
        ));
    };
    let session = scene.log_in(0).await?;
    // One jar, as tabs of one browser share it; each sent what was in it when it began.
    let asks = (0..AT_ONCE).filter_map(|_| refresh.ask(scene, &session));
    let answers = join_all(asks.map(|ask| session.agent.send(ask))).await;
    let mut lines = Vec::new();
    let mut session = session;
    let mut last_good = None;
    for answer in answers {
        let answer = answer?;
        lines.push(answer.line());
        if answer.is_success() {
            last_good = Some(answer);
        }
    }
    if let Some(answer) = &last_good {
        session.renew(answer);
    }
    stays(scene, &TABS, session, lines, "parallel tabs").await
}

async fn lost(scene: &Scene) -> Result<Verdict, Broken> {
    let app = scene.app()?;
    let Some(refresh) = &app.refresh else {
        return Ok(Verdict::not_applicable(
            "no refresh token was found, so that no answer to a renewal can be lost",
        ));
    };
    let mut session = scene.log_in(0).await?;
    let gone = refresh.lose(scene, &session).await?;
    sleep(Duration::from_secs(1)).await;
    let again = refresh.renew(scene, &mut session).await?;
    let lines = vec![format!("{} (lost)", gone.line()), again.answer.line()];
    stays(scene, &LOST, session, lines, "a lost answer").await
}

async fn stays(
    scene: &Scene,
    check: &Check,
    mut session: Session,
    lines: Vec<String>,
    what: &str,
) -> Result<Verdict, Broken> {
    let app = scene.app()?;
    let (seen, now) = seen_apart(scene, &session.agent, session.attach(app.who.ask())).await?;
    let mut steps = lines;
    steps.push(now.line());
    let mut signed_in = seen.is_somebody();
    if let (true, Some(refresh)) = (signed_in, &app.refresh) {
        // A session that dies a moment later was killed all the same.
        let next = refresh.renew(scene, &mut session).await?;
        steps.push(next.answer.line());
        signed_in = seen_apart(scene, &session.agent, session.attach(app.who.ask())).await?.0.is_somebody();
    }
    Ok(if signed_in {
        Verdict::Pass { evidence: Evidence::new(format!("{what}: still signed in")).steps(steps) }
    } else {
        check.finding(Evidence::new(format!("{what}: the honest user is signed out")).steps(steps))
    })
}
