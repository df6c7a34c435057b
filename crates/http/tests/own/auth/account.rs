//! `/auth/account`: my sessions and my password, as pages.

use countersign_core::domain::cookie::CookieKind;
use countersign_core::domain::event::EventName;
use countersign_testkit::{Client, Cookies, PASSWORD, Request, Sender, TestSite};

use crate::{MINUTE, assert_event};

const ADA: &str = "ada@example.com";
const NEW: &str = "an entirely different phrase";

async fn three(site: &TestSite) -> [Client; 3] {
    site.add_user(ADA, &[]).await;
    let clients = [site.client(), site.client(), site.client()];
    for client in &clients {
        client.log_in(ADA, PASSWORD).await.expect_status(200);
    }
    clients
}

async fn change(client: &Client, current: &str, new: &str) -> Request {
    let csrf = client.csrf().await;
    let form = [("_csrf", csrf.as_str()), ("current_password", current), ("new_password", new)];
    client.post("/auth/account/password").sender(Sender::OwnForm).form(&form)
}

/// D11, D09: of three sessions, only this one goes on, under a new id.
#[tokio::test]
async fn d11_password_change_ends_the_others() {
    let site = TestSite::production().start().await;
    let [mine, second, third] = three(&site).await;
    let before = mine.copy();
    let answer = change(&mine, PASSWORD, NEW).await.expect_status(303).await;
    assert_eq!(answer.header("location").as_deref(), Some("/auth/account?done=password-changed"));
    mine.get("/auth/session").expect_status(200).await;
    for dead in [&second, &third, &before] {
        dead.get("/auth/session").expect(401, "session_revoked").await;
        dead.refresh().await.expect(401, "session_revoked");
    }
    assert_ne!(
        mine.cookie(CookieKind::Refresh).unwrap()[..20],
        before.cookie(CookieKind::Refresh).unwrap()[..20]
    );
    assert_event(&site, EventName::PasswordChange, "by_user").await;
    site.client().log_in(ADA, PASSWORD).await.expect(401, "invalid_credentials");
    site.client().log_in(ADA, NEW).await.expect_status(200);
}

/// P4, D11: a change that is being hashed while its session ends changes nothing; a thief who knows the old password has no last word.
#[tokio::test]
async fn p4_a_change_on_its_way_does_not_survive_the_session() {
    let site = TestSite::production().start().await;
    let [thief, owner, _] = three(&site).await;
    let csrf = owner.csrf().await;
    let form = [("_csrf", csrf.as_str())];
    let stolen = change(&thief, PASSWORD, NEW).await;
    site.outside.hasher.set_delay(std::time::Duration::from_millis(300));
    let ended = async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        owner.post("/auth/logout/all").sender(Sender::OwnForm).form(&form).expect_status(303).await
    };
    let (answer, _ended) = tokio::join!(stolen.expect_status(303), ended);
    assert_eq!(answer.header("location").as_deref(), Some("/auth/refresh?return_to=/auth/account"));
    answer.sets_no_cookie();
    site.outside.hasher.set_delay(std::time::Duration::ZERO);
    thief.get("/auth/session").expect(401, "session_revoked").await;
    site.client().log_in(ADA, NEW).await.expect(401, "invalid_credentials");
    site.client().log_in(ADA, PASSWORD).await.expect_status(200);
}

/// A stolen session alone must not take the account over; nor may a weak password be chosen.
#[tokio::test]
async fn changing_needs_the_current_password() {
    let site = TestSite::production().start().await;
    let [mine, second, _] = three(&site).await;
    for (current, new, says) in [
        ("wrong wrong wrong wrong", NEW, "not your current password"),
        (PASSWORD, "short", "at least 15"),
        (PASSWORD, "ada@example.com ada", "your address"),
    ] {
        let page = change(&mine, current, new).await.expect_status(422).await;
        assert!(page.text().contains(says), "{says}");
        assert!(!page.text().contains(current), "no password is written back");
    }
    second.get("/auth/session").expect_status(200).await;
    mine.get("/auth/session").expect_status(200).await;
}

/// F08: guessing the current password counts like signing in.
#[tokio::test]
async fn f08_guesses_at_the_current_password_are_throttled() {
    let site = TestSite::production().start().await;
    let [mine, ..] = three(&site).await;
    let before = site.outside.hasher.evaluated();
    for _ in 0..9 {
        change(&mine, "wrong wrong wrong wrong", NEW).await.send().await;
    }
    assert_eq!(site.outside.hasher.evaluated() - before, 5, "the free attempts");
}

/// F08: one counter for every way of guessing: with one of its own, each would have its free attempts, and the cap would be two.
#[tokio::test]
async fn f08_one_counter_for_signing_in_and_for_changing_the_password() {
    let wrong = "wrong wrong wrong wrong";
    let site = TestSite::production().start().await;
    let [mine, ..] = three(&site).await;
    for _ in 0..5 {
        change(&mine, wrong, NEW).await.expect_status(422).await;
    }
    let before = site.outside.hasher.evaluated();
    mine.copy().log_in(ADA, PASSWORD).await.expect(429, "rate_limited");
    assert_eq!(site.outside.hasher.evaluated(), before, "refused before it is hashed");

    // And the other way round.
    let site = TestSite::production().start().await;
    let [mine, ..] = three(&site).await;
    for _ in 0..5 {
        mine.copy().log_in(ADA, wrong).await.expect(401, "invalid_credentials");
    }
    let before = site.outside.hasher.evaluated();
    change(&mine, PASSWORD, NEW).await.expect_status(429).await;
    assert_eq!(site.outside.hasher.evaluated(), before);
}

/// C12: from another site, or without the token, nothing happens.
#[tokio::test]
async fn c12_forms_of_other_sites() {
    let site = TestSite::production().start().await;
    let [mine, second, _] = three(&site).await;
    let csrf = mine.csrf().await;
    for target in
        ["/auth/account/password", "/auth/account/sessions/end-others", "/auth/account/sessions/x/end"]
    {
        let foreign = mine.post(target).sender(Sender::ForeignForm).cookies(Cookies::All);
        foreign.form(&[("_csrf", &csrf)]).expect_status(403).await.sets_no_cookie();
        let bare = mine
            .post(target)
            .sender(Sender::OwnForm)
            .form(&[("current_password", PASSWORD), ("new_password", NEW)]);
        bare.expect_status(403).await.sets_no_cookie();
    }
    second.get("/auth/session").expect_status(200).await;
}

/// D12: the page lists the sessions, and ends one or all others.
#[tokio::test]
async fn d12_the_page_ends_sessions() {
    let site = TestSite::production().start().await;
    let [mine, second, third] = three(&site).await;
    let page = mine.get("/auth/account").sender(Sender::OwnLink).expect_status(200).await.text();
    let action = |text: &str| -> Vec<String> {
        let parts = text.split("action=\"").skip(1);
        parts
            .filter_map(|p| p.split('"').next())
            .filter(|a| a.contains("/sessions/"))
            .map(str::to_owned)
            .collect()
    };
    let actions = action(&page);
    assert_eq!(actions.iter().filter(|a| a.ends_with("/end")).count(), 2, "{actions:?}");
    assert!(page.contains("This device"));
    let csrf = mine.csrf().await;
    let press = |target: &str| mine.post(target).sender(Sender::OwnForm).form(&[("_csrf", &csrf)]);
    press(&actions[0]).expect_status(303).await;
    let alive = [&second, &third];
    let mut left = 0;
    for client in alive {
        left += u32::from(client.get("/auth/session").send().await.status() == 200);
    }
    assert_eq!(left, 1);
    press("/auth/account/sessions/end-others").expect_status(303).await;
    for client in alive {
        client.get("/auth/session").expect(401, "session_revoked").await;
    }
    mine.get("/auth/session").expect_status(200).await;
}

/// Design §7: a page whose access token ran out goes to be refreshed and comes back; without a session, to sign in.
#[tokio::test]
async fn pages_refresh_by_redirect() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    site.advance(MINUTE * 20);
    let answer =
        client.get("/auth/account").sender(Sender::OwnLink).expect_status(303).await.sets_no_cookie();
    let location = answer.header("location").unwrap();
    assert_eq!(location, "/auth/refresh?return_to=/auth/account");
    let back = client.get(&location).sender(Sender::OwnLink).expect_status(303).await;
    assert_eq!(back.header("location").as_deref(), Some("/auth/account"));
    client.get("/auth/account").sender(Sender::OwnLink).expect_status(200).await;
    let nobody = site.client().get("/auth/account").sender(Sender::Typed).expect_status(303).await;
    assert_eq!(nobody.header("location").as_deref(), Some("/auth/login?return_to=/auth/account"));
    site.client().get("/auth/account").expect(401, "token_missing").await;
}

/// B12: an access cookie that nothing reads says nothing of the session that the refresh cookie holds.
#[tokio::test]
async fn b12_a_broken_access_cookie_does_not_ask_to_sign_in() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    client.put_cookie(CookieKind::Access, "eyJhbGciOiJFZERTQSJ9.e30.AAAA");
    let answer = client.get("/auth/account").sender(Sender::OwnLink).expect_status(303).await;
    let location = answer.header("location").unwrap();
    assert_eq!(location, "/auth/refresh?return_to=/auth/account");
    client.get(&location).sender(Sender::OwnLink).expect_status(303).await;
    client.get("/auth/account").sender(Sender::OwnLink).expect_status(200).await;
    // Without a session behind it nothing is refreshed.
    let liar = site.client();
    liar.put_cookie(CookieKind::Access, "eyJhbGciOiJFZERTQSJ9.e30.AAAA");
    let answer = liar.get("/auth/account").sender(Sender::OwnLink).expect_status(303).await;
    assert_eq!(answer.header("location").as_deref(), Some("/auth/login?return_to=/auth/account"));
}

/// A theft stays in sight: a flood of sign-ins afterwards does not push it off the list; the alarm ends when the password was changed.
#[tokio::test]
async fn what_ended_is_listed_with_its_reason() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    let thief = client.copy();
    client.refresh().await.expect_status(200);
    client.get("/auth/session").expect_status(200).await;
    site.advance(MINUTE);
    thief.refresh().await.expect(401, "refresh_reused");
    for _ in 0..12 {
        let again = site.client();
        again.log_in(ADA, PASSWORD).await.expect_status(200);
        site.advance(MINUTE);
        again.log_out().await.expect_status(204);
    }
    client.log_in(ADA, PASSWORD).await.expect_status(200);
    let show = || client.get("/auth/account").sender(Sender::OwnLink);
    let page = show().expect_status(200).await.text();
    assert_eq!(page.matches("A copy was used elsewhere").count(), 1);
    assert_eq!(page.matches(">Signed out</span>").count(), 10, "the latest");
    assert!(page.contains("class=\"note bad\""), "{page}");
    assert!(!page.contains("Signed in again"), "a replaced session is no news");

    let done = site.client();
    done.log_in(ADA, PASSWORD).await.expect_status(200);
    change(&done, PASSWORD, NEW).await.expect_status(303).await;
    let page = done.get("/auth/account").sender(Sender::OwnLink).expect_status(200).await.text();
    assert!(
        page.contains("A copy was used elsewhere") && !page.contains("class=\"note bad\""),
        "it was done"
    );
}

/// The alarm ends after a week; the record stays.
#[tokio::test]
async fn an_old_theft_is_on_record_only() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    let thief = client.copy();
    client.refresh().await.expect_status(200);
    client.get("/auth/session").expect_status(200).await;
    site.advance(MINUTE);
    thief.refresh().await.expect(401, "refresh_reused");
    site.advance(MINUTE * 60 * 24 * 7 - MINUTE);
    client.log_in(ADA, PASSWORD).await.expect_status(200);
    let show = || client.get("/auth/account").sender(Sender::OwnLink);
    assert!(show().expect_status(200).await.text().contains("class=\"note bad\""));
    site.advance(MINUTE * 2);
    let page = show().expect_status(200).await.text();
    assert!(page.contains("A copy was used elsewhere") && !page.contains("class=\"note bad\""), "{page}");
}
