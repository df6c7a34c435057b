//! `Authorization` at our own end points: judges the request alone (design §7 "Credentials").

use countersign_core::domain::cookie::CookieKind;
use countersign_core::domain::event::EventName;
use countersign_core::domain::time::Timestamp;
use countersign_core::service::{Audience, Principal};
use countersign_testkit::{Client, TestOutside, TestSite};

use crate::{MINUTE, assert_event, seconds};

const ADA: &str = "ada@example.com";

fn access(client: &Client) -> String {
    client.cookie(CookieKind::Access).unwrap()
}

/// A good token is enough; an invalid one is 401 and never falls through to good cookies.
#[tokio::test]
async fn no_fall_through() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    let token = access(&client);
    let app = site.client();
    app.get("/auth/session").bearer(&token).expect_status(200).await.sets_no_cookie();
    app.get("/auth/session").header("authorization", format!("bEaReR   {token}")).expect_status(200).await;
    for bad in ["Bearer x", "Bearer", "Bearer ", "DPoP x", "Bearer a.b.c", "bearer null"] {
        let answer =
            client.get("/auth/session").header("authorization", bad).expect(401, "token_invalid").await;
        assert!(answer.header("www-authenticate").unwrap().contains("invalid_token"));
        answer.sets_no_cookie();
    }
    let twice = client.get("/auth/session").bearer(&token).bearer(&token);
    twice.expect(401, "token_invalid").await;
    let bytes = client.get("/auth/session").header("authorization", b"Bearer \xff".as_slice());
    bytes.expect(401, "token_invalid").await;
}

/// Other schemes and the retrofit's placeholder count as absent: the cookies decide.
#[tokio::test]
async fn absent_credentials() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    for other in [
        "Basic YTpi",
        "Digest x",
        "Bearer countersign",
        "Bearer eyJhbGciOiJIUzI1NiJ9.e30.countersign",
        "Basic",
    ] {
        client.get("/auth/session").header("authorization", other).expect_status(200).await;
        site.client().get("/auth/session").header("authorization", other).expect(401, "token_missing").await;
    }
}

/// A08: of our token kinds, only the access token opens this door.
#[tokio::test]
async fn a08_other_kinds_are_refused() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    let app = site.client();
    let refresh = client.cookie(CookieKind::Refresh).unwrap();
    app.get("/auth/session").bearer(&refresh).expect(401, "wrong_purpose").await;
    let engine = site.site.engine();
    let context = countersign_core::service::Context::default();
    let principal = engine.verify_access(&access(&client), &context).await.unwrap();
    let audience = Audience { index: 0, names: vec!["app".into()] };
    let assertion = engine.assertion(&Principal::Session(principal), &audience).unwrap();
    app.get("/auth/session").bearer(&assertion).expect(401, "wrong_purpose").await;
    let planted = client.copy();
    planted.put_cookie(CookieKind::Access, &assertion);
    planted.get("/auth/session").expect(401, "wrong_purpose").await;
    planted.put_cookie(CookieKind::Access, &refresh);
    planted.get("/auth/session").expect(401, "token_invalid").await;
    let csrf = client.csrf_token().unwrap();
    app.get("/auth/session").bearer(&csrf).expect(401, "token_invalid").await;
}

/// A13: another environment's token is named as such, cookie or bearer; its key differs too.
#[tokio::test]
async fn a13_wrong_environment() {
    let staging = TestSite::production().environment("staging").start().await;
    let site = TestSite::production().start().await;
    let foreign = staging.signed_in(ADA).await;
    site.client().get("/auth/session").bearer(&access(&foreign)).expect(401, "wrong_environment").await;
    let here = site.adopt(&foreign);
    here.get("/auth/session").expect(401, "wrong_environment").await.sets_no_cookie();
    here.refresh().await.expect(401, "wrong_environment").sets_no_cookie();
    assert_event(&site, EventName::WrongEnvironment, "access_token").await;
    let key = "csk_staging_0000000000000000000000000000000000000000000000000000000";
    assert_eq!(site.client().get("/auth/session").bearer(key).send().await.status(), 401);
}

/// A12: a token for another audience of the same deployment.
#[tokio::test]
async fn a12_wrong_audience() {
    let outside = TestOutside::default();
    let site = TestSite::production().outside(outside.clone()).start().await;
    let other = TestSite::production()
        .outside(outside)
        .policy(|p| p.access.audience = vec!["admin".into()])
        .start()
        .await;
    let client = site.signed_in(ADA).await;
    other.client().get("/auth/session").bearer(&access(&client)).expect(401, "wrong_audience").await;
    site.client().get("/auth/session").bearer(&access(&client)).expect_status(200).await;
}

/// A11: expired and not yet valid, by the clock of a node that never saw the token, with 5 s of leeway.
#[tokio::test]
async fn a11_times() {
    let outside = TestOutside::default();
    let site = TestSite::production().outside(outside.clone()).start().await;
    let client = site.signed_in(ADA).await;
    let token = access(&client);
    let issued = Timestamp::from_secs(1_790_000_000);
    let expires = issued.plus(MINUTE * 15);
    for (now, code) in [
        (issued.minus(seconds(6)), "token_invalid"),
        (issued.minus(seconds(5)), ""),
        (issued, ""),
        (expires.minus(seconds(1)), ""),
        (expires.plus(seconds(4)), ""),
        (expires.plus(seconds(5)), "token_expired"),
        (expires.plus(MINUTE), "token_expired"),
    ] {
        outside.clock.set(issued);
        let node = TestSite::production().outside(outside.clone()).start().await;
        outside.clock.set(now);
        let answer = node.client().get("/auth/session").bearer(&token).send().await;
        assert_eq!(answer.code(), code, "{now:?}");
    }
}

/// A05, A16: nonsense of any size is refused without effort.
#[tokio::test]
async fn nonsense_tokens() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    let token = access(&client);
    let (head, rest) = token.split_once('.').unwrap();
    for bad in [
        format!("{head}.{rest}="),
        format!("{head}.{rest}.x"),
        format!(" {head}. {rest}"),
        format!("{head}.{}", "A".repeat(9000)),
        token.replace('.', ".."),
        token.to_uppercase(),
        format!("{}x", &token[..token.len() - 1]),
        String::from("../../dev/null"),
        String::from("' OR 1=1 --"),
    ] {
        site.client().get("/auth/session").bearer(&bad).expect(401, "token_invalid").await;
    }
}
