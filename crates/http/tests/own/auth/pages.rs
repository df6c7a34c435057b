//! The pages: policy, nonce, bounce, what is written into them.

use std::collections::HashSet;

use countersign_core::domain::cookie::CookieKind;
use countersign_testkit::{Client, Sender, TestSite};

const ADA: &str = "ada@example.com";

async fn page(client: &Client, target: &str) -> (String, String) {
    let answer = client.get(target).sender(Sender::OwnLink).expect_status(200).await;
    assert_eq!(answer.header("content-type").as_deref(), Some("text/html; charset=utf-8"), "{target}");
    (answer.header("content-security-policy").unwrap(), answer.text())
}

/// J01: every page has a policy with a fresh nonce, and every script of the page carries it; nothing is inline otherwise.
#[tokio::test]
async fn j01_policy_and_nonce() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    let nobody = site.client();
    nobody.sign_up("new@example.com", countersign_testkit::PASSWORD).await.expect_status(202);
    let mail = site.outside.mailer.last_to("new@example.com").unwrap();
    let confirm = format!("/auth/confirm?code={}", mail.code().unwrap());
    let mut nonces = HashSet::new();
    let targets = [
        (&nobody, "/auth/login"),
        (&nobody, "/auth/login?return_to=/inbox"),
        (&nobody, "/auth/signup"),
        (&nobody, confirm.as_str()),
        (&nobody, "/auth/signed-out"),
        (&client, "/auth/account"),
    ];
    for (client, target) in targets.into_iter().chain(targets) {
        let (policy, text) = page(client, target).await;
        for directive in [
            "'strict-dynamic'",
            "object-src 'none'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
            "require-trusted-types-for 'script'",
        ] {
            assert!(policy.contains(directive), "{target}: {directive} is missing in {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
        assert!(nonce.len() >= 22, "{nonce}");
        for script in text.split("<script").skip(1) {
            let tag = script.split('>').next().unwrap();
            assert!(tag.contains(&format!("nonce=\"{nonce}\"")), "{target}: <script{tag}>");
        }
        for inline in [" onclick=", " onload=", " onsubmit=", "javascript:", " style=\"", "<style"] {
            assert!(!text.contains(inline), "{target}: {inline}");
        }
        assert!(nonces.insert(nonce), "{target}: the nonce came twice");
    }
}

/// J01, I04: what a request says is written as text.
#[tokio::test]
async fn input_is_escaped() {
    let site = TestSite::production().start().await;
    let client = site.client();
    let csrf = client.csrf().await;
    let evil = "\"><script>alert(1)</script>";
    let form = [("_csrf", csrf.as_str()), ("email", evil), ("password", "x"), ("return_to", "/\"><script>")];
    let answer = client.post("/auth/login").sender(Sender::OwnForm).form(&form).expect_status(401).await;
    assert!(!answer.text().contains("<script>alert"), "{}", answer.text());
    let (_, text) = page(&client, "/auth/login?return_to=/%22%3E%3Cscript%3E").await;
    assert!(!text.contains("\"><script>"));
}

/// Design §4 "Bounce": a link from another site to a page of ours is reloaded from our own page, once.
#[tokio::test]
async fn account_is_bounced_in() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    let answer = client.get("/auth/account").sender(Sender::ForeignLink).expect_status(401).await;
    assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"));
    assert!(answer.text().contains("<script"));
    let names: Vec<_> =
        answer.set_cookies().into_iter().map(|c| (c.name.clone(), c.attributes.clone())).collect();
    let expected = ["Path=/", "Max-Age=10", "Secure", "HttpOnly", "SameSite=Lax"];
    assert_eq!(names, [("__Host-cs-bounced".to_owned(), expected.map(str::to_owned).to_vec())]);
    let vary = answer.header("vary").unwrap();
    assert!(vary.contains("Cookie") && vary.contains("Sec-Fetch-Site"), "{vary}");
    client.get("/auth/account").sender(Sender::OwnLink).expect_status(200).await;
    // Still without its Strict cookies: nothing loops.
    let again = client.get("/auth/account").sender(Sender::ForeignLink).expect_status(303).await;
    assert_eq!(again.header("location").as_deref(), Some("/auth/login?return_to=/auth/account"));
    again.clears_nothing();
}

/// A mail's link to the sign-in page does not ask somebody to sign in who is.
#[tokio::test]
async fn sign_in_is_bounced_in() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    client.get("/auth/login").sender(Sender::ForeignLink).expect_status(401).await;
    let answer = client.get("/auth/login").sender(Sender::OwnLink).expect_status(303).await;
    assert_eq!(answer.header("location").as_deref(), Some("/auth/account"));
    // Still without its Strict cookies, or never signed in here: the form.
    client.get("/auth/login").sender(Sender::ForeignLink).expect_status(200).await;
    site.client().get("/auth/login").sender(Sender::ForeignLink).expect_status(200).await;
}

#[tokio::test]
async fn login_page_sends_the_signed_in_on() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    let answer = client.get("/auth/login").sender(Sender::OwnLink).expect_status(303).await;
    assert_eq!(answer.header("location").as_deref(), Some("/auth/account"));
    let (_, text) = page(&site.client(), "/auth/login?return_to=/inbox").await;
    assert!(text.contains("value=\"/inbox\""));
    assert!(text.contains("name=\"_csrf\""));
    let (_, text) = page(&site.client(), "/auth/login?return_to=https://evil.test/").await;
    assert!(!text.contains("evil.test"), "K08");
}

/// Works with script off: the form's own token is in the page, and belongs to the cookie set with it.
#[tokio::test]
async fn the_page_works_without_script() {
    let site = TestSite::production().start().await;
    site.add_user(ADA, &[]).await;
    let client = site.client();
    let (_, text) = page(&client, "/auth/login").await;
    let field = text.split("name=\"_csrf\"").nth(1).unwrap();
    let csrf = field.split("value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let form = [("_csrf", csrf.as_str()), ("email", ADA), ("password", countersign_testkit::PASSWORD)];
    client.post("/auth/login").sender(Sender::OwnForm).form(&form).expect_status(303).await;
    assert!(client.cookie(CookieKind::Refresh).is_some());
    client.get("/auth/account").sender(Sender::OwnLink).expect_status(200).await;
}

/// Assets are files by name, nothing else.
#[tokio::test]
async fn assets() {
    let site = TestSite::production().start().await;
    let (_, text) = page(&site.client(), "/auth/login").await;
    let sheet = text.split("href=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert!(sheet.starts_with("/auth/assets/"), "{sheet}");
    let answer = site.client().get(&sheet).expect_status(200).await.sets_no_cookie();
    assert!(answer.header("cache-control").unwrap().starts_with("public"));
    for name in ["nothing.css", "..%2f..%2fCargo.toml", "%2e%2e", "a/b"] {
        site.client().get(&format!("/auth/assets/{name}")).expect(404, "not_found").await;
    }
}
