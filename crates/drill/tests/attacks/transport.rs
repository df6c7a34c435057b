//! What is judged over TLS only, and an expiry that is sat out.

use std::time::Duration;

use countersign_drill::{Report, Verdict};

use crate::drilled;
use crate::fake::{Fake, Style};

const IDS: [&str; 6] = ["tls", "tls-versions", "hsts", "cookie-secure", "cookie-prefix", "cookie-httponly"];

async fn report(fake: &Fake) -> Report {
    let report = drilled(fake, &IDS, |_| {}).await;
    assert_eq!(report.problem, None);
    report
}

fn found(report: &Report) -> Vec<&str> {
    report.findings().iter().map(|checked| &*checked.id).collect()
}

/// B01, J02: each mistake over TLS is found by its check, and all of them hold where there is none.
#[tokio::test(flavor = "multi_thread")]
async fn b01_j02_mistakes_over_tls() {
    let good = report(&Fake::start_tls(Style::Cookies, &[]).await).await;
    for checked in &good.checks {
        assert!(matches!(checked.result, Verdict::Pass { .. }), "{checked:?}");
    }
    let cases: [(&str, &[&str]); 4] = [
        ("cookie-secure", &["cookie-prefix", "cookie-secure"]),
        ("cookie-prefix", &["cookie-prefix"]),
        ("hsts", &["hsts"]),
        ("tls-versions", &["tls-versions"]),
    ];
    for (mistake, expected) in cases {
        let report = report(&Fake::start_tls(Style::Cookies, &[mistake]).await).await;
        let mut found = found(&report);
        found.sort_unstable();
        assert_eq!(found, expected, "{:?}", report.checks);
        if mistake == "tls-versions" {
            let said = report.findings()[0].result.sentence();
            assert!(said.contains("TLS 1.0 and TLS 1.1"), "{said}");
        }
    }
}

/// Passwords in the clear, on a host that is not this machine's own name.
#[tokio::test(flavor = "multi_thread")]
async fn no_tls_at_all() {
    let report = report(&Fake::start_in_the_clear(Style::Cookies, &[]).await).await;
    assert_eq!(found(&report), ["tls", "cookie-secure"], "{:?}", report.checks);
}

/// A certificate that nobody vouches for is no TLS: nothing is sent.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_certificate_is_refused() {
    let fake = Fake::start_tls(Style::Cookies, &[]).await;
    let report =
        drilled(&fake, &IDS, |setting| setting.trust = countersign_drill::client::Trust::System).await;
    let problem = report.problem.unwrap();
    assert!(problem.contains("TLS is not trusted") && problem.contains("--ca-file"), "{problem}");
}

/// A11: an expired token, waited for.
#[tokio::test(flavor = "multi_thread")]
async fn a11_an_expiry_is_sat_out() {
    for (mistakes, is_found) in [(&["short-life"][..], false), (&["short-life", "expiry-enforced"], true)] {
        let fake = Fake::start(Style::Bearer, mistakes).await;
        let report = drilled(&fake, &["expiry-enforced"], |setting| {
            setting.options.wait = true;
            setting.limits.leeway = Duration::from_secs(1);
        })
        .await;
        assert_eq!(report.problem, None);
        let result = &report.checks[0].result;
        assert_eq!((result.is_finding(), result.word() == "pass"), (is_found, !is_found), "{result:?}");
    }
}
