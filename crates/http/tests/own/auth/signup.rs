//! POST `/auth/signup` and `/auth/confirm`.

use countersign_core::domain::cookie::CookieKind;
use countersign_core::domain::event::EventName;
use countersign_core::domain::policy::SignUp;
use countersign_testkit::{PASSWORD, Sender, TestSite};

use crate::{MINUTE, assert_event};

mod invitation;

const ADA: &str = "ada@example.com";

/// Design §7: development signs up and in at once, and counts as verified.
#[tokio::test]
async fn development_opens_a_session() {
    let site = TestSite::development().start().await;
    let client = site.client();
    let body = client.sign_up(ADA, PASSWORD).await.expect_status(201).json();
    assert_eq!(body["user"]["email_verified"], true);
    assert!(body["csrf_token"].is_string());
    client.get("/auth/session").expect_status(200).await;
    assert_event(&site, EventName::UserCreated, "created").await;
    let taken = site.client().sign_up(ADA, PASSWORD).await.expect(409, "invalid_request");
    taken.clears_nothing();
}

/// Design §7, F06: hardened environments answer by mail, and alike for a free and a taken address.
#[tokio::test]
async fn f06_hardened_sign_up_tells_nothing() {
    let site = TestSite::production().start().await;
    site.add_user("taken@example.com", &[]).await;
    let mut seen = Vec::new();
    for email in ["taken@example.com", "free@example.com"] {
        let before = site.outside.hasher.evaluated();
        let answer = site.client().sign_up(email, PASSWORD).await.expect_status(202);
        let mut headers: Vec<_> = answer
            .headers()
            .iter()
            .filter(|(n, _)| !matches!(n.as_str(), "date" | "x-request-id"))
            .map(|(n, v)| (n.to_string(), v.to_str().unwrap().to_owned()))
            .collect();
        headers.sort();
        let mails = site.outside.mailer.sent().iter().filter(|m| m.to == email).count();
        let cookies = answer.set_cookies();
        seen.push((answer.text(), headers, site.outside.hasher.evaluated() - before, mails, cookies.len()));
    }
    assert_eq!(seen[0], seen[1], "status, body, headers, hashing and mail are the same");
    assert_eq!((seen[0].2, seen[0].3, seen[0].4), (1, 1, 0), "one hash, one mail, no cookie");
    let mail = site.outside.mailer.last_to("taken@example.com").unwrap();
    assert_eq!(mail.code(), None, "no code for an account that exists");
    // Nothing exists until the link is used.
    site.client().log_in("free@example.com", PASSWORD).await.expect(401, "invalid_credentials");
}

/// B08, F09: the link shows a button and changes nothing; the button works once, for half an hour, and signs nobody in.
#[tokio::test]
async fn b08_the_mailed_link() {
    let site = TestSite::production().start().await;
    site.client().sign_up(ADA, PASSWORD).await.expect_status(202);
    let mail = site.outside.mailer.last_to(ADA).unwrap();
    let code = mail.code().unwrap().to_owned();
    assert!(
        mail.body.contains("https://app.countersign.test/auth/confirm?code="),
        "the URL is from configuration"
    );

    let reader = site.client();
    drop(site.outside.store.take_writes());
    let link = format!("/auth/confirm?code={code}");
    let page = reader.get(&link).sender(Sender::ForeignLink).expect_status(200).await.text();
    assert!(page.contains(ADA), "it says which address");
    assert!(site.outside.store.take_writes().is_empty(), "mail scanners open links too");

    let csrf = reader.csrf().await;
    let press = |csrf: &str, code: &str| {
        reader.post("/auth/confirm").sender(Sender::OwnForm).form(&[
            ("_csrf", csrf),
            ("code", code),
            ("password", PASSWORD),
        ])
    };
    press("", &code).expect_status(403).await;
    press(&csrf, &code.to_lowercase()).expect_status(400).await;
    let done = press(&csrf, &code).expect_status(200).await;
    assert_eq!(reader.cookie(CookieKind::Refresh), None, "no automatic login");
    done.sets_no_cookie();
    press(&csrf, &code).expect_status(400).await;
    reader.get(&link).sender(Sender::ForeignLink).expect_status(400).await;
    let me = site.client().log_in(ADA, PASSWORD).await.expect_status(200).json();
    assert_eq!(me["user"]["email_verified"], true);

    site.client().sign_up("late@example.com", PASSWORD).await.expect_status(202);
    let late = site.outside.mailer.last_to("late@example.com").unwrap().code().unwrap().to_owned();
    site.advance(MINUTE * 31);
    press(&csrf, &late).expect_status(400).await;
    site.client().log_in("late@example.com", PASSWORD).await.expect(401, "invalid_credentials");
}

/// F06, F08, F09: somebody signs a stranger up with a password of their own. The owner, who opens that mail beside theirs, does
/// not give them an account: each link takes the password that was chosen with it, and a wrong one costs nothing but time.
#[tokio::test]
async fn f09_a_link_takes_the_password_that_was_chosen_with_it() {
    const THEIRS: &str = "the attacker chose this one";
    let site = TestSite::production().policy(|p| p.account_throttle.free = 2).start().await;
    site.client().sign_up(ADA, PASSWORD).await.expect_status(202);
    let own = site.outside.mailer.last_to(ADA).unwrap();
    assert!(!own.body.contains("before"), "{}", own.body);
    site.client().at("198.51.100.9").sign_up(ADA, THEIRS).await.expect_status(202);
    let planted = site.outside.mailer.last_to(ADA).unwrap();
    assert!(planted.body.contains("sign up before"), "{}", planted.body);

    let reader = site.client();
    let csrf = reader.csrf().await;
    let press = |code: &str, password: &str| {
        let fields = [("_csrf", csrf.as_str()), ("code", code), ("password", password)];
        reader.post("/auth/confirm").sender(Sender::OwnForm).form(&fields)
    };
    let code = planted.code().unwrap();
    for password in [PASSWORD, ""] {
        let page = press(code, password).expect_status(401).await.text();
        assert!(page.contains("not the password") && page.contains(ADA), "{page}");
    }
    assert_event(&site, EventName::LoginFail, "sign_up_password").await;
    let hashed = site.outside.hasher.evaluated();
    press(code, THEIRS).expect_status(429).await;
    assert_eq!(site.outside.hasher.evaluated(), hashed, "refused before it is hashed");
    assert_event(&site, EventName::RateLimit, "sign_up_password").await;
    for password in [PASSWORD, THEIRS] {
        site.client().log_in(ADA, password).await.expect(401, "invalid_credentials");
    }

    site.advance(MINUTE * 2);
    press(own.code().unwrap(), PASSWORD).expect_status(200).await;
    site.client().log_in(ADA, THEIRS).await.expect(401, "invalid_credentials");
    site.advance(MINUTE * 2);
    site.client().log_in(ADA, PASSWORD).await.expect_status(200);
    // Whoever knows both, mail and password, comes late: the account that exists stays as it is.
    site.advance(MINUTE * 2);
    press(code, THEIRS).expect_status(200).await;
    site.advance(MINUTE * 2);
    site.client().log_in(ADA, THEIRS).await.expect(401, "invalid_credentials");
}

/// F06: three mails an hour to one address, from wherever they are asked for; the answer stays the same.
#[tokio::test]
async fn f06_nobody_fills_an_inbox() {
    let site = TestSite::production().start().await;
    site.add_user("taken@example.com", &[]).await;
    let ask = async |email: &str, n: u8| {
        site.client().at(&format!("198.51.{n}.9")).sign_up(email, PASSWORD).await.expect_status(202).text()
    };
    let mails = |to: &str| site.outside.mailer.sent().iter().filter(|m| m.to == to).count();
    for email in ["taken@example.com", ADA] {
        let answers: Vec<String> = vec![
            ask(email, 1).await,
            ask(email, 2).await,
            ask(email, 3).await,
            ask(email, 4).await,
            ask(email, 5).await,
        ];
        assert!(answers.iter().all(|a| *a == answers[0]), "{answers:?}");
        assert_eq!(mails(email), 3, "{email}");
    }
    assert_event(&site, EventName::RateLimit, "sign_up_mail").await;
    site.advance(MINUTE * 61);
    ask(ADA, 6).await;
    assert_eq!(mails(ADA), 4);
}

/// F09: the mail's link comes from configuration, whatever Host or forwarding headers say.
#[tokio::test]
async fn f09_host_cannot_be_spoofed_into_mail() {
    let site = TestSite::production().start().await;
    let client = site.client();
    client.csrf().await;
    let body = serde_json::json!({ "email": ADA, "password": PASSWORD });
    let spoofed = client.post("/auth/signup").with_csrf().header("host", "evil.test").json(&body);
    spoofed.expect(421, "invalid_request").await;
    let forwarded =
        client.post("/auth/signup").with_csrf().header("x-forwarded-host", "evil.test").json(&body);
    forwarded.expect_status(202).await;
    assert!(!site.outside.mailer.last_to(ADA).unwrap().body.contains("evil.test"));
}

/// F06: a mail that fails must not tell a free address from a taken one.
#[tokio::test]
async fn f06_a_failing_mailer_shows_nothing() {
    let site = TestSite::production().start().await;
    site.outside.mailer.set_failing(true);
    site.client().sign_up(ADA, PASSWORD).await.expect_status(202);
}

/// F01, F03: length counts code points, nothing is composed, and the answer says why.
#[tokio::test]
async fn f01_f03_weak_passwords() {
    let site = TestSite::development().start().await;
    let long = "long and longer ".repeat(65);
    for (password, says) in [
        ("short", "at least 15"),
        ("fourteen chars", "at least 15"),
        ("🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀", "at least 15"),
        ("passwordpassword", "attackers"),
        ("PasswordPassword", "attackers"),
        ("aaaaaaaaaaaaaaaa", "repeats"),
        ("countersigncountersign", "name of this site"),
        ("ada@example.com", "your address"),
        (long.as_str(), "longer than 1024"),
        ("", "empty"),
    ] {
        let answer = site.client().sign_up(ADA, password).await.expect(422, "password_too_weak");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(says), "{password:?}: {detail}");
        answer.sets_no_cookie();
    }
    for (n, password) in [
        "fifteen chars!!",
        " with  spaces at both ends ",
        "zwölf Boxkämpfer jagen",
        "🦀🐙🦑🦐🦞🐠🐟🐡🐬🦈🐳🐋🐊🐅🐆",
    ]
    .into_iter()
    .enumerate()
    {
        let email = format!("user{n}@example.com");
        site.client().sign_up(&email, password).await.expect_status(201);
        site.client().log_in(&email, password).await.expect_status(200);
    }
}

#[tokio::test]
async fn addresses_are_checked() {
    let site = TestSite::development().start().await;
    for bad in ["", "a", "a@", "a b@c.d", "a@b\r\nBcc: x@y.z", "<a@b.c>"] {
        site.client().sign_up(bad, PASSWORD).await.expect(400, "invalid_request");
    }
    assert!(site.outside.mailer.sent().is_empty());
}

/// Design §7: closed is 403, for everybody alike.
#[tokio::test]
async fn signup_closed() {
    let site = TestSite::production().policy(|p| p.sign_up = SignUp::Off).start().await;
    site.add_user("taken@example.com", &[]).await;
    for email in ["taken@example.com", ADA] {
        site.client().sign_up(email, PASSWORD).await.expect(403, "signup_closed");
    }
    site.client().get("/auth/signup").sender(Sender::Typed).expect_status(403).await;
}

/// Sign-up is throttled by network.
#[tokio::test]
async fn sign_up_is_throttled() {
    let site = TestSite::production().policy(|p| p.network_throttle.free = 3).start().await;
    let client = site.client();
    for n in 0..3 {
        client.sign_up(&format!("u{n}@example.com"), PASSWORD).await.expect_status(202);
    }
    let answer = client.sign_up("u4@example.com", PASSWORD).await.expect(429, "rate_limited");
    assert!(answer.header("retry-after").is_some());
    client.clone().at("198.51.100.9").sign_up("u5@example.com", PASSWORD).await.expect_status(202);
}
