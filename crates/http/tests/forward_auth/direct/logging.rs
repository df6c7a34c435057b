//! I01: what a proxy asks with is in no log and no event, whatever becomes of the question.

use countersign_core::domain::cookie::CookieKind;
use countersign_http::ForwardingProxy;
use countersign_testkit::{Mode, Sender, capture};

use crate::proxy::SECRET;
use crate::scene::{ADA, Desk, LAPSE};

#[tokio::test]
async fn i01_questions_leave_no_secret() {
    const MARK: &str = "kAnArIe";
    let (captured, guard) = capture();
    let mut secrets = vec![SECRET.to_owned(), MARK.to_owned()];
    for proxy in [ForwardingProxy::Nginx, ForwardingProxy::Caddy, ForwardingProxy::Envoy] {
        let desk = Desk::new(proxy).await;
        let browser = desk.site.signed_in(ADA).await;
        let mut know =
            || secrets.extend(browser.cookies().into_iter().map(|c| c.value).filter(|v| v.len() > 8));
        know();
        for round in 0..3 {
            for target in ["/a", "/maybe/a", "/open/a", "/form/a", "/auth/login", "/open/../a"] {
                let target = format!("{target}?code={MARK}");
                for method in ["GET", "POST"] {
                    let asked = desk.ask(&browser, method, &target);
                    drop(asked.header("dpop", MARK).header("x-csrf-token", MARK).send().await);
                    drop(desk.ask_for_client(&browser, method, &target).sender(Sender::OwnLink).send().await);
                }
                let damaged =
                    desk.ask(&browser, "GET", &target).header("authorization", format!("Bearer {MARK}"));
                drop(damaged.send().await);
                drop(desk.ask(&browser, "GET", &target).header("x-rewrite-url", MARK).send().await);
                let wrong = browser.get("/auth/verify").header("countersign-forward-auth", MARK);
                drop(wrong.header("x-original-uri", &target).send().await);
            }
            match round {
                0 => desk.site.advance(LAPSE),
                1 => desk.site.outside.store.set(Mode::Unavailable),
                _ => desk.site.outside.store.set(Mode::Working),
            }
        }
        browser.put_cookie(CookieKind::Access, MARK);
        drop(desk.ask(&browser, "GET", "/a").send().await);
        let events = format!("{:?}", desk.site.events().await);
        assert!(events.contains("forward_auth_headers"), "{events}");
        for secret in &secrets {
            assert!(!events.contains(secret.as_str()), "{secret} is in an event");
        }
    }
    drop(guard);
    let log = captured.text();
    assert!(log.contains("/auth/verify") && log.contains("forward_auth_secret"), "the capture hears nothing");
    for secret in &secrets {
        let line = log.lines().find(|line| line.contains(secret.as_str()));
        assert!(line.is_none(), "{secret} is in the log: {line:?}");
    }
}
