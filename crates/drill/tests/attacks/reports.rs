//! The report's forms, and what must be in none of them.

use countersign_drill::report::text::text;
use countersign_drill::report::{junit, sarif};
use countersign_drill::{Report, Severity};

use crate::drilled;
use crate::fake::{Fake, PASSWORD, Style};

/// I01: a report is a log too. Every form of it, with findings that quote answers.
#[tokio::test(flavor = "multi_thread")]
async fn i01_no_secret_is_in_any_report() {
    let fake =
        Fake::start(Style::Bearer, &["jwt-alg-none", "token-in-url", "logout-revokes", "cors-reflection"])
            .await;
    let report = drilled(
        &fake,
        &[
            "token-in-body",
            "jwt-alg-none",
            "token-in-url",
            "logout-revokes",
            "cors-reflection",
            "stolen-elsewhere",
            "access-lifetime",
        ],
        |_| {},
    )
    .await;
    assert_eq!(report.findings().len(), 5, "{:?}", report.checks);
    for form in [
        report.to_json(),
        junit(&report, Severity::Low),
        sarif(&report),
        text(&report, true, &|_, text| text.to_owned()),
    ] {
        assert!(!form.contains("eyJ") && !form.contains(PASSWORD), "{form}");
        assert!(form.contains("jwt-alg-none"), "{form}");
    }
    let again: Report = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!(again.to_json(), report.to_json());
    let access = report.credentials.iter().find(|obtained| obtained.radius.after_logout.is_some()).unwrap();
    assert!(access.readable_by_script && !access.radius.after_logout.unwrap().stopped, "{access:?}");
    assert!(access.radius.after_logout.unwrap().seconds >= 3.0, "seconds are measured");
    assert_eq!((access.radius.claimed_s, access.radius.elsewhere), (Some(900), Some(true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn junit_and_sarif_say_the_same() {
    let fake = Fake::start(Style::Cookies, &["cookie-samesite", "cookie-httponly"]).await;
    let report =
        drilled(&fake, &["cookie-samesite", "cookie-httponly", "cookie-secure", "shared-cache"], |_| {})
            .await;
    let xml = junit(&report, Severity::High);
    assert!(xml.contains("tests=\"4\" failures=\"1\" errors=\"0\" skipped=\"1\""), "{xml}");
    assert!(xml.contains("<failure type=\"high\""), "{xml}");
    let document: serde_json::Value = serde_json::from_str(&sarif(&report)).unwrap();
    let results = document.pointer("/runs/0/results").unwrap().as_array().unwrap();
    let levels: Vec<_> = results
        .iter()
        .map(|result| (result["ruleId"].as_str().unwrap(), result["level"].as_str().unwrap()))
        .collect();
    assert_eq!(levels, [("cookie-httponly", "error"), ("cookie-samesite", "warning")]);
    assert_eq!(document.pointer("/runs/0/tool/driver/rules").unwrap().as_array().unwrap().len(), 4);
}
