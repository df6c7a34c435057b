//! F07: what bounds guessing, what only looks so, and what does not look so.

use countersign_drill::Verdict;

use crate::drilled;
use crate::fake::{Fake, Style};

async fn verdict(mistake: &'static str) -> Verdict {
    let fake = Fake::start(Style::Cookies, &[mistake]).await;
    let report = drilled(&fake, &["throttling"], |_| {}).await;
    assert_eq!(report.problem, None);
    report.checks[0].result.clone()
}

fn passed(verdict: &Verdict, words: &[&str]) {
    assert!(matches!(verdict, Verdict::Pass { .. }), "{verdict:?}");
    for word in words {
        assert!(verdict.sentence().contains(word), "{word:?} in {verdict:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f07_no_bound_at_all() {
    let verdict = verdict("throttling").await;
    assert!(verdict.is_finding(), "{verdict:?}");
    assert!(verdict.sentence().contains("the right password was taken after 100 wrong ones"), "{verdict:?}");
}

/// The answers never change, and the account is locked all the same.
#[tokio::test(flavor = "multi_thread")]
async fn f07_a_lock_that_answers_as_before() {
    let verdict = verdict("throttling-silent").await;
    passed(&verdict, &["locked, though the answers look the same", "its owner is locked out as well"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn f07_a_lock_for_the_device_of_the_guesses() {
    passed(&verdict("throttling-silent-device").await, &["locked, though", "its owner still gets in"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn f07_answers_that_come_ever_later() {
    passed(&verdict("throttling-slow").await, &["3 in a row took", "other pages are as quick as before"]);
}

/// Every page is slow for a while: that is the machine, and nothing bounds guessing.
#[tokio::test(flavor = "multi_thread")]
async fn f07_a_slow_machine_is_no_bound() {
    let verdict = verdict("throttling-busy").await;
    assert!(verdict.is_finding(), "{verdict:?}");
}

/// Words that stand in every refusal say nothing; words that come later do.
#[tokio::test(flavor = "multi_thread")]
async fn f07_words_count_if_they_were_not_there_before() {
    let always = verdict("throttling-words").await;
    assert!(always.is_finding(), "{always:?}");
    passed(&verdict("throttling-words-later").await, &["slowed down after 61 guesses"]);
}

/// A wrong password for the account is no lock.
#[tokio::test(flavor = "multi_thread")]
async fn f07_a_password_that_was_never_right_says_nothing() {
    let fake = Fake::start(Style::Cookies, &["throttling"]).await;
    let report = drilled(&fake, &["throttling"], |setting| {
        setting.accounts[1] =
            countersign_drill::Account::parse("attacker@example.test:not this one").unwrap();
    })
    .await;
    let verdict = &report.checks[0].result;
    assert!(matches!(verdict, Verdict::Inconclusive { .. }), "{verdict:?}");
    assert!(verdict.sentence().contains("before the first guess already"), "{verdict:?}");
}
