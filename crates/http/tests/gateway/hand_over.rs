//! A session that the application opened, handed over on its answer: by its own key, to whom asked at our own pages, once; and by
//! nobody else (B09, C05, C09, D09).

use countersign_core::domain::api_key::ApiKeyId;
use countersign_core::domain::cookie::CookieKind;
use countersign_core::domain::event::EventName;
use countersign_core::domain::route::{RouteAuth, RouteRule};
use countersign_core::domain::token::api_key::ApiKeyToken;
use countersign_core::service::{Context, Target};
use countersign_testkit::{Answer, Builder, Client, Mode, Request, Sender, TestSite, TestUpstream};
use serde_json::{Value, json};

use crate::scene::{AFTER_GRACE, LAPSE};

const ADA: &str = "ada@example.test";
const EVE: &str = "eve@example.test";
const APP: &str = "app@example.test";
const HERE: &[&str] = &["127.0.0.0/8", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"];

/// A site whose one application signs people in itself. Keys are in the store, so the second start of a site knows those of the first.
struct Scene {
    site: TestSite,
    upstream: TestUpstream,
    key: String,
    other_key: String,
}

fn rule(auth: RouteAuth) -> RouteRule {
    RouteRule { auth, ..RouteRule::protected(0) }
}

fn routes(builder: Builder) -> Builder {
    builder
        .route("/*", rule(RouteAuth::Optional))
        .route("/mine/*", rule(RouteAuth::Required))
        .route("/open/*", rule(RouteAuth::None))
}

fn id_of(key: &str, site: &TestSite) -> ApiKeyId {
    ApiKeyToken::parse(key, site.site.engine().environment()).unwrap().id()
}

impl Scene {
    async fn new() -> Self {
        let upstream = TestUpstream::start().await;
        let first = TestSite::production().start().await;
        for user in [ADA, EVE, APP] {
            first.add_user(user, &[]).await;
        }
        let key = first.api_key(APP, &["sessions:open"], HERE).await;
        let other_key = first.api_key(APP, &["sessions:open"], HERE).await;
        let id = id_of(&key, &first);
        let builder = TestSite::production().outside(first.outside.clone()).upstream(upstream.origin());
        let site = routes(builder)
            .settings(move |settings| settings.upstreams[0].session_keys = vec![id])
            .start()
            .await;
        Self { site, upstream, key, other_key }
    }

    /// What the application is told when it opens a session.
    async fn opened(&self, key: &str, email: &str) -> Value {
        let body = json!({ "user": { "email": email, "email_verified": true }, "handover": true });
        let ask = self.site.client().post("/auth/sessions").sender(Sender::Bare).bearer(key).json(&body);
        ask.expect_status(201).await.sets_no_cookie().json()
    }

    async fn code(&self, email: &str) -> String {
        self.opened(&self.key, email).await["handover"].as_str().unwrap().to_owned()
    }
}

fn target(path: &str, code: &str) -> String {
    format!("{path}?header=countersign-session:{code}")
}

/// The browser signs in at the application, which answers with a code.
fn sign_in(browser: &Client, code: &str) -> Request {
    browser.post(&target("/login", code)).json(&json!({}))
}

async fn user(scene: &Scene, browser: &Client) -> String {
    browser.get("/mine/a").expect_status(200).await;
    scene.upstream.last().header("x-auth-user").unwrap()
}

/// The header ends at the gateway, whatever became of it.
fn hides(answer: &Answer) {
    assert!(answer.header("countersign-session").is_none());
}

#[tokio::test]
async fn a_session_is_handed_over() {
    let scene = Scene::new().await;
    let opened = scene.opened(&scene.key, ADA).await;
    assert!(opened.get("cookies").is_none(), "nothing that could be presented");
    let code = opened["handover"].as_str().unwrap();
    let browser = scene.site.client();
    let answer = sign_in(&browser, code).expect_status(200).await;
    hides(&answer);
    assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"));
    let seen = user(&scene, &browser).await;
    assert_eq!(opened["user"]["id"], seen);
    // A session like any other.
    let body = browser.get("/auth/session").expect_status(200).await.json();
    assert_eq!(body["session"]["id"], opened["session"]["id"]);
    browser.csrf().await;
    scene.site.advance(LAPSE);
    assert_eq!(user(&scene, &browser).await, seen);
    browser.log_out().await.expect_status(204);
    browser.get("/mine/a").expect(401, "token_missing").await;
}

/// Once: neither the same browser nor another one gets anything for it again, at once or later, and the session goes on.
#[tokio::test]
async fn d01_a_code_works_once() {
    let scene = Scene::new().await;
    let code = scene.code(ADA).await;
    let (browser, thief) = (scene.site.client(), scene.site.client());
    sign_in(&browser, &code).expect_status(200).await;
    for _ in 0..2 {
        for late in [&thief, &browser] {
            let answer = sign_in(late, &code).expect(502, "upstream_unavailable").await.sets_no_cookie();
            assert!(answer.header("countersign-session").is_none());
        }
        assert!(thief.cookies().is_empty());
        scene.site.advance(AFTER_GRACE);
    }
    user(&scene, &browser).await;
    let events = scene.site.events().await;
    assert!(events.iter().any(|event| &*event.reason == "hand_over_code"));
}

/// Two browsers at the same instant: one of them.
#[tokio::test]
async fn d02_a_code_is_exchanged_once_in_a_race() {
    let scene = Scene::new().await;
    let code = scene.code(ADA).await;
    let browsers: Vec<Client> = (0..16).map(|_| scene.site.client()).collect();
    let all = browsers.iter().map(|browser| sign_in(browser, &code).send());
    let answers = futures_util::future::join_all(all).await;
    assert_eq!(answers.iter().filter(|answer| answer.status() == 200).count(), 1);
    let holders: Vec<_> =
        browsers.iter().filter(|browser| browser.cookie(CookieKind::Refresh).is_some()).collect();
    assert_eq!(holders.len(), 1);
    user(&scene, holders[0]).await;
}

/// C05, C09: another site's form with the attacker's password signs nobody in, nor does a link; and what was opened ends.
#[tokio::test]
async fn c09_login_csrf() {
    let scene = Scene::new().await;
    let victim = scene.site.client();
    let foreign =
        [Sender::ForeignForm, Sender::ForeignFetch, Sender::SiblingForm, Sender::SiblingFetch, Sender::Bare];
    for sender in foreign {
        let code = scene.code(EVE).await;
        let answer = sign_in(&victim, &code).sender(sender).expect_status(403).await.sets_no_cookie();
        hides(&answer);
        // It is dead: at our own pages it is worth nothing either.
        sign_in(&victim, &code).expect(502, "upstream_unavailable").await;
    }
    // A link in a mail, in a page of anybody's, or of our own.
    for sender in [Sender::ForeignLink, Sender::OwnLink, Sender::Typed, Sender::OwnFetch] {
        let link = victim.get(&target("/login", &scene.code(EVE).await)).sender(sender);
        assert_eq!(link.send().await.sets_no_cookie().status(), 403, "{sender:?}");
    }
    assert!(victim.cookies().is_empty());
    let events = scene.site.events().await;
    assert!(events.iter().any(|event| event.name == EventName::MaliciousCsrf && &*event.reason == "sign_in_from_elsewhere"));
    assert!(events.iter().any(|event| &*event.reason == "hand_over_refused"));
}

/// D09: the session that the browser held is over, however it was held, and is not handed on beside the new one.
#[tokio::test]
async fn d09_the_old_session_ends() {
    for stale in [false, true] {
        let scene = Scene::new().await;
        let browser = scene.site.client();
        sign_in(&browser, &scene.code(EVE).await).expect_status(200).await;
        let (eve, copy) = (user(&scene, &browser).await, browser.cookie(CookieKind::Refresh).unwrap());
        if stale {
            // It is rotated on the way in, and its tokens must not come out.
            scene.site.advance(LAPSE);
        }
        let code = scene.code(ADA).await;
        let answer = sign_in(&browser, &code).expect_status(200).await;
        let sets = answer
            .set_cookies()
            .iter()
            .filter(|c| c.name == scene.site.cookie_name(CookieKind::Refresh))
            .count();
        assert_eq!(sets, 1, "stale: {stale}");
        assert_ne!(user(&scene, &browser).await, eve);
        let old = scene.site.client();
        old.put_cookie(CookieKind::Refresh, &copy);
        old.get("/mine/a").expect(401, "session_revoked").await;
    }
}

/// The end of the session that is replaced is not the end of the answer that replaces it.
#[tokio::test]
async fn d09_the_answer_that_replaces_a_session_arrives() {
    let scene = Scene::new().await;
    let browser = scene.site.client();
    sign_in(&browser, &scene.code(EVE).await).expect_status(200).await;
    let eve = user(&scene, &browser).await;
    let streamed = format!("{}&late_ms=100", target("/login", &scene.code(ADA).await));
    let answer = browser.post(&streamed).json(&json!({})).expect_status(200).await;
    assert_eq!(answer.json()["path"], "/login", "all of it");
    assert_ne!(user(&scene, &browser).await, eve);
}

/// An upstream can hand over what was opened with a key that the configuration names for it, and nothing else: not what it made up, not what
/// it saw of another application, not what lies about.
#[tokio::test]
async fn b09_no_upstream_plants_a_session() {
    let scene = Scene::new().await;
    let browser = scene.site.client();
    let foreign = scene.opened(&scene.other_key, EVE).await["handover"].as_str().unwrap().to_owned();
    let good = scene.code(ADA).await;
    let mut damaged = good.clone().into_bytes();
    damaged[40] = if damaged[40] == b'A' { b'B' } else { b'A' };
    let damaged = String::from_utf8(damaged).unwrap();
    let eve = scene.site.client();
    sign_in(&eve, &scene.code(EVE).await).expect_status(200).await;
    let cookies =
        [CookieKind::Refresh, CookieKind::Access, CookieKind::Csrf].map(|kind| eve.cookie(kind).unwrap());
    let long = "x".repeat(4000);
    for code in [&foreign, &damaged, &cookies[0], &cookies[1], &cookies[2], "", "A", &long, &good[..40]] {
        let answer = sign_in(&browser, code).expect(502, "upstream_unavailable").await.sets_no_cookie();
        hides(&answer);
    }
    let twice = format!("{}&header=countersign-session:{good}", target("/login", &good));
    browser.post(&twice).json(&json!({})).expect(502, "upstream_unavailable").await;
    // Where no cookies are read none are set; and a client's own header counts for nothing.
    let answer = browser
        .post(&target("/open/login", &good))
        .json(&json!({}))
        .expect_status(200)
        .await
        .sets_no_cookie();
    assert!(answer.header("countersign-session").is_none());
    browser
        .post("/login")
        .json(&json!({}))
        .header("countersign-session", &good)
        .expect_status(200)
        .await
        .sets_no_cookie();
    assert!(scene.upstream.last().header("countersign-session").is_none());
    assert!(browser.cookies().is_empty());
    sign_in(&browser, &good).expect_status(200).await;
}

/// Nothing is handed over for an application that the configuration names no key for: as before.
#[tokio::test]
async fn b09_by_configuration_only() {
    let scene = Scene::new().await;
    let builder =
        TestSite::production().outside(scene.site.outside.clone()).upstream(scene.upstream.origin());
    let silent = routes(builder).start().await;
    let browser = silent.client();
    let code = scene.code(ADA).await;
    let answer = sign_in(&browser, &code).expect_status(200).await.sets_no_cookie();
    assert!(answer.header("countersign-session").is_none() && browser.cookies().is_empty());
}

/// D06, D11, K11: late, revoked or with no store to ask: no session.
#[tokio::test]
async fn k11_late_revoked_or_without_a_store() {
    let scene = Scene::new().await;
    let browser = scene.site.client();
    let code = scene.code(ADA).await;
    scene.site.advance(std::time::Duration::from_secs(60));
    sign_in(&browser, &code).expect(502, "upstream_unavailable").await;
    let code = scene.code(ADA).await;
    scene.site.site.engine().revoke(&Target::Everyone, &Context::default()).await.unwrap();
    sign_in(&browser, &code).expect(502, "upstream_unavailable").await;
    let code = scene.code(ADA).await;
    scene.site.outside.store.set(Mode::Unavailable);
    sign_in(&browser, &code).expect(503, "store_unavailable").await;
    scene.site.outside.store.set(Mode::Working);
    assert!(browser.cookies().is_empty());
    sign_in(&browser, &code).expect_status(200).await;
}
