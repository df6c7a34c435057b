//! A session cookie of the upstream, set before login too, as Django and Rails do.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use countersign_core::domain::cookie::CookieKind;
use countersign_core::port::Store;
use countersign_testkit::{Sender, TestSite, TestUpstream};
use http::Response;
use serde_json::json;

use crate::scene::{Said, before, everything, rules, said};

/// Server-rendered: a session cookie with the first page, another after login (or, if it is careless, the same one).
struct Pages {
    next: AtomicU64,
    renews: bool,
    /// (cookie, user).
    sessions: Mutex<Vec<(String, Option<String>)>>,
}

impl Pages {
    fn set(&self, mut answer: Said, value: &str) -> Said {
        let cookie = format!("sid={value}; Path=/; HttpOnly; Max-Age=1209600");
        answer.headers_mut().append("set-cookie", cookie.parse().unwrap());
        answer
    }

    fn open(&self, user: Option<String>) -> String {
        let value = format!("server-session-{}", self.next.fetch_add(1, Ordering::SeqCst));
        self.sessions.lock().unwrap().push((value.clone(), user));
        value
    }
}

async fn scene(renews: bool) -> (TestSite, TestUpstream, Arc<Pages>) {
    let pages = Arc::new(Pages { next: AtomicU64::new(0), renews, sessions: Mutex::default() });
    let behind = Arc::clone(&pages);
    let upstream = TestUpstream::app(move |seen, body| {
        let sent = seen.header("cookie").unwrap_or_default();
        let sid = sent.split("; ").find_map(|pair| pair.strip_prefix("sid=")).unwrap_or_default().to_owned();
        let known = behind.sessions.lock().unwrap().iter().find(|(value, _)| *value == sid).cloned();
        match (seen.method.as_str(), seen.target.as_str()) {
            ("POST", "/login") if body.as_ref() == b"user=7" => {
                let found =
                    Response::builder().status(302).header("location", "/home").body("".into()).unwrap();
                if behind.renews || known.is_none() {
                    let fresh = behind.open(Some(String::from("7")));
                    return behind.set(found, &fresh);
                }
                behind
                    .sessions
                    .lock()
                    .unwrap()
                    .iter_mut()
                    .filter(|(value, _)| *value == sid)
                    .for_each(|s| s.1 = Some(String::from("7")));
                found
            }
            ("POST", "/login") => {
                Response::builder().status(302).header("location", "/login?error").body("".into()).unwrap()
            }
            ("POST", "/api/logout") => {
                let gone = said(200, &json!({}));
                let mut answer = gone;
                answer.headers_mut().append("set-cookie", "sid=; Path=/; Max-Age=0".parse().unwrap());
                answer
            }
            ("GET", "/vanish") => {
                let mut answer = said(200, &json!({}));
                let gone = "sid=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT";
                answer.headers_mut().append("set-cookie", gone.parse().unwrap());
                answer
            }
            _ => match known {
                Some((_, user)) => said(200, &json!({"user": user, "sid": sid})),
                None => {
                    let fresh = behind.open(None);
                    behind.set(said(200, &json!({"user": null, "sid": fresh})), &fresh)
                }
            },
        }
    })
    .await;
    (before(&upstream, rules("cookie:sid")).start().await, upstream, pages)
}

/// Held back from the browser from the first page on, and injected from there on.
#[tokio::test]
async fn a_session_of_before_login_is_held_back() {
    let (site, _upstream, pages) = scene(true).await;
    let client = site.client();
    let first = client.get("/").sender(Sender::Typed).expect_status(200).await;
    assert!(!everything(&first).contains("sid=server"), "{}", everything(&first));
    assert!(client.cookie(CookieKind::PreSession).is_some() && client.cookie(CookieKind::Access).is_none());
    let second = client.get("/").expect_status(200).await;
    assert_eq!(second.json()["sid"], first.json()["sid"], "the same session upstream");
    assert_eq!(pages.sessions.lock().unwrap().len(), 1);
    // It is nobody's login: what asks for a session asks for one still.
    client.get("/required/x").expect(401, "token_missing").await;
    // Another browser is another visitor; what it brings itself is never adopted (D09).
    let other = site.client();
    other.put_cookie(CookieKind::PreSession, "AAAAAAAAAAAAAAAAAAAAAA");
    let theirs = other
        .get("/")
        .header("cookie", "sid=server-session-0; __Host-Http-cs-pre=AAAAAAAAAAAAAAAAAAAAAA")
        .send()
        .await;
    assert_ne!(theirs.json()["sid"], first.json()["sid"]);
    assert_ne!(other.cookie(CookieKind::PreSession).as_deref(), Some("AAAAAAAAAAAAAAAAAAAAAA"));
}

/// D09: a login is a new session of ours, whether or not the upstream changes its own.
#[tokio::test]
async fn d09_fixation_is_impossible() {
    for renews in [true, false] {
        let (site, upstream, _pages) = scene(renews).await;
        let client = site.client();
        client.get("/").expect_status(200).await;
        let before = client.copy();
        let answer = client
            .post("/login")
            .body("application/x-www-form-urlencoded", "user=7")
            .expect_status(302)
            .await;
        assert!(answer.set_cookie("sid").is_none());
        assert!(
            client.cookie(CookieKind::Access).is_some() && client.cookie(CookieKind::PreSession).is_none()
        );
        assert_eq!(client.get("/").expect_status(200).await.json()["user"], "7");
        client.get("/required/x").expect_status(200).await;
        // Whoever planted, or copied, the session of before has nothing of it.
        assert_eq!(before.get("/").send().await.json()["user"], json!(null), "{renews}");
        // A second login replaces the first.
        let copy = client.copy();
        client.post("/login").body("application/x-www-form-urlencoded", "user=7").expect_status(302).await;
        copy.get("/required/x").expect(401, "session_revoked").await;
        assert_eq!(client.get("/").expect_status(200).await.json()["user"], "7");
        assert!(upstream.last().header("cookie").unwrap().starts_with("sid=server-session-"));
    }
}

/// A form that comes back is no login.
#[tokio::test]
async fn a_login_that_fails_opens_nothing() {
    let (site, _upstream, _pages) = scene(true).await;
    let client = site.client();
    client.get("/").expect_status(200).await;
    client.post("/login").body("application/x-www-form-urlencoded", "user=wrong").expect_status(302).await;
    assert!(client.cookie(CookieKind::Access).is_none());
    client.get("/required/x").expect(401, "token_missing").await;
}

/// The upstream ends its session: ours ends with it.
#[tokio::test]
async fn the_upstream_ends_it() {
    for way in ["/vanish", "/api/logout"] {
        let (site, _upstream, _pages) = scene(true).await;
        let client = site.client();
        client.post("/login").body("application/x-www-form-urlencoded", "user=7").expect_status(302).await;
        client.get("/required/x").expect_status(200).await;
        let answer = match way {
            "/vanish" => client.get(way).expect_status(200).await,
            _ => client.post(way).expect_status(200).await,
        };
        assert!(answer.set_cookie("sid").is_none());
        client.get("/required/x").expect(401, "session_revoked").await;
        assert!(site.outside.store.upstream_tokens_by_master_key().await.unwrap().is_empty());
    }
}

/// A route where cookies are not read hands none out either.
#[tokio::test]
async fn an_open_route_hands_out_no_session() {
    let (site, _upstream, _pages) = scene(true).await;
    let client = site.client();
    let answer = client.get("/open/x").expect_status(200).await;
    assert!(answer.set_cookies().is_empty(), "{:?}", answer.set_cookies());
}
