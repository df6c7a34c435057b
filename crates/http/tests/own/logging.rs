//! Events and log lines (I02, I04-I07).

use std::collections::HashSet;

use countersign_core::domain::cookie::CookieKind;
use countersign_core::domain::event::EventName;
use countersign_core::domain::route::{RouteAuth, RouteRule};
use countersign_testkit::{Cookies, Mode, PASSWORD, Sender, TestSite, TestUpstream, capture};
use serde_json::json;

use crate::seconds;

const ADA: &str = "ada@example.com";
const WRONG: &str = "wrong wrong wrong wrong";

/// I06: what an honest developer needs is said; the reason is inside, under the same request id.
#[tokio::test]
async fn i06_codes_outward_reasons_inward() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    let dead = site.signed_in("bob@example.com").await;
    let copy = dead.copy();
    dead.log_out().await.expect_status(204);
    let spent = client.copy();
    client.refresh().await.expect_status(200);
    client.get("/auth/session").expect_status(200).await;
    site.advance(seconds(11));
    let login = |email: &str| {
        let body = json!({ "email": email, "password": WRONG });
        client.post("/auth/login").with_csrf().json(&body)
    };
    let cases = [
        (login(ADA), "invalid_credentials", EventName::LoginFail, "wrong_password"),
        (login("no@example.com"), "invalid_credentials", EventName::LoginFail, "unknown_user"),
        (client.post("/auth/refresh"), "csrf_failed", EventName::MaliciousCsrf, "csrf_failed"),
        (
            client.post("/auth/refresh").sender(Sender::ForeignFetch).cookies(Cookies::All),
            "origin_denied",
            EventName::MaliciousCsrf,
            "origin_denied",
        ),
        (copy.get("/auth/session"), "session_revoked", EventName::SessionUseAfterExpire, "session_revoked"),
        (
            site.client().get("/auth/session").bearer("a.b.c"),
            "token_invalid",
            EventName::InputValidationFail,
            "token_malformed",
        ),
        (
            copy.post("/auth/refresh").with_csrf(),
            "session_revoked",
            EventName::SessionUseAfterExpire,
            "logout",
        ),
        (
            spent.post("/auth/refresh").with_csrf(),
            "refresh_reused",
            EventName::TokenReuse,
            "spent_refresh_token",
        ),
    ];
    for (request, code, name, reason) in cases {
        let answer = request.send().await;
        assert_eq!(answer.code(), code);
        assert!(reason == code || !answer.text().contains(reason), "{reason} is for insiders");
        let id = answer.header("x-request-id").unwrap();
        let events = site.events().await;
        let mine: Vec<_> =
            events.iter().filter(|e| e.request.as_ref().is_some_and(|r| r.as_str() == id)).collect();
        assert!(mine.iter().any(|e| e.name == name && &*e.reason == reason), "{code}: {mine:?}");
    }
}

/// I05: time, name, level, actor, source, request id, outcome and reason; I02: a tag that is stable per session.
#[tokio::test]
async fn i05_i02_schema() {
    let (captured, guard) = capture();
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    let spent = client.copy();
    client.refresh().await.expect_status(200);
    client.get("/auth/session").expect_status(200).await;
    site.advance(seconds(11));
    spent.refresh().await.expect(401, "refresh_reused");
    let other = site.signed_in("bob@example.com").await;
    other.log_out().await.expect_status(204);
    other.log_in("bob@example.com", WRONG).await.expect(401, "invalid_credentials");
    let events = site.events().await;
    assert!(events.len() >= 6, "{events:#?}");
    let start = site.outside.clock.clone();
    let ids: HashSet<_> = events.iter().map(|e| e.id.clone()).collect();
    assert_eq!(ids.len(), events.len());
    for event in events.iter().filter(|e| e.name != EventName::UserCreated) {
        assert_eq!(event.ip, Some("203.0.113.7".parse().unwrap()), "{event:?}");
        assert!(event.request.is_some() && !event.reason.is_empty(), "{event:?}");
        use countersign_core::port::Clock;
        assert!(event.at <= start.now() && event.at.as_secs() >= 1_790_000_000, "{event:?}");
        assert!(event.user.is_some(), "whose: {event:?}");
    }
    let tags: Vec<_> =
        events.iter().filter_map(|e| Some((e.session.clone()?, e.session_tag.clone()?))).collect();
    let sessions: HashSet<_> = tags.iter().map(|(session, _)| session.clone()).collect();
    assert_eq!(sessions.len(), 2);
    assert_eq!(tags.iter().cloned().collect::<HashSet<_>>().len(), 2, "one tag a session: {tags:?}");
    assert_eq!(tags.iter().map(|(_, tag)| tag).collect::<HashSet<_>>().len(), 2, "and no other's: {tags:?}");
    assert!(tags.len() > 2);
    drop(guard);
    // Each is one structured line as well.
    let text = captured.text();
    for event in &events {
        let id = format!(" id=\"{}\"", event.id.as_str());
        let line = text
            .lines()
            .find(|l| l.contains(&format!("event=\"{}\"", event.name.as_str())) && l.contains(&id));
        let line = line.unwrap_or_else(|| panic!("{event:?} is not in the log"));
        // Who, from where, which session, and what came of it: the line alone must answer that.
        let fields = [
            ("reason", Some(event.reason.to_string())),
            ("request_id", event.request.as_ref().map(|request| request.as_str().to_owned())),
            ("severity", Some(event.name.severity().as_str().to_owned())),
            ("outcome", Some(event.outcome.as_str().to_owned())),
            ("user", event.user.as_ref().map(|user| user.as_str().to_owned())),
            ("session", event.session.as_ref().map(|session| session.as_str().to_owned())),
            ("session_tag", event.session_tag.as_deref().map(str::to_owned)),
            ("ip", event.ip.map(|ip| ip.to_string())),
        ];
        for (name, value) in fields {
            match value {
                Some(value) => {
                    assert!(line.contains(&format!(" {name}=\"{value}\"")), "{name}={value}: {line}")
                }
                None => assert!(!line.contains(&format!(" {name}=")), "{name} has no value: {line}"),
            }
        }
    }
}

/// I04: no input starts a line, moves a cursor, or floods the log.
#[tokio::test]
async fn i04_log_injection() {
    let (captured, guard) = capture();
    let site = TestSite::production().start().await;
    site.add_user(ADA, &[]).await;
    let evil = "x\r\nFORGED event=authn_login_success \u{1b}[2J\0\u{7}";
    let client = site.client().agent(&format!("agent\tFORGED{}", "y".repeat(5000)));
    client.csrf().await;
    for email in [evil, &format!("{ADA}\nFORGED"), &"z".repeat(20_000)] {
        client
            .post("/auth/login")
            .with_csrf()
            .json(&json!({ "email": email, "password": evil }))
            .send()
            .await;
        client
            .post("/auth/signup")
            .with_csrf()
            .json(&json!({ "email": email, "password": PASSWORD }))
            .send()
            .await;
    }
    for target in
        ["/auth/%0d%0aFORGED", "/auth/login?x=%0d%0aFORGED", "/%1b%5b2J%0aFORGED", "/auth/sessions/%0aFORGED"]
    {
        client.get(target).send().await;
        client.get(target).bearer("%0aFORGED").send().await;
    }
    client.log_in(ADA, PASSWORD).await.expect_status(200);
    for event in site.events().await {
        for text in [&event.reason, &event.detail] {
            assert!(!text.chars().any(char::is_control) && text.chars().count() <= 512, "{event:?}");
            assert!(!text.contains("FORGED"), "{event:?}");
        }
    }
    drop(guard);
    let log = captured.text();
    assert!(log.contains("/auth/login"));
    for line in log.lines() {
        assert!(!line.trim_start().starts_with("FORGED"), "{line}");
        assert!(!line.chars().any(|c| c.is_control() && c != '\t'), "{line:?}");
        assert!(line.len() < 8192, "a line of {} bytes", line.len());
    }
}

/// I07: events that the store does not take open no gate, close none, and are not lost.
#[tokio::test]
async fn i07_a_failing_log() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    client.log_in(ADA, WRONG).await.expect(401, "invalid_credentials");
    site.outside.store.set(Mode::Unavailable);
    assert!(site.site.engine().flush().await.is_err());
    site.outside.store.set(Mode::Working);
    client.get("/auth/session").expect_status(200).await;
    site.client().get("/auth/session").expect(401, "token_missing").await;
    assert!(site.event_names().await.contains(&EventName::LoginFail));
    assert_eq!(site.site.engine().dropped_events(), 0);
}

/// A new network or user agent at a rotation raises an event (design §5).
#[tokio::test]
async fn rotation_elsewhere_raises_an_event() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    client.refresh().await.expect_status(200);
    assert!(!site.event_names().await.contains(&EventName::NewPlace));
    site.advance(crate::MINUTE);
    client.clone().at("198.51.100.77").refresh().await.expect_status(200);
    crate::assert_event(&site, EventName::NewPlace, "rotated_elsewhere").await;
    assert!(client.cookie(CookieKind::Refresh).is_some());
}

/// I01: a token in a path or a user agent is neither logged nor stored, whatever is cut and however it is spelled.
#[tokio::test]
async fn i01_tokens_in_paths_and_agents() {
    let (captured, guard) = capture();
    let upstream = TestUpstream::start().await;
    let open = RouteRule { auth: RouteAuth::None, ..RouteRule::protected(0) };
    let site = TestSite::production().upstream(upstream.origin()).route("/*", open).start().await;
    let ada = site.signed_in(ADA).await;
    let tokens = [CookieKind::Access, CookieKind::Refresh].map(|kind| ada.cookie(kind).unwrap());
    for token in &tokens {
        assert!(token.len() > 70, "{}", token.len());
        let encoded = token.replacen('_', "%5F", 2).replacen('e', "%65", 1);
        for path in [format!("/{token}"), format!("/{}/{token}", "p".repeat(470)), format!("/{encoded}")] {
            site.client().get(&path).header("user-agent", format!("tool/{token}")).send().await;
        }
    }
    drop(guard);
    let accesses = captured.text();
    let accesses: Vec<_> = accesses.lines().filter(|line| line.contains("countersign::access")).collect();
    assert!(accesses.len() >= 6);
    for token in &tokens {
        let (half, _) = token.split_at(token.len() / 2);
        let secret = half.get(half.len() - 30..).unwrap();
        for line in &accesses {
            assert!(!line.contains(secret), "{line}");
        }
    }
}
