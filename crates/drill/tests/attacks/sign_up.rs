//! F06: signing up that tells who has an account, and what is sent to find out.

use countersign_drill::{Report, Verdict};

use crate::drilled;
use crate::fake::{Fake, Style, VICTIM};

async fn run(mistakes: &[&'static str], active: bool) -> (Report, Vec<String>) {
    let fake = Fake::start(Style::Cookies, mistakes).await;
    let report = drilled(&fake, &["enumeration-signup"], |setting| setting.options.active = active).await;
    assert_eq!(report.problem, None);
    (report, fake.made())
}

/// What `--active` did not allow makes no account, whether there is something to find or not.
#[tokio::test(flavor = "multi_thread")]
async fn f06_without_being_allowed_no_account_is_made() {
    let (report, made) = run(&["enumeration-signup"], false).await;
    assert_eq!((report.findings().len(), made.len()), (1, 0), "{:?}", report.checks);
    for mistakes in [&[][..], &["enumeration-signup-late"]] {
        let (report, made) = run(mistakes, false).await;
        let verdict = &report.checks[0].result;
        assert!(matches!(verdict, Verdict::Inconclusive { .. }), "{verdict:?}");
        assert!(verdict.sentence().contains("--active") && made.is_empty(), "{verdict:?} {made:?}");
    }
}

/// An application that looks at the password first tells only whoever sends a good one.
#[tokio::test(flavor = "multi_thread")]
async fn f06_what_only_a_whole_sign_up_shows() {
    let (report, _) = run(&["enumeration-signup-late"], true).await;
    assert_eq!(report.findings().len(), 1, "{:?}", report.checks);
    let (report, made) = run(&[], true).await;
    assert!(matches!(report.checks[0].result, Verdict::Pass { .. }), "{:?}", report.checks);
    assert_eq!(
        made.iter().filter(|address| !address.starts_with("attacker@")).count(),
        1,
        "one is made: {made:?}"
    );
    assert!(!made.contains(&VICTIM.to_owned()), "the second account is guessed at, not the first");
}

/// A page with the password twice and a hidden token, instead of an end point for scripts.
#[tokio::test(flavor = "multi_thread")]
async fn f06_by_form() {
    let (report, made) = run(&["signup-form"], true).await;
    assert!(matches!(report.checks[0].result, Verdict::Pass { .. }), "{:?}", report.checks);
    assert_eq!(made.len(), 2, "the form was filled in: {made:?}");
    let (report, _) = run(&["signup-form", "enumeration-signup-late"], true).await;
    let evidence = report.checks[0].result.steps().join(" ");
    assert!(report.checks[0].result.is_finding() && evidence.contains("POST /join"), "{:?}", report.checks);
}

/// Words are no proof: a refusal of the password may use them, and where they are about the address, only a second one shows it.
#[tokio::test(flavor = "multi_thread")]
async fn f06_words_alone_prove_nothing() {
    let (report, _) = run(&["signup-words"], true).await;
    assert!(matches!(report.checks[0].result, Verdict::Pass { .. }), "{:?}", report.checks);
    for mistake in ["signup-words", "enumeration-signup-words"] {
        let (report, made) = run(&[mistake], false).await;
        assert!(matches!(report.checks[0].result, Verdict::Inconclusive { .. }), "{:?}", report.checks);
        assert!(made.is_empty(), "{made:?}");
    }
    let (report, _) = run(&["enumeration-signup-words"], true).await;
    assert!(report.checks[0].result.is_finding(), "{:?}", report.checks);
}
