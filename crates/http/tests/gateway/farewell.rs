//! What a person reads at the door after their session ended, or when they are asked again (design §4 "Clearing", D13).

use std::time::Duration;

use countersign_core::domain::base62;
use countersign_core::domain::cookie::CookieKind;
use countersign_core::domain::token::checksum;
use countersign_testkit::{Client, PASSWORD, Sender};

use crate::scene::{AFTER_GRACE, Scene};

const TOLD: &str = "A copy of your sign-in was used somewhere else";

/// A browser that was robbed: its copy was spent elsewhere, and the session is dead.
async fn robbed(scene: &Scene) -> Client {
    let browser = scene.stale().await;
    let copy = browser.copy();
    browser.get("/a").expect_status(200).await;
    browser.get("/a").expect_status(200).await;
    scene.site.advance(AFTER_GRACE);
    copy.get("/a").expect(401, "refresh_reused").await;
    browser
}

async fn door(browser: &Client) -> String {
    browser.get("/auth/login?return_to=/a").sender(Sender::OwnLink).expect_status(200).await.text()
}

/// D01: the person robbed is told so, at once and after their cookies were cleared, until they sign in; then their account
/// page says it.
#[tokio::test]
async fn d01_the_robbed_are_told() {
    let scene = Scene::new().await;
    let browser = robbed(&scene).await;
    let answer = browser.get("/a").sender(Sender::Typed).expect_status(303).await;
    assert_eq!(answer.header("location").as_deref(), Some("/auth/login?return_to=/a"));
    answer.sets_no_cookie();
    let page = door(&browser).await;
    assert!(page.contains(TOLD) && page.contains("role=\"status\""), "{page}");

    scene.site.advance(AFTER_GRACE);
    let answer = browser.get("/a").sender(Sender::Typed).expect_status(303).await;
    assert_eq!(answer.deleted().len(), 4);
    let kept = answer.set_cookie("__Host-Http-cs-farewell").unwrap();
    for attribute in ["Max-Age=900", "Secure", "HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(kept.attributes.iter().any(|a| a == attribute), "{attribute} in {:?}", kept.attributes);
    }
    assert!(browser.cookie(CookieKind::Refresh).is_none());
    assert!(door(&browser).await.contains(TOLD));
    browser.log_in("ada@example.test", "wrong wrong wrong wrong").await.expect(401, "invalid_credentials");
    assert!(door(&browser).await.contains(TOLD), "a slip of the hand does not hide it");

    let answer = browser.log_in("ada@example.test", PASSWORD).await.expect_status(200);
    assert_eq!(answer.deleted(), ["__Host-Http-cs-farewell", "__Host-Http-cs-pre"]);
    assert!(!door(&browser).await.contains(TOLD));
    let account = browser.get("/auth/account").sender(Sender::OwnLink).expect_status(200).await.text();
    assert!(account.contains("was used somewhere else, so we ended that session"), "{account}");
    assert!(account.contains("<span class=\"badge alarm\">A copy was used elsewhere</span>"));
}

/// The same session and generation with another tag, and a checksum that fits: only the server can tell.
fn forged(token: &str) -> String {
    let (head, body) = token.split_at("csr_production_".len());
    let mut bytes: [u8; 53] = base62::decode(&body[..72]).unwrap();
    bytes[52] ^= 1;
    let text = format!("{head}{}", base62::encode(&bytes, 72));
    format!("{text}{}", checksum::of(&text))
}

/// Nothing that comes with a link, and no cookie that we did not write, puts words on our page.
#[tokio::test]
async fn nobody_else_puts_words_on_the_page() {
    let scene = Scene::new().await;
    let browser = robbed(&scene).await;
    let refresh = browser.cookie(CookieKind::Refresh).unwrap();
    scene.site.advance(AFTER_GRACE);
    browser.get("/a").sender(Sender::Typed).expect_status(303).await;
    let farewell = browser.cookie(CookieKind::Farewell).unwrap();

    let quiet = |page: String| assert!(!page.contains("role=\"status\""), "{page}");
    let stranger = scene.site.client();
    for link in ["reason=theft", "notice=token_reuse", "ended=1", "return_to=/a&done=session-ended"] {
        let link = format!("/auth/login?{link}");
        quiet(stranger.get(&link).sender(Sender::ForeignLink).expect_status(200).await.text());
    }
    let (head, tail) = farewell.split_at(74);
    let other = if tail == "A" { "E" } else { "A" };
    for (kind, value) in [
        (CookieKind::Farewell, format!("{head}{other}")),
        (CookieKind::Farewell, "A".repeat(75)),
        (CookieKind::Farewell, refresh.clone()),
        (CookieKind::Refresh, forged(&refresh)),
        (CookieKind::Refresh, farewell.clone()),
    ] {
        let liar = scene.site.client();
        liar.put_cookie(kind, &value);
        quiet(door(&liar).await);
    }
    let kept = farewell.clone();
    // The same way with what is genuine, so that the above can fail.
    for (kind, value) in [(CookieKind::Farewell, farewell), (CookieKind::Refresh, refresh)] {
        let owner = scene.site.client();
        owner.put_cookie(kind, &value);
        assert!(door(&owner).await.contains(TOLD));
    }
    // A browser that keeps cookies for too long tells the next person at it nothing.
    scene.site.advance(Duration::from_secs(15 * 60));
    let next = scene.site.client();
    next.put_cookie(CookieKind::Farewell, &kept);
    quiet(door(&next).await);
}

/// Each way to end has its words; one that lives, or that a login of the same browser replaced, has none.
#[tokio::test]
async fn each_end_has_its_words() {
    let scene = Scene::new().await;
    let browser = scene.browser().await;
    browser.drop_cookie(CookieKind::Access);
    assert!(!door(&browser).await.contains("role=\"status\""), "it lives");
    let other = scene.browser_again().await;
    let csrf = other.csrf().await;
    let form = [("_csrf", csrf.as_str())];
    other
        .post("/auth/account/sessions/end-others")
        .sender(Sender::OwnForm)
        .form(&form)
        .expect_status(303)
        .await;
    assert!(door(&browser).await.contains("ended from another of your devices"));

    let replaced = other.copy();
    other.log_in("ada@example.test", PASSWORD).await.expect_status(200);
    assert!(!door(&replaced).await.contains("role=\"status\""), "replaced");

    let third = scene.browser_again().await;
    let csrf = third.csrf().await;
    third.post("/auth/logout/all").sender(Sender::OwnForm).form(&[("_csrf", &csrf)]).expect_status(303).await;
    assert!(door(&other).await.contains("signed out everywhere"));

    let idle = scene.browser_again().await;
    scene.site.advance(Duration::from_secs(8 * 86_400));
    idle.get("/a").sender(Sender::Typed).expect_status(303).await;
    assert!(idle.cookie(CookieKind::Refresh).is_none(), "cleared");
    assert!(door(&idle).await.contains("not used for 7 days"));
}

/// D13: whoever is asked again reads why, and only types the password; nobody else sees whose account it is.
#[tokio::test]
async fn d13_a_step_up_says_so() {
    let scene = Scene::new().await;
    let browser = scene.browser().await;
    let asked = "/auth/login?return_to=/recent/a%3Fb%3Dc";
    let page = browser.get(asked).sender(Sender::OwnLink).expect_status(200).await.text();
    assert!(page.contains("You are signed in as ada@example.test") && !page.contains("Confirm it is you"));
    assert!(page.contains("<a href=\"/recent/a?b=c\">go on as you are</a>"), "{page}");

    scene.site.advance(Duration::from_secs(601));
    let page = browser.get(asked).sender(Sender::OwnLink).expect_status(200).await.text();
    assert!(page.contains("<h1>Confirm it is you</h1>") && page.contains("of the last 10 minutes"), "{page}");
    assert!(page.contains("value=\"ada@example.test\""), "the address is filled in");
    let page =
        browser.get("/auth/login?return_to=/a").sender(Sender::OwnLink).expect_status(200).await.text();
    assert!(!page.contains("Confirm it is you"), "another page asks for nothing");
    let page = scene.site.client().get(asked).sender(Sender::OwnLink).expect_status(200).await.text();
    assert!(!page.contains("Confirm it is you") && !page.contains("ada@"), "a stranger signs in");
    let thief = scene.site.client();
    thief.put_cookie(CookieKind::Refresh, &browser.cookie(CookieKind::Refresh).unwrap());
    let page = thief.get(asked).sender(Sender::OwnLink).expect_status(200).await.text();
    assert!(!page.contains("ada@"), "a copied refresh token alone, which is not judged here, names nobody");

    let csrf = browser.csrf().await;
    let fields = [
        ("_csrf", csrf.as_str()),
        ("email", "ada@example.test"),
        ("password", "no"),
        ("return_to", "/recent/a"),
    ];
    let page =
        browser.post("/auth/login").sender(Sender::OwnForm).form(&fields).expect_status(401).await.text();
    assert!(page.contains("Confirm it is you") && page.contains("is wrong"), "it still says why");
}

/// `/auth/signed-out` is said to nobody who is signed in.
#[tokio::test]
async fn signed_out_is_for_the_signed_out() {
    let scene = Scene::new().await;
    let browser = scene.browser().await;
    let ask = |browser: &Client, sender| browser.get("/auth/signed-out?everywhere=1").sender(sender);
    for _ in ["fresh", "stale"] {
        let answer = ask(&browser, Sender::Typed).expect_status(303).await;
        assert_eq!(answer.header("location").as_deref(), Some("/auth/account"));
        let answer = browser.get("/auth/login").sender(Sender::Typed).expect_status(303).await;
        assert_eq!(answer.header("location").as_deref(), Some("/auth/account"), "nor asked to sign in");
        scene.site.advance(Duration::from_secs(16 * 60));
    }
    ask(&browser, Sender::ForeignLink).expect_status(401).await;
    browser.refresh().await.expect_status(200);
    let csrf = browser.csrf().await;
    let form = [("_csrf", csrf.as_str())];
    let answer = browser.post("/auth/logout").sender(Sender::OwnForm).form(&form).expect_status(303).await;
    let location = answer.header("location").unwrap();
    let page = browser.get(&location).sender(Sender::OwnLink).expect_status(200).await.text();
    assert!(page.contains("You are signed out"));
}
