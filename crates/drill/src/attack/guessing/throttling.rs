//! Whether passwords can be guessed without end. An application may say so, answer ever more slowly, or lock the account and
//! keep answering as before: only the right password shows the last.

use std::time::Duration;

use tokio::time::Instant;

use super::{Came, LONGEST, comes_in, guess, known};
use crate::account::Account;
use crate::check::{Check, Order};
use crate::client::{Answer, Ask, Device, From};
use crate::scene::{Broken, Scene};
use crate::verdict::{Evidence, Verdict};

pub(super) const CHECK: Check = Check::new(
    "throttling",
    "passwords cannot be guessed without end",
    "NIST SP 800-63B §3.2.2; ASVS 6.3.1; F07",
    "Count failures for each account, delay more and more, and refuse after at most 100; count networks as well.",
)
.order(Order::Last);

/// Guesses after which an application that never slows down is said to have no bound; NIST allows 100 failures.
const GUESSES: usize = 100;
/// Guesses by which the application's own pace is known.
const FIRST: usize = 5;
/// Slow answers in a row that are no accident.
const IN_A_ROW: usize = 3;
/// An answer is slow if it takes this many times as long as the first ones …
const TIMES: u32 = 5;
/// … and this long at least.
const SLOW: Duration = Duration::from_millis(500);
/// A page is slow if it takes this long at least, and [`TIMES`] as long as at first: the machine is busy then.
const SLOW_PAGE: Duration = Duration::from_millis(100);

/// How an application may say that it has had enough, under whatever status.
const WORDS: [&str; 5] = ["too many", "locked", "try again later", "rate limit", "throttl"];

pub(super) async fn throttle(scene: &Scene) -> Result<Verdict, Broken> {
    let known = known(scene).await?;
    let began = Instant::now();
    let at_first = page(scene).await?;
    let mut pace = Pace::default();
    let mut first: Option<Answer> = None;
    let mut count = 0;
    while count < GUESSES && began.elapsed() < LONGEST {
        let answer = guess(scene, &known.login).await?;
        count += 1;
        let slowed = || Verdict::pass(format!("slowed down after {count} guesses: {}", answer.line()));
        if answer.is_throttled() {
            let before = format!("refused already after the guesses before: {}", answer.line());
            return Ok(if first.is_some() { slowed() } else { Verdict::pass(before) });
        }
        if first.as_ref().is_some_and(|first| differs(first, &answer)) {
            return Ok(slowed());
        }
        if pace.is_slow(answer.took) {
            if !is_busy(at_first, page(scene).await?) {
                return Ok(Verdict::pass(format!(
                    "slowed down after {count} guesses: {IN_A_ROW} in a row took {} ms or more, at first {} ms; other pages \
                     are as quick as before",
                    pace.least.as_millis(),
                    pace.usual().as_millis(),
                )));
            }
            pace.row = 0;
        }
        first = first.or(Some(answer));
    }
    let Some(first) = first else { return Ok(Verdict::inconclusive("nothing was answered")) };
    with_the_right_one(scene, known, count, began.elapsed(), &first).await
}

/// What the right password is worth after so many wrong ones.
async fn with_the_right_one(
    scene: &Scene,
    known: &Account,
    count: usize,
    took: Duration,
    first: &Answer,
) -> Result<Verdict, Broken> {
    let seconds = took.as_secs_f64();
    Ok(match comes_in(scene, known, &scene.agent(Device::Other)).await? {
        Came::Throttled(line) => Verdict::pass(format!("slowed down after {count} guesses: {line}")),
        Came::Refused(line) if scene.welcome.get() == Some(&true) => {
            let owner = match comes_in(scene, known, &scene.agent(Device::Own)).await? {
                Came::In => "its owner still gets in on a device of the owner's".to_owned(),
                Came::Refused(line) | Came::Throttled(line) => {
                    format!("its owner is locked out as well ({line})")
                }
            };
            let text = format!(
                "after {count} wrong passwords the account is locked, though the answers look the same; {owner}"
            );
            Verdict::Pass { evidence: Evidence::new(text).step(format!("the right password: {line}")) }
        }
        Came::Refused(line) => Verdict::inconclusive(format!(
            "the right password was refused on the guesses' device before the first guess already ({line})"
        )),
        Came::In if count < GUESSES / 2 => Verdict::inconclusive(format!(
            "only {count} guesses in {seconds:.0} s, and the right password was taken after them: the application, or --rate, \
             is too slow to tell"
        )),
        Came::In => {
            let text = format!(
                "{count} wrong passwords for one account in {seconds:.1} s, and the right password was taken after {count} \
                 wrong ones"
            );
            CHECK.finding(Evidence::new(text).step(first.line()))
        }
    })
}

/// Whether an answer says something else than the first did: another refusal, or words that it did not hold.
fn differs(first: &Answer, answer: &Answer) -> bool {
    // A server that breaks down has not slowed anybody down on purpose; 503 may.
    let broke = answer.status >= 500 && answer.status != 503;
    let other = answer.status != first.status && answer.status >= 400 && !broke;
    let (before, now) = (first.text().to_lowercase(), answer.text().to_lowercase());
    other || WORDS.iter().any(|word| now.contains(word) && !before.contains(word))
}

/// How long the named page takes.
async fn page(scene: &Scene) -> Result<Duration, Broken> {
    let ask = Ask::get(scene.target.base().clone()).from(From::Bar);
    Ok(scene.agent(Device::Other).send_apart(ask).await?.took)
}

/// Whether a page that nobody throttles is slow as well.
fn is_busy(at_first: Duration, now: Duration) -> bool {
    now >= SLOW_PAGE && now >= at_first * TIMES
}

/// How long guesses take.
#[derive(Debug, Default)]
struct Pace {
    /// Of the first.
    first: Vec<Duration>,
    /// Slow ones in a row.
    row: usize,
    /// The quickest of them.
    least: Duration,
}

impl Pace {
    /// The median of the first guesses.
    fn usual(&self) -> Duration {
        let mut first = self.first.clone();
        first.sort();
        first.get(first.len() / 2).copied().unwrap_or_default()
    }

    /// Takes the next guess, and says whether so many in a row were slow.
    fn is_slow(&mut self, took: Duration) -> bool {
        if self.first.len() < FIRST {
            self.first.push(took);
            return false;
        }
        if took < SLOW || took < self.usual() * TIMES {
            self.row = 0;
            return false;
        }
        self.least = if self.row == 0 { took } else { self.least.min(took) };
        self.row += 1;
        self.row >= IN_A_ROW
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// One slow answer, or a slow application, is no bound on guessing.
    #[test]
    fn three_in_a_row_are_slow() {
        let mut pace = Pace::default();
        for took in [90, 10, 20, 900, 30] {
            assert!(!pace.is_slow(MS * took));
        }
        assert_eq!(pace.usual(), MS * 30);
        let said: Vec<bool> =
            [600, 600, 20, 600, 700, 499, 500, 800, 600].map(|took| pace.is_slow(MS * took)).into();
        assert_eq!(said, [false, false, false, false, false, false, false, false, true]);
        assert_eq!(pace.least, MS * 500);
        let mut slow = Pace::default();
        assert!((0..20).all(|_| !slow.is_slow(MS * 600)), "it was never quicker");
    }

    #[test]
    fn a_busy_machine_shows_on_every_page() {
        assert!(is_busy(MS * 4, MS * 600) && is_busy(MS * 20, MS * 100));
        assert!(!is_busy(MS * 4, MS * 99) && !is_busy(MS * 200, MS * 600));
    }
}
