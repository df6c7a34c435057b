//! The order of checks (design §7): of several faults, the first in the order is told.

use countersign_core::domain::cookie::CookieKind;
use countersign_testkit::{Client, Cookies, Request, Sender, TestSite};

use crate::DAY;

/// What can be wrong with a request, in the order of checking.
const FAULTS: [(&str, u16, &str); 6] = [
    ("size", 413, "invalid_request"),
    ("content type", 415, "unsupported_media_type"),
    ("doubled cookie", 401, "token_invalid"),
    ("origin", 403, "origin_denied"),
    ("genuineness", 401, "token_invalid"),
    ("CSRF token", 403, "csrf_failed"),
];

fn request(client: &Client, target: &str, faults: &[bool]) -> Request {
    let mut cookies = format!("__Host-Http-cs-access={}", client.cookie(CookieKind::Access).unwrap());
    let refresh = client.cookie(CookieKind::Refresh).unwrap();
    // A refresh token of another session's generation space: its own checksum is wrong.
    let forged = format!("{}0000", &refresh[..refresh.len() - 4]);
    let refresh = if faults[4] { forged } else { refresh };
    cookies.push_str(&format!("; __Host-Http-cs-refresh={refresh}"));
    if faults[2] {
        cookies.push_str("; __Host-Http-cs-access=evil");
    }
    let mut request = client.post(target).cookies(Cookies::Exactly(cookies));
    if faults[3] {
        request = request.sender(Sender::ForeignFetch);
    }
    if !faults[5] {
        request = request.with_csrf();
    }
    let kind = if faults[1] { "text/plain" } else { "application/json" };
    request.body(kind, if faults[0] { "x".repeat(64 * 1024 + 1) } else { String::from("{}") })
}

/// Every subset of faults, at every end point that judges the session's cookies; the last check is the verdict.
#[tokio::test]
async fn the_first_fault_in_the_order_is_told() {
    let site = TestSite::production().start().await;
    let client = site.signed_in("ada@example.com").await;
    site.advance(DAY * 31);
    for subset in 1u32..64 {
        let faults: Vec<bool> = (0..6).map(|bit| subset & (1 << bit) != 0).collect();
        let (name, status, code) = FAULTS[faults.iter().position(|f| *f).unwrap()];
        for target in ["/auth/refresh", "/auth/logout", "/auth/logout/all"] {
            let answer = request(&client, target, &faults).send().await;
            assert_eq!(
                (answer.status().as_u16(), answer.code().as_str()),
                (status, code),
                "{target}: {name} {faults:?}"
            );
            answer.sets_no_cookie();
        }
    }
    let verdict = request(&client, "/auth/refresh", &[false; 6]).send().await;
    verdict.expect(401, "session_expired");
}

/// A login judges its body last: whoever has no token learns nothing about it.
#[tokio::test]
async fn a_login_body_is_judged_after_the_token() {
    let site = TestSite::production().start().await;
    let client = site.client();
    for target in ["/auth/login", "/auth/signup"] {
        client.post(target).body("application/json", "{").expect(403, "csrf_failed").await;
    }
}

/// 413 whether the length is announced or not; 64 KiB exactly is read.
#[tokio::test]
async fn bodies_are_bounded() {
    let site = TestSite::production().start().await;
    let client = site.client();
    client.csrf().await;
    let over = client.post("/auth/login").with_csrf().body("application/json", "x".repeat(64 * 1024 + 1));
    over.expect(413, "invalid_request").await;
    let full = client.post("/auth/login").with_csrf().body("application/json", " ".repeat(64 * 1024));
    full.expect(400, "invalid_request").await;
}
