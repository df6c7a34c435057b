//! A stolen refresh token: two stories, played through at once, each in a session of its own.
//!
//! In the first the thief comes late, with a token that was spent; in the second the thief renews first, in silence, and the
//! honest user comes with the spent one. A server that tolerates lost answers accepts a spent token for some seconds, so both
//! stories sit such a grace out.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::{Instant, sleep};

use crate::check::{Attack, Check, Order, Running};
use crate::credential::CredentialKind;
use crate::detect::{Refresh, Session, seen_apart};
use crate::report::{Actor, Move, Outcome, Theft};
use crate::scene::{Broken, Scene};
use crate::verdict::{Evidence, Severity, Verdict};

/// Longer than the ten seconds for which honest retries are commonly forgiven.
const GRACE: Duration = Duration::from_secs(12);

const ROTATES: Check = Check::new(
    "refresh-replay",
    "a spent refresh token is refused",
    "RFC 9700 §4.14.2; ASVS 10.4.5; D01",
    "Give a new refresh token with each renewal and refuse the one before it, after a few seconds in which a lost answer is forgiven.",
)
.order(Order::Beside);

const KILLS: Check = Check::new(
    "refresh-reuse-detection",
    "a spent refresh token that comes back ends the session, for the thief too",
    "RFC 9700 §4.14.2; ASVS 10.4.5; D01",
    "Take the reuse of a spent token for the theft that it is: revoke the whole family, access tokens included, and raise an event.",
)
.order(Order::Beside);

/// Both checks; they share one run.
pub(super) fn attacks() -> [Box<dyn Attack>; 2] {
    let stories = Arc::new(OnceCell::new());
    [
        Box::new(Refreshing { check: ROTATES, stories: Arc::clone(&stories) }),
        Box::new(Refreshing { check: KILLS, stories }),
    ]
}

#[derive(Debug)]
struct Refreshing {
    check: Check,
    stories: Arc<OnceCell<Stories>>,
}

#[derive(Debug)]
struct Stories {
    late: Story,
    first: Story,
}

/// How a story ended.
#[derive(Debug)]
struct Story {
    /// The token did not change when it was renewed.
    still: bool,
    /// The spent token got new ones, or works on.
    spent_accepted: bool,
    /// Who went on with the successor before the spent token came back can still renew.
    other_renews: bool,
    /// Or at least still use the last access token.
    other_uses: bool,
    /// Seconds from the reuse until the other was seen locked out.
    seconds: f64,
    theft: Theft,
}

impl Attack for Refreshing {
    fn check(&self) -> &Check {
        &self.check
    }

    fn run<'s>(&'s self, scene: &'s Scene) -> Running<'s> {
        Box::pin(async move {
            let Some(refresh) = &scene.app()?.refresh else {
                return Ok(Verdict::not_applicable("no refresh token was found"));
            };
            let stories = self.stories.get_or_try_init(|| play(scene, refresh)).await?;
            Ok(if self.check.id == ROTATES.id { rotates(stories) } else { kills(stories) })
        })
    }
}

async fn play(scene: &Scene, refresh: &Refresh) -> Result<Stories, Broken> {
    let (late, first) = (scene.log_in(0).await?, scene.log_in(0).await?);
    let (late, first) = tokio::try_join!(
        story(
            scene,
            refresh,
            late,
            Actor::Thief,
            "thief-late",
            "A stolen refresh token is used after its owner renewed it"
        ),
        story(
            scene,
            refresh,
            first,
            Actor::Honest,
            "thief-first",
            "A thief renews a stolen refresh token before its owner does"
        ),
    )?;
    scene.theft(late.theft.clone());
    scene.theft(first.theft.clone());
    let session = scene.session(0).await?;
    for token in session.credentials() {
        if token.kind == CredentialKind::Refresh || token.kind == CredentialKind::Access {
            let ended = |story: &Story| {
                !story.other_renews && (token.kind == CredentialKind::Refresh || !story.other_uses)
            };
            let noticed = ended(&late) && ended(&first);
            scene.radius(&session, &token, |radius| {
                radius.noticed = Some(noticed);
                // Both stories begin with a thief's copy, and where the thief goes first, it was exchanged.
                if token.kind == CredentialKind::Refresh {
                    radius.works_for.push(format!("is exchanged for new tokens at {}", refresh.call));
                }
                radius.noticed_after_s = noticed.then_some(first.seconds.max(late.seconds));
            });
        }
    }
    Ok(Stories { late, first })
}

/// One holder renews and goes on; after the grace the other, `second`, presents the spent token.
async fn story(
    scene: &Scene,
    refresh: &Refresh,
    session: Session,
    second: Actor,
    id: &str,
    title: &str,
) -> Result<Story, Broken> {
    let began = Instant::now();
    let first = if second == Actor::Thief { Actor::Honest } else { Actor::Thief };
    // Whose device is whose does not matter to the server, which sees two.
    let (mut ahead, mut behind) = match second {
        Actor::Thief => (session.clone(), session.stolen()),
        Actor::Honest => (session.stolen(), session.clone()),
    };
    let mut moves = Moves { began, all: Vec::new() };
    moves.add(Actor::Honest, "signs in", None, Some(1), true, "both hold token 1 from here on");
    let renewed = refresh.renew(scene, &mut ahead).await?;
    let still = !renewed.rotated;
    if !renewed.accepted {
        return Err(Broken::Unknown(format!("the first renewal failed: {}", renewed.answer.line())));
    }
    moves.add(first, "renews", Some(1), Some(if still { 1 } else { 2 }), true, &renewed.answer.line());
    let used = uses(scene, &ahead).await?;
    moves.add(first, "goes on", Some(2), None, used.0, &used.1);
    sleep(GRACE).await;
    let reuse = refresh.renew(scene, &mut behind).await?;
    let reused_at = Instant::now();
    let mut spent_accepted = reuse.accepted;
    if spent_accepted {
        // Some say 200 and give nothing: what counts is whether it opens anything.
        let (works, line) = uses(scene, &behind).await?;
        moves.add(
            second,
            "presents the spent token",
            Some(1),
            Some(3),
            works,
            &format!("{}; then {line}", reuse.answer.line()),
        );
        spent_accepted = works;
    } else {
        moves.add(second, "presents the spent token", Some(1), None, false, &reuse.answer.line());
    }
    let (other_uses, line) = uses(scene, &ahead).await?;
    moves.add(first, "uses the token it has", Some(2), None, other_uses, &line);
    let next = refresh.renew(scene, &mut ahead).await?;
    let renews = next.accepted && uses(scene, &ahead).await?.0;
    moves.add(first, "renews again", Some(2), renews.then_some(4), renews, &next.answer.line());
    let seconds = reused_at.elapsed().as_secs_f64();
    let caught = !other_uses && !renews && !spent_accepted;
    let ending = match (caught, second) {
        (true, _) => {
            "The spent token gave the theft away; the session ended for both, and the thief has nothing."
        }
        (false, Actor::Thief) if spent_accepted => "Both went on, and nobody noticed.",
        (false, Actor::Thief) if renews => "The thief was turned away, but nothing followed.",
        (false, Actor::Thief) => "The session ended, but for its last access token.",
        (false, Actor::Honest) if spent_accepted => "Both went on, and nobody noticed.",
        (false, Actor::Honest) if renews => "The owner was locked out, and the thief goes on.",
        (false, Actor::Honest) => "The session ended, but the thief's access token works until it expires.",
    };
    let theft = Theft {
        id: id.to_owned(),
        title: title.to_owned(),
        ending: ending.to_owned(),
        caught,
        moves: moves.all,
    };
    Ok(Story { still, spent_accepted, other_renews: renews, other_uses, seconds, theft })
}

async fn uses(scene: &Scene, session: &Session) -> Result<(bool, String), Broken> {
    let ask = session.attach(scene.app()?.who.ask());
    let (seen, answer) = seen_apart(scene, &session.agent, ask).await?;
    Ok((seen.is_somebody(), answer.line()))
}

struct Moves {
    began: Instant,
    all: Vec<Move>,
}

impl Moves {
    fn add(
        &mut self,
        actor: Actor,
        did: &str,
        presented: Option<u32>,
        received: Option<u32>,
        accepted: bool,
        answer: &str,
    ) {
        self.all.push(Move {
            at_ms: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            actor,
            did: did.to_owned(),
            presented,
            received,
            outcome: if accepted { Outcome::Accepted } else { Outcome::Refused },
            answer: answer.to_owned(),
        });
    }
}

fn steps(theft: &Theft) -> impl Iterator<Item = String> + '_ {
    theft.moves.iter().map(|step| {
        let actor = if step.actor == Actor::Honest { "owner" } else { "thief" };
        format!(
            "{:>5.1} s  {actor} {}: {}",
            f64::from(u32::try_from(step.at_ms).unwrap_or(u32::MAX)) / 1000.0,
            step.did,
            step.answer
        )
    })
}

fn rotates(stories: &Stories) -> Verdict {
    let late = &stories.late;
    let evidence = |text: &str| Evidence::new(text).steps(steps(&late.theft));
    if late.still && late.spent_accepted {
        return ROTATES.finding(evidence("renewing does not change the refresh token: one stolen copy renews for as long as the session lives"));
    }
    if late.spent_accepted {
        let text =
            format!("a spent refresh token still gets new tokens {} s after it was renewed", GRACE.as_secs());
        return ROTATES.finding(evidence(&text));
    }
    Verdict::Pass { evidence: evidence("the spent token was refused") }
}

fn kills(stories: &Stories) -> Verdict {
    let Stories { late, first } = stories;
    if late.still {
        return Verdict::not_applicable(
            "the refresh token never changes, so that none is ever spent (see refresh-replay)",
        );
    }
    let renews = late.other_renews || first.other_renews;
    if !renews && !late.other_uses && !first.other_uses {
        let evidence =
            Evidence::new("the reuse ended the session for both holders").steps(steps(&first.theft));
        return Verdict::Pass { evidence };
    }
    let shown = steps(if first.other_renews || first.other_uses { &first.theft } else { &late.theft });
    if !renews {
        let text = "the reuse ends the session, but the access token of whoever renewed first works until it expires";
        let evidence = Evidence::new(text).steps(shown);
        return Verdict::Finding { severity: Severity::Medium, evidence };
    }
    let text = if first.other_renews {
        "a thief who renews first goes on, also after the owner came back with the spent token"
    } else {
        "a spent token comes back and nothing follows: the session goes on"
    };
    KILLS.finding(Evidence::new(text).steps(shown))
}
