//! GET `/auth/sessions`, DELETE `/auth/sessions/{public id}`, and the limit.

use countersign_core::domain::event::EventName;
use countersign_core::domain::policy::SessionLimit;
use countersign_testkit::{Client, Cookies, PASSWORD, Sender, TestSite};
use serde_json::Value;

use crate::{MINUTE, assert_event, seconds};

const ADA: &str = "ada@example.com";

async fn list(client: &Client) -> Vec<Value> {
    let answer = client.get("/auth/sessions").expect_status(200).await;
    answer.json()["sessions"].as_array().unwrap().clone()
}

fn current(sessions: &[Value]) -> &Value {
    sessions.iter().find(|s| s["current"] == true).unwrap()
}

/// D12: users see their own live sessions, by public id.
#[tokio::test]
async fn d12_list() {
    let site = TestSite::production().start().await;
    let phone = site.signed_in(ADA).await;
    site.advance(MINUTE);
    let laptop = site.client().at("198.51.100.20").agent("Laptop/2");
    laptop.log_in(ADA, PASSWORD).await.expect_status(200);
    site.signed_in("bob@example.com").await;
    let sessions = list(&laptop).await;
    assert_eq!(sessions.len(), 2);
    let own = current(&sessions);
    assert_eq!((&own["ip"], &own["user_agent"]), (&"198.51.100.20".into(), &"Laptop/2".into()));
    let sid = laptop.cookie(countersign_core::domain::cookie::CookieKind::Access).unwrap();
    assert!(!sid.contains(own["id"].as_str().unwrap()));
    phone.log_out().await.expect_status(204);
    assert_eq!(list(&laptop).await.len(), 1);
    site.client().get("/auth/sessions").expect(401, "token_missing").await;
}

/// D12: ending one's own session takes effect at once; another user's is not found, alive or not.
#[tokio::test]
async fn d12_end_own_only() {
    let site = TestSite::production().start().await;
    let phone = site.signed_in(ADA).await;
    let laptop = site.client();
    laptop.log_in(ADA, PASSWORD).await.expect_status(200);
    let bob = site.signed_in("bob@example.com").await;
    let id = |sessions: Vec<Value>| current(&sessions)["id"].as_str().unwrap().to_owned();
    let (phone_id, bob_id) = (id(list(&phone).await), id(list(&bob).await));

    for target in [bob_id.as_str(), "0000000000000000000000", "x", "..", "%00", "a%2fb", &"y".repeat(300)] {
        let request = laptop.delete(&format!("/auth/sessions/{target}")).with_csrf();
        request.expect(404, "not_found").await;
    }
    bob.get("/auth/session").expect_status(200).await;

    let target = format!("/auth/sessions/{phone_id}");
    laptop.delete(&target).expect(403, "csrf_failed").await;
    for sender in [Sender::ForeignFetch, Sender::SiblingFetch, Sender::Bare] {
        let request = laptop.delete(&target).with_csrf().sender(sender).cookies(Cookies::All);
        request.expect(403, "origin_denied").await;
    }
    phone.get("/auth/session").expect_status(200).await;
    laptop.delete(&target).with_csrf().expect_status(204).await.sets_no_cookie();
    phone.get("/auth/session").expect(401, "session_revoked").await;
    laptop.get("/auth/session").expect_status(200).await;
    assert_event(&site, EventName::TokenRevoked, "ended_by_user").await;
}

/// D14: the oldest session makes room, and an event says so.
#[tokio::test]
async fn d14_limit_ends_the_oldest() {
    let site = TestSite::production()
        .policy(|p| p.session_limit = Some(SessionLimit { max: 2, end_oldest: true }))
        .start()
        .await;
    let first = site.signed_in(ADA).await;
    let mut later = Vec::new();
    for _ in 0..2 {
        site.advance(seconds(1));
        let client = site.client();
        client.log_in(ADA, PASSWORD).await.expect_status(200);
        later.push(client);
    }
    first.get("/auth/session").expect(401, "session_revoked").await;
    for client in &later {
        client.get("/auth/session").expect_status(200).await;
    }
    assert_event(&site, EventName::TokenRevoked, "session_limit").await;
    // The same browser signing in again takes no further place.
    later[1].log_in(ADA, PASSWORD).await.expect_status(200);
    later[0].get("/auth/session").expect_status(200).await;
}

/// D14: or the new one is refused.
#[tokio::test]
async fn d14_limit_refuses_the_new() {
    let site = TestSite::production()
        .policy(|p| p.session_limit = Some(SessionLimit { max: 1, end_oldest: false }))
        .start()
        .await;
    let first = site.signed_in(ADA).await;
    let second = site.client();
    second.log_in(ADA, PASSWORD).await.expect(429, "rate_limited").sets_no_cookie();
    first.get("/auth/session").expect_status(200).await;
    assert_event(&site, EventName::AuthzFail, "session_limit").await;
    first.log_out().await.expect_status(204);
    second.log_in(ADA, PASSWORD).await.expect_status(200);
}

/// I04: what a browser calls itself is cleaned and capped before anybody reads it.
#[tokio::test]
async fn i04_user_agents_are_capped() {
    let site = TestSite::production().start().await;
    site.add_user(ADA, &[]).await;
    let client = site.client().agent(&format!("a\tb{}", "x".repeat(900)));
    client.log_in(ADA, PASSWORD).await.expect_status(200);
    let sessions = list(&client).await;
    let agent = sessions[0]["user_agent"].as_str().unwrap();
    assert_eq!(agent.chars().count(), 256);
    assert!(!agent.chars().any(char::is_control));
}
