//! Answers of all shapes: too long, compressed, without a token, with it twice.

use std::io::Write;

use countersign_core::domain::event::EventName;
use countersign_core::domain::retrofit::Retrofit;
use countersign_testkit::{TestSite, TestUpstream};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::Response;
use serde_json::json;

use crate::scene::{Said, before, everything, jwt, rules, said};

async fn site(
    rules: Retrofit,
    answer: impl Fn() -> Said + Send + Sync + 'static,
) -> (TestSite, TestUpstream) {
    let upstream = TestUpstream::app(move |_, _| answer()).await;
    (before(&upstream, rules).start().await, upstream)
}

async fn has_event(site: &TestSite, name: EventName, reason: &str) -> bool {
    site.events().await.iter().any(|event| event.name == name && *event.reason == *reason)
}

fn token() -> String {
    jwt(&json!({"sub": "7"}))
}

/// A login answer without the configured token passes as it is, and somebody is told.
#[tokio::test]
async fn an_answer_without_the_token() {
    let body = r#"{ "tokn":"x", "big":12345678901234567890 }"#;
    let (site, _upstream) =
        site(rules("json:/token"), move || said(200, &json!(null)).map(|_| body.into())).await;
    let client = site.client();
    let answer = client.post("/api/login").json(&json!({})).expect_status(200).await.sets_no_cookie();
    assert_eq!(answer.text(), body);
    assert!(has_event(&site, EventName::RetrofitUnchanged, "token_missing").await);
}

/// Beyond the limit nothing is held back: it streams as it is, and somebody is told. The token is never half removed.
#[tokio::test]
async fn an_answer_beyond_the_limit() {
    for (extra, passes) in [(0, false), (4096, true)] {
        let body = json!({"token": token(), "pad": "x".repeat(extra)});
        let sent = body.to_string();
        let limited = Retrofit { body_limit: 1024, ..rules("json:/token") };
        let (site, _upstream) = site(limited, move || said(200, &body)).await;
        let client = site.client();
        let answer = client.post("/api/login").json(&json!({})).expect_status(200).await;
        assert_eq!(answer.text() == sent, passes);
        assert_eq!(client.cookies().is_empty(), passes);
        assert_eq!(has_event(&site, EventName::RetrofitUnchanged, "body_limit").await, passes);
        assert_eq!(
            answer.text().contains(token().rsplit('.').next().unwrap()),
            passes,
            "whole, or not at all"
        );
    }
}

/// An upstream that compresses although it was asked not to.
#[tokio::test]
async fn a_compressed_answer() {
    for (coding, status) in [("gzip", 200), ("zstd", 502)] {
        let (site, upstream) = site(rules("json:/token"), move || {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
            gzip.write_all(json!({"token": token()}).to_string().as_bytes()).unwrap();
            let answer = Response::builder()
                .header("content-encoding", coding)
                .header("content-type", "application/json");
            answer.header("etag", "\"a\"").body(gzip.finish().unwrap().into()).unwrap()
        })
        .await;
        let client = site.client();
        let answer = client
            .post("/api/login")
            .json(&json!({}))
            .header("accept-encoding", "gzip, br")
            .expect_status(status)
            .await;
        assert_eq!(upstream.last().header("accept-encoding").as_deref(), Some("identity"));
        assert!(!answer.text().contains(token().rsplit('.').next().unwrap()));
        if status == 200 {
            assert_eq!((answer.header("content-encoding"), answer.header("etag")), (None, None));
            assert!(answer.json()["token"].as_str().unwrap().ends_with(".countersign"));
            assert!(!client.cookies().is_empty());
        } else {
            // Nobody knows what is in it, so nobody gets it.
            assert!(client.cookies().is_empty());
            assert!(has_event(&site, EventName::RetrofitUnchanged, "unknown_coding").await);
        }
    }
}

/// Two codings, in two lines or one: the first alone says nothing of what is in the body.
#[tokio::test]
async fn an_answer_of_two_codings() {
    for codings in [&["identity", "gzip"][..], &["gzip", "gzip"], &["identity, gzip"]] {
        let (site, _upstream) = site(rules("json:/token"), move || {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
            gzip.write_all(json!({"token": token()}).to_string().as_bytes()).unwrap();
            let mut answer = Response::builder().header("content-type", "application/json");
            for coding in codings {
                answer = answer.header("content-encoding", *coding);
            }
            answer.body(gzip.finish().unwrap().into()).unwrap()
        })
        .await;
        let client = site.client();
        client.post("/api/login").json(&json!({})).expect_status(502).await;
        assert!(client.cookies().is_empty());
        assert!(has_event(&site, EventName::RetrofitUnchanged, "unknown_coding").await, "{codings:?}");
    }
}

/// The same token in a second member, a header and a cookie: all of it goes.
#[tokio::test]
async fn the_token_is_never_half_removed() {
    let (site, _upstream) = site(rules("json:/token"), || {
        let token = token();
        let text = format!(
            r#"{{"token":"{token}","user":{{"jwt":"{token}"}},"note":"Bearer {token}","token":"{token}"}}"#
        );
        let answer = Response::builder()
            .header("content-type", "text/plain")
            .header("x-copy", format!("Bearer {token}"));
        answer
            .header("set-cookie", format!("jwt={token}; Path=/"))
            .header("set-cookie", "theme=dark; Path=/")
            .body(text.into())
            .unwrap()
    })
    .await;
    let answer = site.client().post("/api/login").json(&json!({})).expect_status(200).await;
    assert!(!everything(&answer).contains(token().rsplit('.').next().unwrap()), "{}", everything(&answer));
    assert!(
        answer.set_cookie("theme").is_some()
            && answer.json()["note"].as_str().unwrap().starts_with("Bearer eyJ")
    );
}

/// However a copy is spelt: PHP's `\/`, a character's number, JSON within JSON, percent-encoding in a cookie.
#[tokio::test]
async fn d19_copies_in_every_spelling() {
    let (site, _upstream) = site(rules("json:/token"), || {
        let text = r#"{"token":"9f\/aB+cDeFgHiJk==","a":"9f\/aB+cDeFgHiJk==","b":"\u0039f/aB+cDeFgHiJk==","c":"{\"t\":\"9f\\/aB+cDeFgHiJk==\"}","keep":"9f\/"}"#;
        let answer = Response::builder().header("content-type", "application/json");
        answer
            .header("set-cookie", "token=9f%2FaB%2BcDeFgHiJk%3D%3D; Path=/")
            .header("set-cookie", "theme=dark; Path=/")
            .body(text.into())
            .unwrap()
    })
    .await;
    let answer = site.client().post("/api/login").json(&json!({})).expect_status(200).await;
    assert!(!everything(&answer).contains("cDeFgHiJk"), "{}", everything(&answer));
    assert!(answer.set_cookie("theme").is_some() && answer.text().contains(r#""keep":"9f\/""#));
}

/// A token that is no longer than a word is taken out where it stands alone.
#[tokio::test]
async fn a_short_token_is_not_half_removed() {
    let (site, _upstream) = site(rules("json:/token"), || {
        let mut answer = said(200, &json!({"token": "abc1234", "user": {"key": "abc1234"}}));
        answer.headers_mut().append("set-cookie", "t=abc1234; Path=/".parse().unwrap());
        answer
    })
    .await;
    let answer = site.client().post("/api/login").json(&json!({})).expect_status(200).await;
    assert!(!everything(&answer).contains("abc1234"), "{}", everything(&answer));
}

/// A token of the head stands in the body once more: as JSON, as a page, of a login or of a refusal.
#[tokio::test]
async fn d19_a_token_of_the_head_in_the_body() {
    for (place, header, value) in [
        ("header:X-Auth-Token", "x-auth-token", "9f/aB+cDeFgHiJk=="),
        ("cookie:sid", "set-cookie", "sid=9f%2FaB%2BcDeFgHiJk%3D%3D; Path=/"),
    ] {
        for (status, kind, body) in [
            (200, "application/json", r#"{"session":"9f\/aB+cDeFgHiJk=="}"#),
            (200, "text/html", "<script>token='9f/aB+cDeFgHiJk=='</script>"),
            (401, "application/json", r#"{"session":"9f/aB+cDeFgHiJk=="}"#),
        ] {
            let (site, _upstream) = site(rules(place), move || {
                let answer = Response::builder().status(status).header("content-type", kind);
                answer.header(header, value).body(body.into()).unwrap()
            })
            .await;
            let answer = site.client().post("/api/login").json(&json!({})).expect_status(status).await;
            assert!(!everything(&answer).contains("cDeFgHiJk"), "{place} {}", everything(&answer));
            assert!(answer.text().contains("countersign"), "{}", answer.text());
        }
    }
}

/// A redirect that brings the token in its address passes, and somebody is told.
#[tokio::test]
async fn a_token_in_an_address_raises_an_event() {
    let jwt = token();
    for (to, told) in [
        (format!("/app#{jwt}"), true),
        (format!("/app?x=1&t={}", jwt.replace('.', "%2E")), true),
        (String::from("/app#access_token=opaque-1"), true),
        (String::from("/app#/token=opaque-1"), true),
        (String::from("/app?tokens=2&token="), false),
    ] {
        let address = to.clone();
        let (site, _upstream) = site(rules("json:/token"), move || {
            Response::builder().status(302).header("location", &address).body("".into()).unwrap()
        })
        .await;
        site.client().post("/api/login").json(&json!({})).expect_status(302).await;
        assert_eq!(has_event(&site, EventName::RetrofitUnchanged, "token_in_location").await, told, "{to}");
    }
}

/// A token in a header of the answer, and back in that header.
#[tokio::test]
async fn a_token_in_a_header() {
    let upstream = TestUpstream::app(|seen, _| {
        let mut answer = said(200, &json!({"sent": seen.header("x-auth-token")}));
        if seen.target == "/api/login" || seen.target == "/api/next" {
            let token = format!("opaque-token-for-{}", seen.target);
            answer.headers_mut().insert("x-auth-token", token.parse().unwrap());
        }
        answer
    })
    .await;
    let site = before(&upstream, rules("header:X-Auth-Token")).start().await;
    let client = site.client();
    let answer = client.post("/api/login").json(&json!({})).expect_status(200).await;
    assert_eq!(answer.header("x-auth-token"), None);
    let sent = || async {
        client.get("/api/me").header("x-auth-token", "stolen").send().await.json()["sent"].clone()
    };
    assert_eq!(sent().await, "opaque-token-for-/api/login");
    // An upstream that hands out the next one with each answer.
    assert_eq!(client.get("/api/next").send().await.header("x-auth-token"), None);
    assert_eq!(sent().await, "opaque-token-for-/api/next");
    // Without a session there is nobody to keep it for: held back, and told.
    let nobody = site.client();
    assert_eq!(nobody.get("/api/next").send().await.header("x-auth-token"), None);
    assert!(has_event(&site, EventName::RetrofitTokenSeen, "without_session").await);
    assert_eq!(nobody.get("/api/me").send().await.json()["sent"], json!(null));
}
