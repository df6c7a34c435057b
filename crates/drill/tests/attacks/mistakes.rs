//! One mistake at a time.

use std::future;

use countersign_drill::{Severity, Verdict};
use futures_util::StreamExt;

use crate::drilled;
use crate::fake::{Fake, Style};

/// Checks that one mistake of this name makes fail, in which style, and which further checks it may make fail with it.
const MISTAKES: &[(Style, &str, &[&str])] = &[
    (Style::Cookies, "cookie-httponly", &[]),
    (Style::Cookies, "cookie-samesite", &[]),
    (Style::Cookies, "access-lifetime", &["stolen-elsewhere"]),
    (Style::Bearer, "access-lifetime", &["token-in-body", "stolen-elsewhere"]),
    (Style::Bearer, "jwt-claims", &["token-in-body"]),
    (Style::Cookies, "token-in-body", &[]),
    (Style::Cookies, "logout-revokes", &["logout-revokes-refresh"]),
    (Style::Bearer, "logout-revokes", &["token-in-body", "logout-revokes-refresh"]),
    (Style::Cookies, "logout-by-get", &[]),
    (Style::Bearer, "jwt-alg-none", &["token-in-body"]),
    (Style::Bearer, "jwt-signature", &["token-in-body", "jwt-alg-none", "jwt-kid", "wrong-purpose"]),
    (Style::Bearer, "jwt-kid", &["token-in-body"]),
    (Style::Bearer, "jwt-weak-secret", &["token-in-body"]),
    (Style::Bearer, "wrong-purpose", &["token-in-body"]),
    (Style::Cookies, "csrf", &[]),
    (Style::Cookies, "csrf-logout", &[]),
    (Style::Cookies, "login-csrf", &[]),
    (Style::Cookies, "step-up", &[]),
    (Style::Cookies, "state-changing-get", &[]),
    (Style::Cookies, "session-fixation", &[]),
    (Style::Cookies, "cors-reflection", &[]),
    (Style::Cookies, "identity-headers", &[]),
    (Style::Cookies, "shared-cache", &[]),
    (Style::Cookies, "cache-deception", &["shared-cache"]),
    (Style::Cookies, "open-redirect", &[]),
    (Style::Cookies, "token-in-url", &[]),
    (Style::Bearer, "token-in-url", &["token-in-body"]),
    (Style::Cookies, "api-key-limits", &[]),
    (Style::Cookies, "enumeration", &[]),
    (Style::Cookies, "enumeration-signup", &[]),
    (Style::Cookies, "cache-poisoning", &[]),
    (Style::KeyPair, "jwt-key-confusion", &["token-in-body"]),
    (Style::Cookies, "throttling", &[]),
    (Style::Bearer, "token-in-log", &["token-in-body"]),
];

/// Those that sit out a grace of seconds, or measure, have tests of their own.
const SLOW: [&str; 2] = ["refresh-replay", "refresh-reuse-detection"];
const GUESSES: &str = "throttling";

/// Every quick check.
fn quick() -> Vec<&'static str> {
    let more = ["logout-revokes-refresh", "honest-tabs", "honest-lost-answer", "tls", "hsts", "must-refuse"];
    let all: Vec<&'static str> = MISTAKES.iter().map(|(_, id, _)| *id).chain(more).collect();
    assert!(!all.iter().any(|id| SLOW.contains(id)));
    all
}

async fn found(style: Style, mistakes: &[&'static str], ids: &[&str]) -> Vec<String> {
    let fake = Fake::start(style, mistakes).await;
    // The log is read by the last attack of a second run, when the first has been logged.
    let report = drilled(&fake, ids, |_| {}).await;
    assert_eq!(report.problem, None);
    let mut found: Vec<String> = report.findings().iter().map(|checked| checked.id.clone()).collect();
    for checked in &report.checks {
        assert!(
            !matches!(checked.result, Verdict::Error { .. }),
            "{}: {}",
            checked.id,
            checked.result.sentence()
        );
    }
    fake.flush();
    if mistakes.contains(&"token-in-log") {
        let again = drilled(&fake, &["token-in-log"], |_| {}).await;
        found.extend(again.findings().iter().map(|checked| checked.id.clone()));
    }
    found.sort();
    found.dedup();
    found
}

/// No false finding, in either style, with every check that is quick.
#[tokio::test(flavor = "multi_thread")]
async fn an_application_without_mistakes_has_no_findings() {
    assert_eq!(found(Style::Cookies, &[], &quick()).await, [""; 0]);
    assert_eq!(
        found(Style::Bearer, &[], &quick()).await,
        ["token-in-body"],
        "this style does hand tokens to script"
    );
    assert_eq!(found(Style::KeyPair, &[], &quick()).await, ["token-in-body"], "and so does this");
}

/// Each check finds its mistake, and no other check takes it for its own.
#[tokio::test(flavor = "multi_thread")]
async fn each_mistake_is_found_by_its_check() {
    let runs = MISTAKES.iter().map(|(style, mistake, others)| async move {
        // Guessing a hundred times says nothing about the others.
        let ids: Vec<&str> = quick().into_iter().filter(|id| *id != GUESSES || id == mistake).collect();
        let found = found(*style, &[mistake], &ids).await;
        let expected = |id: &String| id == mistake || others.contains(&id.as_str());
        let right = found.iter().any(|id| id == mistake) && found.iter().all(expected);
        (!right).then(|| format!("{style:?} {mistake}: {found:?}"))
    });
    let wrong: Vec<String> =
        futures_util::stream::iter(runs).buffer_unordered(4).filter_map(future::ready).collect().await;
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// F06: a difference in time. A loaded machine may hide it, which must then be said; it must never be denied.
#[tokio::test(flavor = "multi_thread")]
async fn f06_a_difference_in_time() {
    let fake = Fake::start(Style::Cookies, &["enumeration-time", GUESSES]).await;
    for _ in 0..5 {
        let report = drilled(&fake, &["enumeration-time"], |_| {}).await;
        match &report.checks[0].result {
            Verdict::Finding { .. } => return,
            Verdict::Inconclusive { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    panic!("five times the noise was larger than 150 ms");
}

/// Keys in addresses, and an answer that a cache mixes up.
#[tokio::test(flavor = "multi_thread")]
async fn mistakes_that_need_another() {
    let ids = ["api-key-limits", "api-key-in-url", "shared-cache"];
    assert_eq!(
        found(Style::Cookies, &["api-key-limits", "api-key-in-url"], &ids).await,
        ["api-key-in-url", "api-key-limits"]
    );
    let fake = Fake::start(Style::Cookies, &["shared-cache-hit"]).await;
    let report = drilled(&fake, &["shared-cache"], |_| {}).await;
    assert_eq!(report.worst(), Some(Severity::Critical), "{:?}", report.checks);
}

/// A11: a token that is long past, from a file.
#[tokio::test(flavor = "multi_thread")]
async fn a11_an_expired_token_from_a_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), Fake::expired()).unwrap();
    for (mistakes, expected) in [(&[][..], &[""; 0][..]), (&["must-refuse"][..], &["must-refuse"][..])] {
        let fake = Fake::start(Style::Bearer, mistakes).await;
        let report = drilled(&fake, &["must-refuse"], |setting| {
            setting.profile.must_refuse.insert("expired".into(), file.path().to_owned());
        })
        .await;
        let found: Vec<&str> = report.findings().iter().map(|checked| &*checked.id).collect();
        assert_eq!(found, expected, "{:?}", report.checks);
    }
}

/// A13: another deployment's tokens, with the same key.
#[tokio::test(flavor = "multi_thread")]
async fn a13_tokens_of_another_deployment() {
    let staging = Fake::start(Style::Bearer, &[]).await;
    for (mistakes, expected) in
        [(&[][..], &[""; 0][..]), (&["wrong-environment"][..], &["wrong-environment"][..])]
    {
        let fake = Fake::start(Style::Bearer, mistakes).await;
        let report = drilled(&fake, &["wrong-environment"], |setting| {
            setting.profile.elsewhere = Some(staging.url.clone());
        })
        .await;
        let found: Vec<&str> = report.findings().iter().map(|checked| &*checked.id).collect();
        assert_eq!(found, expected, "{:?}", report.checks);
        assert!(
            expected.len() == 1 || matches!(report.checks[0].result, Verdict::Pass { .. }),
            "{:?}",
            report.checks
        );
    }
}

/// D01: replay and reuse of refresh tokens, by a thief who comes late and by one who comes first. Sits a grace out.
#[tokio::test(flavor = "multi_thread")]
async fn d01_refresh_tokens() {
    let cases: [(Style, &[&'static str], &[&str]); 4] = [
        (Style::Cookies, &[], &[]),
        (Style::Bearer, &[], &[]),
        (Style::Bearer, &["refresh-replay"], &["refresh-replay"]),
        (Style::Cookies, &["refresh-reuse-detection"], &["refresh-reuse-detection"]),
    ];
    let runs = cases.map(|(style, mistakes, expected)| async move {
        let fake = Fake::start(style, mistakes).await;
        let report = drilled(&fake, &SLOW, |_| {}).await;
        let found: Vec<String> = report.findings().iter().map(|checked| checked.id.clone()).collect();
        assert_eq!(found, expected, "{style:?} {mistakes:?}: {:?}", report.checks);
        assert_eq!(report.thefts.len(), 2);
        assert!(report.thefts.iter().all(|theft| theft.caught == expected.is_empty()), "{:?}", report.thefts);
    });
    futures_util::future::join_all(runs).await;
}

/// D05, P1: a server that takes parallel tabs, or a retry, for a theft.
#[tokio::test(flavor = "multi_thread")]
async fn d05_honest_users_stay_signed_in() {
    let ids = ["honest-tabs", "honest-lost-answer"];
    assert_eq!(found(Style::Cookies, &[], &ids).await, [""; 0]);
    assert_eq!(found(Style::Cookies, &["honest-tabs"], &ids).await, ["honest-lost-answer", "honest-tabs"]);
    assert_eq!(found(Style::Bearer, &["honest-tabs"], &ids).await, ["honest-lost-answer", "honest-tabs"]);
}

/// Nothing is changed without `--active`, and what was changed is put back.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_changed_without_being_allowed() {
    let fake = Fake::start(Style::Cookies, &["csrf"]).await;
    let report = drilled(&fake, &["csrf", "step-up"], |setting| setting.options.active = false).await;
    assert!(report.checks.iter().all(|checked| matches!(checked.result, Verdict::NotApplicable { .. })));
    assert_eq!(fake.biography(), "");
    let report = drilled(&fake, &["csrf"], |_| {}).await;
    assert_eq!(report.findings().len(), 1);
    assert_eq!(fake.biography(), "", "the change was undone");
}

/// C01: an application that shows nothing of what is sent still answers: a change to the same value is enough.
#[tokio::test(flavor = "multi_thread")]
async fn c01_a_change_to_the_same_value() {
    let run = |mistakes: &'static [&'static str]| async move {
        let fake = Fake::start(Style::Cookies, mistakes).await;
        let report = drilled(&fake, &["csrf"], |_| {}).await;
        assert_eq!(report.problem, None);
        report.checks[0].result.clone()
    };
    let held = run(&["only-city"]).await;
    assert!(matches!(held, Verdict::Pass { .. }), "{held:?}");
    assert!(held.sentence().contains("POST /api/me (to the same value)"), "{held:?}");
    // SameSite keeps other sites' cookies at home, and a sibling's not.
    let obeyed = run(&["only-city", "csrf"]).await;
    assert!(obeyed.is_finding() && obeyed.sentence().contains("a form of a sibling host"), "{obeyed:?}");
    // Where nothing can be changed, the report says what to write.
    let none = run(&["read-only", "csrf"]).await;
    assert!(matches!(none, Verdict::Inconclusive { .. }), "{none:?}");
    for words in ["[change] request = \"PUT /api/me\"", "city = \"{marker}\"", "see = \"GET /api/me\""] {
        assert!(none.sentence().contains(words), "{words} in {none:?}");
    }
}
