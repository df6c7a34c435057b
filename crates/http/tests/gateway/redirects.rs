//! K08: where a page load without a session is sent back to.

use countersign_testkit::{PASSWORD, Sender};

use crate::scene::Scene;

/// What a client asks for goes into `return_to` encoded, and comes out of the sign-in as a path of our own or not at all.
#[tokio::test]
async fn k08_return_to_stays_on_this_origin() {
    let scene = Scene::new().await;
    scene.site.add_user("ada@example.test", &[]).await;
    for (target, back) in [
        ("/a", "/a"),
        ("/a?b=c&d=%26", "/a?b=c&d=%26"),
        ("//evil.test/a", "/"),
        ("/%5cevil.test", "/"),
        ("/%09/evil.test", "/"),
        ("/..//evil.test", "/"),
        ("/a?https://evil.test", "/a?https://evil.test"),
        ("/a?b='&c=%22%3E%3Cscript%3E", "/a?b="),
    ] {
        let browser = scene.site.client();
        let sent = browser.get(target).sender(Sender::Typed).send().await;
        if sent.status() == 404 {
            // A path that can be read in two ways is nobody's: nothing to come back to.
            continue;
        }
        let location = sent.expect_status(303).header("location").unwrap();
        let query = location.strip_prefix("/auth/login").expect("to our own sign-in page");
        assert!(!query.contains(['"', '<', '>', ' ']), "{location}");
        let page = browser.get(&location).sender(Sender::OwnLink).expect_status(200).await.text();
        assert!(!page.contains("<script>"), "{page}");
        let value = page.split("name=\"return_to\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        let csrf = browser.csrf().await;
        let form = [
            ("_csrf", csrf.as_str()),
            ("email", "ada@example.test"),
            ("password", PASSWORD),
            ("return_to", &value.unwrap_or("").replace("&amp;", "&").replace("&#38;", "&")),
        ];
        let done = browser.post("/auth/login").sender(Sender::OwnForm).form(&form).expect_status(303).await;
        let location = done.header("location").unwrap();
        assert!(location.starts_with('/') && !location.starts_with("//"), "{target}: {location}");
        assert!(location.starts_with(back), "{target}: {location}");
    }
}

/// Only a page load is sent anywhere, and a form's target is not repeated as a GET.
#[tokio::test]
async fn forms_return_to_the_start() {
    let scene = Scene::new().await;
    let form = scene.site.client().post("/a?b=c").sender(Sender::OwnForm).expect_status(303).await;
    assert_eq!(form.header("location").as_deref(), Some("/auth/login"));
}

/// The sign-in page may be the application's own.
#[tokio::test]
async fn login_url_of_the_application() {
    let scene =
        Scene::with(|builder| builder.settings(|s| s.login_url = String::from("/open/login?theme=dark")))
            .await;
    let sent = scene.site.client().get("/a?b=c").sender(Sender::Typed).expect_status(303).await;
    assert_eq!(sent.header("location").as_deref(), Some("/open/login?theme=dark&return_to=/a%3Fb%3Dc"));
}
