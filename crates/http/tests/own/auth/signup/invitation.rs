//! Sign-up by invitation: `accounts.signup = "invite"`.

use std::time::Duration;

use countersign_core::domain::cookie::CookieKind;
use countersign_core::domain::event::EventName;
use countersign_core::domain::policy::SignUp;
use countersign_core::domain::scope::ScopeSet;
use countersign_core::domain::user::Email;
use countersign_core::service::{Context, Delivery, INVITATION_TTL, InviteError, Invited};
use countersign_testkit::{Answer, Client, Mode, PASSWORD, Sender, TestSite, capture};
use serde_json::json;

use super::ADA;
use crate::assert_event;

const WEAK: &str = "passwordpassword";

async fn invite_only() -> TestSite {
    TestSite::production().policy(|p| p.sign_up = SignUp::Invite).start().await
}

async fn try_to_invite(site: &TestSite, email: &str, scope: &str) -> Result<Invited, InviteError> {
    let scope = ScopeSet::parse(scope).unwrap();
    site.site.engine().invite(&Email::parse(email).unwrap(), scope, &Context::default()).await
}

/// Invites, and gives the code of the mail.
async fn invite(site: &TestSite, email: &str) -> String {
    let invited = try_to_invite(site, email, "").await.unwrap();
    assert!(matches!(invited.delivery, Delivery::Mailed));
    site.outside.mailer.last_to(email).unwrap().code().unwrap().to_owned()
}

async fn accept(client: &Client, email: &str, password: &str, code: &str) -> Answer {
    client.csrf().await;
    let body = json!({ "email": email, "password": password, "invitation": code });
    client.post("/auth/signup").with_csrf().json(&body).send().await
}

/// Design §9, B08: the link of the mail shows a form that carries the code; the form makes the account, once, and signs in.
#[tokio::test]
async fn b08_the_mailed_invitation() {
    let site = invite_only().await;
    try_to_invite(&site, ADA, "notes:read admin").await.unwrap();
    let mail = site.outside.mailer.last_to(ADA).unwrap();
    let code = mail.code().unwrap().to_owned();
    assert_eq!(code.len(), 43, "256 bits");
    assert!(mail.body.contains(&format!("https://app.countersign.test/auth/signup?invitation={code}\n")));
    assert!(mail.body.contains("7 days") && mail.body.contains(ADA), "{}", mail.body);
    assert_event(&site, EventName::AuthzAdmin, "invited").await;

    let ada = site.client();
    drop(site.outside.store.take_writes());
    let link = format!("/auth/signup?invitation={code}");
    let page = ada.get(&link).sender(Sender::ForeignLink).expect_status(200).await;
    assert!(site.outside.store.take_writes().is_empty(), "mail scanners open links too");
    assert_eq!(page.header("referrer-policy").as_deref(), Some("no-referrer"));
    assert!(page.header("cache-control").unwrap().contains("no-store"));
    let text = page.text();
    assert!(text.contains(&format!("<input type=\"hidden\" name=\"invitation\" value=\"{code}\">")));
    assert_eq!(text.matches(&code).count(), 1, "in the form and nowhere else");
    assert!(!text.contains(ADA), "who finds the link does not learn whom it is for");

    let csrf = ada.csrf().await;
    let send = |email, password| {
        let fields =
            [("_csrf", csrf.as_str()), ("invitation", &code), ("email", email), ("password", password)];
        ada.post("/auth/signup").sender(Sender::OwnForm).form(&fields)
    };
    let again = send(ADA, WEAK).expect_status(422).await.text();
    assert!(again.contains(&format!("value=\"{code}\"")), "the form still carries it");
    send(ADA, PASSWORD).expect_status(303).await;
    let me = ada.get("/auth/session").expect_status(200).await.json();
    assert_eq!((&me["user"]["email"], &me["user"]["email_verified"]), (&json!(ADA), &json!(true)));
    let engine = site.site.engine();
    let user = engine.find_user(&Email::parse(ADA).unwrap()).await.unwrap().unwrap();
    assert_eq!(user.scope, ScopeSet::parse("admin notes:read").unwrap());
    assert_event(&site, EventName::UserCreated, "by_invitation").await;
    site.client().log_in(ADA, PASSWORD).await.expect_status(200);

    accept(&site.client(), ADA, PASSWORD, &code).await.expect(403, "signup_closed");
}

/// F09: whatever fails leaves the invitation good: weak passwords, busy hashing, a store that is away, other addresses.
#[tokio::test]
async fn f09_nothing_that_fails_costs_the_invitation() {
    let site = invite_only().await;
    let code = invite(&site, ADA).await;
    let client = site.client();
    accept(&client, ADA, WEAK, &code).await.expect(422, "password_too_weak");
    accept(&client, "not an address", PASSWORD, &code).await.expect(400, "invalid_request");
    accept(&client, "eve@example.com", PASSWORD, &code).await.expect(403, "signup_closed");
    let body = json!({ "email": ADA, "password": PASSWORD, "invitation": code });
    client.post("/auth/signup").json(&body).expect(403, "csrf_failed").await;
    site.outside.hasher.set_busy(true);
    accept(&client, ADA, PASSWORD, &code).await.expect_status(503);
    site.outside.hasher.set_busy(false);
    site.outside.store.set(Mode::Unavailable);
    client.post("/auth/signup").with_csrf().json(&body).expect(503, "store_unavailable").await;
    site.outside.store.set(Mode::Working);
    assert!(client.cookie(CookieKind::Refresh).is_none());
    accept(&client, ADA, PASSWORD, &code).await.expect_status(201);
}

/// F06: without a good invitation nothing tells whether an address is taken.
#[tokio::test]
async fn f06_a_forged_invitation_tells_nothing() {
    let site = invite_only().await;
    site.add_user("taken@example.com", &[]).await;
    let other = invite(&site, ADA).await;
    let mut seen = Vec::new();
    for email in ["taken@example.com", "free@example.com"] {
        site.client().sign_up(email, PASSWORD).await.expect(403, "signup_closed");
        for code in ["A".repeat(43), other.to_lowercase(), other.clone(), "x".repeat(50_000), String::new()] {
            let before = site.outside.hasher.evaluated();
            let answer = accept(&site.client(), email, PASSWORD, &code).await.expect(403, "signup_closed");
            let detail = answer.json()["detail"].clone();
            seen.push((email, code, detail, site.outside.hasher.evaluated() - before));
        }
    }
    let (taken, free) = seen.split_at(5);
    for ((_, code, detail, hashed), (_, _, other_detail, other_hashed)) in taken.iter().zip(free) {
        assert_eq!((detail, hashed), (other_detail, other_hashed), "{code:.43}");
    }
    assert_event(&site, EventName::InputValidationFail, "invitation").await;
    let bad = json!({ "email": ADA, "password": PASSWORD, "invitation": 5 });
    let client = site.client();
    client.csrf().await;
    client.post("/auth/signup").with_csrf().json(&bad).expect(400, "invalid_request").await;
    for link in ["/auth/signup", "/auth/signup?invitation=", "/auth/signup?invitation=short"] {
        client.get(link).sender(Sender::Typed).expect_status(403).await;
    }
    accept(&site.client(), ADA, PASSWORD, &other).await.expect_status(201);
}

/// An invitation works for seven days, and where a newer one, another account or a closed door is in the way, not at all.
#[tokio::test]
async fn invitations_end() {
    let site = invite_only().await;
    let (late, early) = (invite(&site, "late@example.com").await, invite(&site, "early@example.com").await);
    let replaced = invite(&site, ADA).await;
    let newest = invite(&site, ADA).await;
    let overtaken = invite(&site, "eve@example.com").await;
    site.add_user("eve@example.com", &[]).await;
    accept(&site.client(), "eve@example.com", PASSWORD, &overtaken).await.expect(409, "invalid_request");
    accept(&site.client(), ADA, PASSWORD, &replaced).await.expect(403, "signup_closed");
    accept(&site.client(), ADA, PASSWORD, &newest).await.expect_status(201);
    assert_eq!(INVITATION_TTL, Duration::from_secs(7 * 86_400));
    site.advance(INVITATION_TTL - Duration::from_secs(1));
    accept(&site.client(), "early@example.com", PASSWORD, &early).await.expect_status(201);
    site.advance(Duration::from_secs(2));
    accept(&site.client(), "late@example.com", PASSWORD, &late).await.expect(403, "signup_closed");

    let other = invite(&site, "other@example.com").await;
    let closed = TestSite::production().outside(site.outside.clone()).policy(|p| p.sign_up = SignUp::Off);
    let closed = closed.start().await;
    accept(&closed.client(), "other@example.com", PASSWORD, &other).await.expect(403, "signup_closed");
    accept(&site.client(), "other@example.com", PASSWORD, &other).await.expect_status(201);
}

/// Nobody is invited in vain.
#[tokio::test]
async fn who_cannot_be_invited() {
    let site = invite_only().await;
    site.add_user("taken@example.com", &[]).await;
    assert!(matches!(try_to_invite(&site, "TAKEN@example.com", "").await, Err(InviteError::Taken)));
    site.outside.mailer.set_failing(true);
    drop(site.outside.store.take_writes());
    assert!(matches!(try_to_invite(&site, ADA, "").await, Err(InviteError::Mail(_))));
    assert_eq!(site.outside.store.take_writes(), ["put_code", "consume_code"], "a code that nobody holds");
    let events = site.events().await;
    assert!(events.iter().all(|event| event.name != EventName::AuthzAdmin));
    for mode in [SignUp::Off, SignUp::Mailed, SignUp::Immediate] {
        let site = TestSite::production().policy(move |p| p.sign_up = mode).start().await;
        assert!(matches!(try_to_invite(&site, ADA, "").await, Err(InviteError::NotByInvitation)), "{mode:?}");
        assert!(site.outside.mailer.sent().is_empty());
    }
}

/// I01: the code is in no log line and in no event, however it travels and whatever fails.
#[tokio::test]
async fn i01_the_code_is_never_logged() {
    let (captured, guard) = capture();
    let site = invite_only().await;
    let code = invite(&site, ADA).await;
    let client = site.client();
    let link = format!("/auth/signup?invitation={code}");
    client.get(&link).sender(Sender::ForeignLink).expect_status(200).await;
    let csrf = client.csrf().await;
    let fields = [("_csrf", csrf.as_str()), ("invitation", &code), ("email", ADA), ("password", WEAK)];
    client.post("/auth/signup").sender(Sender::OwnForm).form(&fields).expect_status(422).await;
    let body = json!({ "email": "eve@example.com", "password": PASSWORD });
    client.post(&link).with_csrf().json(&body).expect(403, "signup_closed").await;
    site.outside.store.set(Mode::Unavailable);
    client.post(&link).with_csrf().json(&body).expect_status(503).await;
    site.outside.store.set(Mode::Working);
    accept(&client, ADA, PASSWORD, &code).await.expect_status(201);
    accept(&client, ADA, PASSWORD, &code).await.expect_status(403);
    let events = format!("{:?}", site.events().await);
    drop(guard);
    assert!(captured.text().contains("by_invitation"), "the log was captured");
    assert!(!captured.text().contains(&code), "{}", captured.text());
    assert!(events.contains("invited") && !events.contains(&code));
}

/// A dead invitation is told before anybody chooses a password for nothing, and the form of a good one says what is wrong.
#[tokio::test]
async fn a_dead_invitation_shows_no_form() {
    let site = invite_only().await;
    let code = invite(&site, ADA).await;
    let link = format!("/auth/signup?invitation={code}");
    let client = site.client();
    let open = |link: String| client.get(&link).sender(Sender::ForeignLink);
    let form = open(link.clone()).expect_status(200).await.text();
    assert!(form.contains("type=\"password\""));

    let late = site.client();
    let browsers = [(&client, client.csrf().await), (&late, late.csrf().await)];
    let send = |who: usize, email: &str| {
        let (client, csrf) = &browsers[who];
        let fields =
            [("_csrf", csrf.as_str()), ("invitation", &code), ("email", email), ("password", PASSWORD)];
        client.post("/auth/signup").sender(Sender::OwnForm).form(&fields)
    };
    let page = send(0, "eve@example.com").expect_status(403).await.text();
    assert!(page.contains("for another address") && page.contains("type=\"password\""), "{page}");
    send(0, ADA).expect_status(303).await;

    let never = "A".repeat(43);
    for (what, page) in [
        ("used", open(link).expect_status(403).await),
        ("unknown", open(format!("/auth/signup?invitation={never}")).expect_status(403).await),
        ("used meanwhile", send(1, "eve@example.com").expect_status(403).await),
    ] {
        let page = page.text();
        assert!(page.contains("no longer works") && !page.contains("type=\"password\""), "{what}: {page}");
        assert!(page.contains("href=\"/auth/login\""), "{what}");
    }
    site.outside.store.set(Mode::Unavailable);
    client
        .get(&format!("/auth/signup?invitation={never}"))
        .sender(Sender::ForeignLink)
        .expect_status(503)
        .await;
}
