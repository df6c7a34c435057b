//! GET `/auth/revocations`: the feed as `docs/revocation-feed.md` describes it.

use std::time::Duration;

use aws_lc_rs::digest;
use countersign_core::domain::cookie::CookieKind;
use countersign_core::domain::id::UserId;
use countersign_core::service::{Context, Target};
use countersign_testkit::{Client, PASSWORD, Request, Sender, TestSite};
use data_encoding::BASE64URL_NOPAD;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{MINUTE, seconds};

const ADA: &str = "ada@example.com";
const VERIFIER: &str = "verifier@example.com";

async fn scene() -> (TestSite, String) {
    let site = TestSite::production().start().await;
    site.add_user(VERIFIER, &[]).await;
    let key = site.api_key(VERIFIER, &["revocations:read"], &[]).await;
    (site, key)
}

fn feed(site: &TestSite, key: &str, query: &str) -> Request {
    site.client().get(&format!("/auth/revocations{query}")).sender(Sender::Bare).bearer(key)
}

async fn read(site: &TestSite, key: &str, query: &str) -> Value {
    feed(site, key, query).expect_status(200).await.json()
}

fn hash(claim: &Value) -> String {
    BASE64URL_NOPAD.encode(digest::digest(&digest::SHA256, claim.as_str().unwrap().as_bytes()).as_ref())
}

fn claims(client: &Client) -> Value {
    let token = client.cookie(CookieKind::Access).unwrap();
    let part = BASE64URL_NOPAD.decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap();
    serde_json::from_slice(&part).unwrap()
}

fn lists(report: &Value, claims: &Value) -> bool {
    report["sessions"].as_array().unwrap().iter().any(|s| *s == hash(&claims["sid"]))
}

/// H03, D08: a sign-out is in the next answer, by hashes that name nobody.
#[tokio::test]
async fn h03_a_sign_out_is_in_the_next_answer() {
    let (site, key) = scene().await;
    let ada = site.signed_in(ADA).await;
    let said = claims(&ada);
    let before = read(&site, &key, "").await;
    assert!(!lists(&before, &said));
    assert_eq!(before["iss"], site.origin());
    assert!(before["keep_seconds"].as_u64().unwrap() >= 3600);
    ada.log_out().await.expect_status(204);
    let answer = feed(&site, &key, "").expect_status(200).await;
    assert!(lists(&answer.json(), &said));
    assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"));
    for secret in [&said["sid"], &said["sub"]] {
        assert!(!answer.text().contains(secret.as_str().unwrap()), "{}", answer.text());
    }
    let since = format!("?since={}", before["cursor"].as_str().unwrap());
    assert!(lists(&read(&site, &key, &since).await, &said));
}

/// H03, D10, D11: what ends all of a user's sessions is told by epoch, and tokens of later sessions are good.
#[tokio::test]
async fn h03_a_users_epoch() {
    let (site, key) = scene().await;
    let ada = site.signed_in(ADA).await;
    let old = claims(&ada);
    let user = UserId::parse(old["sub"].as_str().unwrap()).unwrap();
    site.site.engine().revoke(&Target::User(user), &Context::default()).await.unwrap();
    let report = read(&site, &key, "").await;
    assert!(lists(&report, &old));
    let entry = report["users"].as_array().unwrap().iter().find(|u| u["user"] == hash(&old["sub"])).unwrap();
    assert!(entry["epoch"].as_u64() > old["epoch"].as_u64());
    ada.log_in(ADA, PASSWORD).await.expect_status(200);
    let new = claims(&ada);
    assert!(entry["epoch"].as_u64() <= new["epoch"].as_u64() && !lists(&report, &new));
}

/// H03, H04: everyone.
#[tokio::test]
async fn h04_everyone() {
    let (site, key) = scene().await;
    let all = [claims(&site.signed_in(ADA).await), claims(&site.signed_in("eve@example.com").await)];
    site.site.engine().revoke(&Target::Everyone, &Context::default()).await.unwrap();
    let report = read(&site, &key, "").await;
    assert!(all.iter().all(|said| lists(&report, said)));
}

/// H03: generations that somebody else may hold are told, while their session lives.
#[tokio::test]
async fn h03_abandoned_generations() {
    let (site, key) = scene().await;
    let ada = site.signed_in(ADA).await;
    let said = claims(&ada);
    // Two answers are lost, the second long after the first.
    ada.post("/auth/refresh").with_csrf().losing_cookies().expect_status(200).await;
    site.advance(seconds(40));
    site.tick().await;
    ada.refresh().await.expect_status(200);
    let report = read(&site, &key, "").await;
    assert!(!lists(&report, &said));
    assert_eq!(report["abandoned"], json!([{ "session": hash(&said["sid"]), "first": 2, "last": 2 }]));
    assert_eq!(claims(&ada)["gen"], 3);
}

/// What is older than the cursor by more than the overlap is not told again; what is no cursor is answered with everything.
#[tokio::test]
async fn cursors() {
    let (site, key) = scene().await;
    let (early, late) = (site.signed_in(ADA).await, site.signed_in("eve@example.com").await);
    let (first, second) = (claims(&early), claims(&late));
    early.log_out().await.expect_status(204);
    site.advance(2 * MINUTE);
    site.tick().await;
    let since = format!("?since={}", read(&site, &key, "").await["cursor"].as_str().unwrap());
    late.log_out().await.expect_status(204);
    let report = read(&site, &key, &since).await;
    assert!(!lists(&report, &first) && lists(&report, &second), "{report}");
    for bad in ["?since=", "?since=x", "?since=99999999999999", "?since=1", "?since=-5"] {
        let report = read(&site, &key, bad).await;
        assert!(lists(&report, &first) && lists(&report, &second), "{bad}");
    }
    // A node that starts anew tells what it read from the store, whatever cursor a reader comes with.
    let other = TestSite::production().outside(site.outside.clone()).start().await;
    assert!(lists(&read(&other, &key, &since).await, &second));
}

/// H03: nodes do not learn in one order, and a commit may come late: whoever asks is told the 60 s before their cursor again.
#[tokio::test]
async fn h03_the_last_minute_is_told_again() {
    let (site, key) = scene().await;
    let ada = site.signed_in(ADA).await;
    let said = claims(&ada);
    ada.log_out().await.expect_status(204);
    let cursor_after = async |passed: Duration| {
        site.advance(passed);
        site.tick().await;
        format!("?since={}", read(&site, &key, "").await["cursor"].as_str().unwrap())
    };
    let within = cursor_after(seconds(59)).await;
    assert!(lists(&read(&site, &key, &within).await, &said), "59 s ago");
    let beyond = cursor_after(seconds(2)).await;
    assert!(!lists(&read(&site, &key, &beyond).await, &said), "61 s ago");
    let mut stream = Stream::open(&site, &key, Some(within.trim_start_matches("?since="))).await;
    let (name, _, report) = stream.next().await.unwrap();
    assert!(name == "changes" && lists(&report, &said), "the stream overlaps too");
}

/// G04, G06: by a key with this scope; a session and its cookies count for nothing.
#[tokio::test]
async fn g06_for_keys_with_the_scope_alone() {
    let (site, key) = scene().await;
    let ada = site.signed_in(ADA).await;
    ada.get("/auth/revocations").expect(401, "token_missing").await;
    let access = ada.cookie(CookieKind::Access).unwrap();
    feed(&site, &access, "").expect(401, "wrong_purpose").await;
    let other = site.api_key(VERIFIER, &["introspect"], &[]).await;
    feed(&site, &other, "").expect(403, "insufficient_scope").await;
    feed(&site, &other, "").header("accept", "text/event-stream").expect(403, "insufficient_scope").await;
    let elsewhere = site.api_key(VERIFIER, &["revocations:read"], &["198.51.100.0/24"]).await;
    feed(&site, &elsewhere, "").expect(403, "insufficient_scope").await;
    feed(&site, &key, "").expect_status(200).await;
}

/// H03, K11: a node that has heard nothing for too long does not say that there is nothing.
#[tokio::test]
async fn h03_a_stale_node_says_so() {
    let (site, key) = scene().await;
    site.advance(seconds(6));
    let refused = feed(&site, &key, "").expect(503, "store_unavailable").await;
    assert!(refused.header("retry-after").is_some());
    feed(&site, &key, "").header("accept", "text/event-stream").expect(503, "store_unavailable").await;
    site.tick().await;
    feed(&site, &key, "").expect_status(200).await;
}

struct Stream {
    body: Incoming,
    buffer: String,
}

impl Stream {
    async fn open(site: &TestSite, key: &str, resume: Option<&str>) -> Self {
        let request = feed(site, key, "").header("accept", "text/event-stream");
        let request = match resume {
            Some(id) => request.header("last-event-id", id),
            None => request,
        };
        let answer = request.open().await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        Self { body: answer.into_body(), buffer: String::new() }
    }

    /// The next event as (name, id, data); `None` at the end.
    async fn next(&mut self) -> Option<(String, Option<String>, Value)> {
        loop {
            if let Some((event, rest)) = self.buffer.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.buffer = rest;
                let field = |name: &str| {
                    event.lines().find_map(|l| l.strip_prefix(&format!("{name}: "))).map(str::to_owned)
                };
                let Some(name) = field("event") else { continue };
                return Some((name, field("id"), serde_json::from_str(&field("data").unwrap()).unwrap()));
            }
            let frame = timeout(seconds(5), self.body.frame()).await.unwrap()?.unwrap();
            self.buffer.push_str(&String::from_utf8_lossy(&frame.into_data().unwrap_or_default()));
        }
    }

    async fn heartbeat(&mut self) -> String {
        loop {
            let (name, id, data) = self.next().await.unwrap();
            if name == "heartbeat" {
                let id = id.unwrap();
                assert_eq!(data["cursor"], id);
                return id;
            }
        }
    }
}

/// H03: the stream tells what was, says when that is all, and then hears within milliseconds.
#[tokio::test]
async fn h03_a_stream_hears_at_once() {
    let (site, key) = scene().await;
    let (ada, eve) = (site.signed_in(ADA).await, site.signed_in("eve@example.com").await);
    let (first, second) = (claims(&ada), claims(&eve));
    ada.log_out().await.expect_status(204);
    let mut stream = Stream::open(&site, &key, None).await;
    let (name, id, report) = stream.next().await.unwrap();
    assert_eq!((name.as_str(), id), ("changes", None));
    assert!(lists(&report, &first) && !lists(&report, &second));
    assert_eq!(report["iss"], site.origin());
    stream.heartbeat().await;
    let started = tokio::time::Instant::now();
    eve.log_out().await.expect_status(204);
    let report = loop {
        let (name, _, data) = stream.next().await.unwrap();
        if name == "changes" {
            break data;
        }
    };
    assert!(lists(&report, &second));
    assert!(started.elapsed() < Duration::from_millis(900), "{:?}", started.elapsed());
}

/// A reader that comes back is told what it missed, not everything.
#[tokio::test]
async fn a_stream_resumes() {
    let (site, key) = scene().await;
    let (ada, eve) = (site.signed_in(ADA).await, site.signed_in("eve@example.com").await);
    let (first, second) = (claims(&ada), claims(&eve));
    ada.log_out().await.expect_status(204);
    site.advance(2 * MINUTE);
    site.tick().await;
    let mut stream = Stream::open(&site, &key, None).await;
    let id = stream.heartbeat().await;
    drop(stream);
    eve.log_out().await.expect_status(204);
    let (name, _, report) = Stream::open(&site, &key, Some(&id)).await.next().await.unwrap();
    assert_eq!(name, "changes");
    assert!(!lists(&report, &first) && lists(&report, &second), "{report}");
}

/// G08, H03: a stream ends with its key; a node that has not heard sends no heartbeats.
#[tokio::test]
async fn g08_a_stream_ends_with_its_key() {
    let (site, key) = scene().await;
    let mut stream = Stream::open(&site, &key, None).await;
    stream.heartbeat().await;
    let id = site.site.engine().api_keys(None).await.unwrap()[0].key.id;
    site.site.engine().revoke_api_key(id, &Context::default()).await.unwrap();
    while stream.next().await.is_some() {}
}

/// H03: no heartbeat without knowledge.
#[tokio::test]
async fn h03_a_stale_node_sends_no_heartbeats() {
    let (site, key) = scene().await;
    let mut stream = Stream::open(&site, &key, None).await;
    stream.heartbeat().await;
    site.advance(seconds(6));
    let silent = async {
        // One may be on its way.
        stream.heartbeat().await;
        stream.heartbeat().await;
    };
    assert!(timeout(Duration::from_millis(2500), silent).await.is_err());
    site.tick().await;
    stream.heartbeat().await;
}

/// A stopping server is not held up by readers.
#[tokio::test]
async fn a_stream_ends_when_the_server_stops() {
    let (mut site, key) = scene().await;
    let mut stream = Stream::open(&site, &key, None).await;
    stream.heartbeat().await;
    site.stop();
    while stream.next().await.is_some() {}
}
