//! Whether signing up tells which addresses have an account. Without `--active` nothing is sent that could make one.

use super::enumeration::differences;
use super::{known, unknown};
use crate::check::{Check, Order};
use crate::client::{Answer, Device};
use crate::detect::SignUp;
use crate::scene::{Broken, Scene};
use crate::secret::Secret;
use crate::verdict::{Evidence, Severity, Verdict};

pub(super) const CHECK: Check = Check::new(
    "enumeration-signup",
    "signing up does not tell which addresses have an account",
    "ASVS 6.3.8; F06",
    "Answer every sign-up alike, and let a mail to the address say whether there is an account already.",
)
.severity(Severity::Medium)
.order(Order::Last);

/// How a sign-up may say that an address has an account. Other refusals use such words too: they prove nothing alone.
const TAKEN: [&str; 7] =
    ["already", "taken", "exists", "in use", "is registered", "not available", "duplicate"];

pub(super) async fn by_sign_up(scene: &Scene) -> Result<Verdict, Broken> {
    let known = &known(scene).await?.login;
    let weak = Secret::new("x");
    let mut refused = None;
    for way in SignUp::ways(scene).await? {
        let Some(first) = sent(scene, &way, known, &weak).await? else { continue };
        if first.is_throttled() {
            return Ok(throttled(&first));
        }
        if !takes(&way, &first) {
            if matches!(first.status, 401 | 403) {
                refused = refused.or_else(|| Some(first.line()));
            }
            continue;
        }
        return judged(scene, &way, known, &first).await;
    }
    Ok(refused.map_or_else(
        || Verdict::not_applicable("nothing was found that takes new accounts; if there is something, name it in a profile: [signup]"),
        |line| Verdict::inconclusive(format!("sign-up is closed, or asks for something that is not known: {line}")),
    ))
}

/// Judges a way that answers: `first` is what it said to a known address with a password of one character.
async fn judged(scene: &Scene, way: &SignUp, known: &str, first: &Answer) -> Result<Verdict, Broken> {
    // Conflict (RFC 9110 §15.5.10) says it all, and nothing has to be sent for another.
    if first.status == 409 {
        return Ok(taken(first));
    }
    // What did not look at the password may make an account of the next; so may what looked at the address first.
    let looked = !first.is_success() && first.redirect().is_none();
    if looked && (scene.options.active || !sounds_taken(first)) {
        let weak = Secret::new("x");
        if let Some(found) = compared(scene, way, known, first, &weak).await?.1 {
            return Ok(found);
        }
    }
    if !scene.options.active {
        return Ok(Verdict::inconclusive(format!(
            "a sign-up with a password of one character tells nothing ({}): --active allows one that makes an account",
            first.line()
        )));
    }
    let good = Secret::new(format!("{} Aa1! {}", scene.words.next(), scene.words.next()));
    scene.vault.steal(&good);
    let Some(with) = sent(scene, way, known, &good).await? else {
        return Ok(Verdict::inconclusive("the sign-up leads to another host"));
    };
    if with.status == 409 {
        return Ok(taken(&with));
    }
    let (without, found) = compared(scene, way, known, &with, &good).await?;
    if let Some(found) = found {
        return Ok(found);
    }
    Ok(match without {
        Some(made) if made.is_success() || made.redirect().is_some() => Verdict::pass(format!(
            "the same answer to a known address and to one that nobody had: {}",
            made.line()
        )),
        _ => Verdict::inconclusive(format!(
            "no sign-up succeeded ({}): write what it asks for into a profile: [signup] fields",
            with.line()
        )),
    })
}

/// Sends the same for an unknown address: the answer, and the finding if it is another one.
async fn compared(
    scene: &Scene,
    way: &SignUp,
    known: &str,
    with: &Answer,
    password: &Secret,
) -> Result<(Option<Answer>, Option<Verdict>), Broken> {
    let account = super::known(scene).await?;
    let nobody = unknown(scene, account);
    let Some(without) = sent(scene, way, &nobody.login, password).await? else { return Ok((None, None)) };
    if with.is_throttled() || without.is_throttled() {
        let verdict = throttled(if with.is_throttled() { with } else { &without });
        return Ok((Some(without), Some(verdict)));
    }
    let differ = differences(with, known, &without, &nobody.login);
    let found = (!differ.is_empty()).then(|| {
        CHECK.finding(Evidence::new(format!("the answers differ in {}", differ.join(", "))).steps([
            format!("known address: {}", with.line()),
            format!("unknown address: {}", without.line()),
        ]))
    });
    Ok((Some(without), found))
}

async fn sent(scene: &Scene, way: &SignUp, login: &str, password: &Secret) -> Result<Option<Answer>, Broken> {
    let agent = scene.agent(Device::Own);
    let Some(ask) = way.ask(scene, &agent, login, password).await? else { return Ok(None) };
    Ok(Some(agent.send_apart(ask).await?))
}

/// Whether there is a sign-up at all: a page that stands in for every address answers too.
fn takes(way: &SignUp, answer: &Answer) -> bool {
    let nothing = matches!(answer.status, 401 | 403 | 404 | 405 | 415 | 501) || answer.status >= 500;
    !nothing && (way.is_shown() || !answer.is_html())
}

/// Whether it may be the address that was refused, and not the password.
fn sounds_taken(answer: &Answer) -> bool {
    let text = answer.text().to_lowercase();
    TAKEN.iter().any(|word| text.contains(word))
}

fn taken(answer: &Answer) -> Verdict {
    let evidence = Evidence::new("a sign-up for a known address is told that it has an account");
    CHECK.finding(evidence.step(format!("known address: {}", answer.line())))
}

fn throttled(answer: &Answer) -> Verdict {
    Verdict::inconclusive(format!("sign-ups are throttled: {}", answer.line()))
}
