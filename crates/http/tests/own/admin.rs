//! `/healthz`, `/readyz` and `/metrics`, on the admin listener only (K06).

use countersign_core::port::IssuerTrouble;
use countersign_testkit::{Mode, TestSite};

#[tokio::test]
async fn health_follows_the_store() {
    let site = TestSite::production().start().await;
    let operator = site.operator();
    operator.get("/healthz").expect_status(200).await;
    operator.get("/readyz").expect_status(200).await;
    site.outside.store.set(Mode::Unavailable);
    operator.get("/healthz").expect_status(200).await;
    operator.get("/readyz").expect_status(503).await;
    site.outside.store.set(Mode::Working);
    operator.get("/readyz").expect_status(200).await;
}

/// Another issuer that is away is told, and takes nobody out of service.
#[tokio::test]
async fn readiness_tells_of_issuers() {
    let site = TestSite::production().start().await;
    let operator = site.operator();
    assert_eq!(operator.get("/readyz").expect_status(200).await.text(), "ready\n");
    let (issuer, what) = ("https://login.example.com".into(), String::from("no answer within 5 s"));
    site.outside.issuers.fail(vec![IssuerTrouble { issuer, what, has_keys: false }]);
    let text = operator.get("/readyz").expect_status(200).await.text();
    assert!(text.starts_with("ready\nwarning: ") && text.contains("https://login.example.com"), "{text}");
    assert!(text.contains("no answer within 5 s") && text.contains("refused"), "{text}");
}

#[tokio::test]
async fn metrics_count() {
    let site = TestSite::production().start().await;
    let count = async || -> u64 {
        let text = site.operator().get("/metrics").expect_status(200).await.text();
        let line = text.lines().find(|l| l.starts_with("countersign_requests_total")).unwrap().to_owned();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    let before = count().await;
    for _ in 0..3 {
        site.client().get("/auth/csrf").expect_status(200).await;
    }
    assert_eq!(count().await - before, 3);
    let text = site.operator().get("/metrics").expect_status(200).await.text();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(' ').next().unwrap();
        assert!(
            text.contains(&format!("# HELP {name} ")) && text.contains(&format!("# TYPE {name} ")),
            "{text}"
        );
    }
}

/// K06: health is on its own listener, and no header opens anything.
#[tokio::test]
async fn k06_not_on_the_public_listener() {
    let site = TestSite::production().start().await;
    for target in ["/healthz", "/readyz", "/metrics"] {
        let request =
            site.client().get(target).header("user-agent", "kube-probe/1.30").header("x-internal", "1");
        let answer = request.send().await;
        assert!(answer.status().is_client_error(), "{target}: {}", answer.status());
        assert!(!answer.text().contains("countersign_requests_total"));
    }
    for target in ["/auth/session", "/", "/auth/login", "/metrics/../auth/session"] {
        site.operator().get(target).expect_status(404).await;
    }
    site.operator().post("/metrics").expect_status(405).await;
}
