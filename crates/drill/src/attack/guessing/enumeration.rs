//! Whether the answers to wrong passwords, or their time, tell which addresses have an account.

use std::time::Duration;

use tokio::time::Instant;

use super::{LONGEST, guess, known, unknown};
use crate::check::{Check, Order};
use crate::client::Answer;
use crate::scene::{Broken, Scene};
use crate::secret::Secret;
use crate::statistics::{Difference, Samples};
use crate::verdict::{Evidence, Severity, Verdict};

pub(super) const BODY: Check = Check::new(
    "enumeration",
    "signing in does not tell which addresses have an account",
    "ASVS 6.3.8; F06",
    "Give one answer to a wrong password and to an unknown address: status, body, headers.",
)
.severity(Severity::Medium)
.order(Order::Last);

pub(super) const TIME: Check = Check::new(
    "enumeration-time",
    "the time of an answer does not tell which addresses have an account",
    "ASVS 6.3.8; F06",
    "Hash the password for unknown addresses too, against a fixed hash.",
)
.severity(Severity::Low)
.order(Order::Last);

/// Samples of each kind.
const SAMPLES: usize = 40;

pub(super) async fn by_body(scene: &Scene) -> Result<Verdict, Broken> {
    let known = known(scene).await?;
    let unknown = unknown(scene, known);
    let with = guess(scene, &known.login).await?;
    let without = guess(scene, &unknown.login).await?;
    if with.is_throttled() != without.is_throttled() {
        return Ok(Verdict::inconclusive(format!(
            "one of two guesses was throttled: {}, {}",
            with.line(),
            without.line()
        )));
    }
    let differ = differences(&with, &known.login, &without, &unknown.login);
    Ok(if differ.is_empty() {
        Verdict::pass(format!(
            "the same answer to a wrong password and to an unknown address: {}",
            with.line()
        ))
    } else {
        BODY.finding(Evidence::new(format!("the answers differ in {}", differ.join(", "))).steps([
            format!("known address: {}", with.line()),
            format!("unknown address: {}", without.line()),
        ]))
    })
}

/// In what two answers differ, apart from what differs each time anyway.
pub(super) fn differences(a: &Answer, a_login: &str, b: &Answer, b_login: &str) -> Vec<String> {
    let mut differ = Vec::new();
    if a.status != b.status {
        differ.push(format!("status ({} and {})", a.status, b.status));
    }
    let place = |answer: &Answer| answer.header("location").map(|place| plain(place, "", &[]));
    if place(a) != place(b) {
        differ.push("the place it leads to".to_owned());
    }
    let words = |answer: &Answer, login: &str| {
        plain(&answer.text(), login, &answer.set_cookies.iter().map(|c| c.value.clone()).collect::<Vec<_>>())
    };
    if words(a, a_login) != words(b, b_login) {
        differ.push("body".to_owned());
    }
    let names = |answer: &Answer| {
        let mut names: Vec<String> = answer.headers.keys().map(|name| name.as_str().to_owned()).collect();
        names.sort();
        names
    };
    if names(a) != names(b) {
        differ.push("headers".to_owned());
    }
    differ
}

/// Text without what differs each time: the address itself, and long unbroken words (tokens, nonces, request ids, times).
fn plain(text: &str, login: &str, values: &[Secret]) -> String {
    let mut text = text.to_owned();
    for value in values.iter().filter(|value| value.expose().len() >= 8) {
        text = text.replace(value.expose(), "");
    }
    if !login.is_empty() {
        text = text
            .replace(login, "LOGIN")
            .replace(&login.replace('@', "&#64;"), "LOGIN")
            .replace(&login.replace('@', "&#x40;"), "LOGIN");
    }
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+' | '.' | ':');
    text.split(|c: char| !is_word(c))
        .filter(|word| !(word.len() >= 12 && word.bytes().any(|b| b.is_ascii_digit()) || word.len() >= 24))
        .collect::<Vec<_>>()
        .join(" ")
}

pub(super) async fn by_time(scene: &Scene) -> Result<Verdict, Broken> {
    let known = known(scene).await?;
    let (mut with, mut without) = (Samples::default(), Samples::default());
    let (mut statuses, began) = (Vec::new(), Instant::now());
    for turn in 0..SAMPLES {
        // A new unknown address each time: what is remembered of one must not slow it down.
        let unknown = unknown(scene, known);
        let pair = [(&known.login, true), (&unknown.login, false)];
        let order = if turn % 2 == 0 { pair } else { [pair[1], pair[0]] };
        for (login, is_known) in order {
            let answer = guess(scene, login).await?;
            if answer.is_throttled() {
                statuses.push(answer.status);
                continue;
            }
            if is_known { &mut with } else { &mut without }.add(answer.took);
        }
        if with.len().min(without.len()) < turn / 2 || began.elapsed() > LONGEST {
            break;
        }
    }
    let least = with.len().min(without.len());
    if least < SAMPLES / 2 {
        let text = format!("throttled after {least} pairs of guesses, too few to compare times");
        return Ok(Verdict::inconclusive(text));
    }
    let comparison = with.compare(&without);
    let (a, b, noise) = (millis(comparison.first), millis(comparison.second), millis(comparison.noise));
    let text = format!("known {a:.1} ms, unknown {b:.1} ms, noise {noise:.1} ms, {least} samples each");
    Ok(match comparison.verdict() {
        Difference::Clear => TIME.finding(Evidence::new(format!("the time tells them apart: {text}"))),
        Difference::None => Verdict::pass(text),
        Difference::Unclear => Verdict::inconclusive(format!("the noise is too large: {text}")),
    })
}

fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_each_time_is_no_difference() {
        let (a, b) = (
            r#"{"error":"wrong","id":"0f3a9b1c2d4e5f60","for":"a@x.test"}"#,
            r#"{"error":"wrong","id":"ffff9b1c2d4e5f61","for":"b@x.test"}"#,
        );
        assert_eq!(plain(a, "a@x.test", &[]), plain(b, "b@x.test", &[]));
        assert_ne!(
            plain(r#"{"error":"there is no such account"}"#, "", &[]),
            plain(r#"{"error":"wrong password"}"#, "", &[])
        );
    }
}
