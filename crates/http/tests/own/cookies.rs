//! Cookies on the wire (design §4; B01-B14).

use countersign_core::domain::cookie::{CookieKind, CookiePolicy, SameSite};
use countersign_core::domain::environment::Environment;
use countersign_core::domain::event::EventName;
use countersign_testkit::{Client, Cookies, PASSWORD, TestSite};

use crate::{DAY, MINUTE, assert_event};

const ADA: &str = "ada@example.com";
const LIFE: &str = "Max-Age=2592000";

async fn set_at_login(site: &TestSite) -> Vec<(String, Vec<String>)> {
    site.add_user(ADA, &[]).await;
    let client = site.client();
    let answer = client.log_in(ADA, PASSWORD).await.expect_status(200);
    let cookies = answer.set_cookies().into_iter().filter(|c| !c.deletes());
    cookies.map(|c| (c.name, c.attributes)).collect()
}

fn named(name: &str, attributes: &[&str]) -> (String, Vec<String>) {
    (name.to_owned(), attributes.iter().map(|a| (*a).to_owned()).collect())
}

/// B01, B02, B03, B06, B07, B10: names and attributes of everything that a login sets.
#[tokio::test]
async fn b01_b02_b03_b06_b07_names_and_attributes() {
    let site = TestSite::production().start().await;
    let strict = |name| named(name, &["Path=/", LIFE, "Secure", "HttpOnly", "SameSite=Strict"]);
    let device = ["Path=/", "Max-Age=15552000", "Secure", "HttpOnly", "SameSite=Strict"];
    assert_eq!(
        set_at_login(&site).await,
        [
            strict("__Host-Http-cs-access"),
            strict("__Host-Http-cs-refresh"),
            named("__Host-cs-csrf", &["Path=/", LIFE, "Secure", "SameSite=Strict"]),
            named("__Host-cs-hint", &["Path=/", LIFE, "Secure", "HttpOnly", "SameSite=Lax"]),
            named("__Host-Http-cs-device", &device),
        ]
    );
}

/// B06: Lax by choice, and Partitioned with None.
#[tokio::test]
async fn b06_same_site_by_configuration() {
    for (choice, attributes) in [
        (SameSite::Lax, &["SameSite=Lax"][..]),
        (SameSite::NonePartitioned, &["SameSite=None", "Partitioned"]),
    ] {
        let environment = Environment::parse("production").unwrap();
        let cookies = CookiePolicy::https(&environment, 443, choice);
        let site = TestSite::production().settings(move |s| s.cookies = cookies).start().await;
        for (name, written) in set_at_login(&site).await.into_iter().filter(|(n, _)| n != "__Host-cs-hint") {
            assert!(written.iter().any(|a| a == "Secure"), "{name}");
            let from = written.len() - attributes.len();
            assert_eq!(&written[from..], attributes, "{name}");
        }
    }
}

/// B14: over plain HTTP in development other names, with the port and without prefix and Secure; over TLS with port and prefix.
#[tokio::test]
async fn b14_development_names() {
    let site = TestSite::development().start().await;
    let port = site.address().port();
    let cookies = set_at_login(&site).await;
    for (name, attributes) in &cookies {
        assert!(name.starts_with("cs-") && name.ends_with(&format!("-{port}")), "{name}");
        assert!(!attributes.iter().any(|a| a == "Secure"), "{name}");
        assert!(attributes.iter().any(|a| a == "SameSite=Lax"), "{name}");
    }
    assert!(cookies.iter().any(|(n, _)| *n == format!("cs-access-{port}")));
    let site = TestSite::development().tls().start().await;
    let port = site.address().port();
    let cookies = set_at_login(&site).await;
    assert!(cookies.iter().any(|(n, _)| *n == format!("__Host-Http-cs-access-{port}")));
    assert!(cookies.iter().all(|(_, a)| a.iter().any(|a| a == "Secure")));
}

/// B04: two of one name in either order, in one header or two, or a case variant: 401, an event, nothing is cleared.
#[tokio::test]
async fn b04_doubled_cookies_are_refused() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    let value = |kind| client.cookie(kind).unwrap();
    let good = format!(
        "__Host-Http-cs-access={}; __Host-Http-cs-refresh={}",
        value(CookieKind::Access),
        value(CookieKind::Refresh)
    );
    for planted in [
        format!("__Host-Http-cs-access=evil; {good}"),
        format!("{good}; __Host-Http-cs-access=evil"),
        format!("{good}; __Host-Http-cs-refresh=evil"),
        format!("{good}; __host-http-cs-access=evil"),
        format!("__HOST-HTTP-CS-REFRESH=evil; {good}"),
        format!("{good}; __Host-CS-csrf=evil"),
        format!("{good}; __Host-Http-cs-access="),
        format!("{good}; __Host-cs-hint=1; __Host-cs-hint=1"),
    ] {
        for request in [
            client.get("/auth/session"),
            client.get("/auth/csrf"),
            client.get("/auth/login"),
            client.post("/auth/refresh").with_csrf(),
            client.post("/auth/logout").with_csrf(),
            client
                .post("/auth/login")
                .with_csrf()
                .json(&serde_json::json!({"email": ADA, "password": PASSWORD})),
        ] {
            let answer =
                request.cookies(Cookies::Exactly(planted.clone())).expect(401, "token_invalid").await;
            answer.sets_no_cookie();
        }
    }
    assert_event(&site, EventName::CookieTossed, "doubled_or_case_variant").await;
    client.get("/auth/session").expect_status(200).await;
    client.refresh().await.expect_status(200);
}

/// B05: nameless cookies, prefixes, suffixes and look-alikes are nobody's.
#[tokio::test]
async fn b05_look_alikes_are_not_ours() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    let access = client.cookie(CookieKind::Access).unwrap();
    for header in [
        format!("=__Host-Http-cs-access={access}"),
        format!("=__Host-Http-cs-access; x={access}"),
        format!("__Host-Http-cs-access2={access}"),
        format!("x__Host-Http-cs-access={access}"),
        format!("cs-access={access}"),
        format!("__Http-cs-access={access}"),
        format!("a=\"; __Host-Http-cs-access\"={access}"),
    ] {
        let request = client.get("/auth/session").cookies(Cookies::Exactly(header.clone()));
        let answer = request.send().await;
        assert_eq!((answer.status().as_u16(), answer.code().as_str()), (401, "token_missing"), "{header}");
    }
    // Beside honest ones of other applications, ours is found.
    let among = format!("theme=dark; =; ;; __Host-Http-cs-access={access}; a=b=c; x");
    client.get("/auth/session").cookies(Cookies::Exactly(among)).expect_status(200).await;
    // A cookie in the name of a header that is not UTF-8 is no reason to fail.
    let bytes = [b"x=\xff\xfe; __Host-Http-cs-access=".as_slice(), access.as_bytes()].concat();
    client.get("/auth/session").header("cookie", bytes).expect_status(200).await;
}

/// B10: Max-Age shrinks with the session and never passes 400 days; a jar that keeps a cookie longer gains nothing.
#[tokio::test]
async fn b10_max_age() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    for _ in 0..2 {
        site.advance(DAY * 5);
        let answer = client.refresh().await.expect_status(200);
        let session = answer.json()["session"]["expires_at"].as_str().unwrap().to_owned();
        assert_eq!(session, "2026-10-21T14:13:20Z");
    }
    let answer = client.refresh().await.expect_status(200);
    let left = answer.set_cookie("__Host-Http-cs-access").unwrap();
    assert_eq!(left.attribute("Max-Age"), Some((20 * 86_400).to_string().as_str()));
    site.advance(DAY * 21);
    client.refresh().await.expect(401, "session_expired");
    client.get("/auth/session").expect_status(401).await;

    let long = TestSite::production().policy(|p| p.session.absolute_ttl = DAY * 1000).start().await;
    let max = format!("Max-Age={}", 400 * 86_400);
    for (name, attributes) in set_at_login(&long).await {
        let age = attributes.iter().find(|a| a.starts_with("Max-Age")).unwrap();
        assert!(*age == max || name.contains("device"), "{name}: {age}");
    }
}

/// B12: after a restart of the browser that kept one cookie only, things end in a clean 401 or recover.
#[tokio::test]
async fn b12_any_single_cookie() {
    let site = TestSite::production().start().await;
    let owner = site.signed_in(ADA).await;
    for kept in CookieKind::SESSION {
        let client: Client = owner.copy();
        for kind in CookieKind::SESSION.into_iter().filter(|k| *k != kept) {
            client.drop_cookie(kind);
        }
        let answer = client.get("/auth/session").send().await;
        let expected = match kept {
            CookieKind::Access => (200, ""),
            CookieKind::Refresh => (401, "token_expired"),
            _ => (401, "token_missing"),
        };
        assert_eq!((answer.status().as_u16(), answer.code().as_str()), expected, "{kept:?}");
        answer.sets_no_cookie();
        client.log_in(ADA, PASSWORD).await.expect_status(200);
        client.get("/auth/session").expect_status(200).await;
        site.advance(MINUTE);
        owner.log_in(ADA, PASSWORD).await.expect_status(200);
    }
}

/// B11: claims that would make a cookie longer than browsers keep are a loud error, not a cookie that vanishes.
#[tokio::test]
async fn b11_too_many_claims() {
    let site = TestSite::production().start().await;
    let scopes: Vec<String> = (0..80).map(|n| format!("{n:064}")).collect();
    let names: Vec<&str> = scopes.iter().map(String::as_str).collect();
    site.add_user(ADA, &names).await;
    site.client().log_in(ADA, PASSWORD).await.expect(503, "store_unavailable").sets_no_cookie();
    site.add_user("bob@example.com", &names[..20]).await;
    site.client().log_in("bob@example.com", PASSWORD).await.expect_status(200);
}
