//! Guesses at passwords (F06-F08).

use countersign_core::domain::event::EventName;
use countersign_testkit::{Answer, Client, PASSWORD, TestSite};
use futures_util::{StreamExt, stream};
use serde_json::json;

use crate::{MINUTE, assert_event, seconds};

const ADA: &str = "ada@example.com";
const WRONG: &str = "wrong wrong wrong wrong";

/// What somebody can tell two answers apart by, besides time.
fn visible(answer: &Answer) -> (u16, String, Vec<(String, String)>) {
    let id = answer.header("x-request-id").unwrap();
    let text = answer.text().replace(&id, "<request id>");
    let headers = answer.headers().iter().filter(|(n, _)| !matches!(n.as_str(), "date" | "x-request-id"));
    let mut headers: Vec<_> = headers.map(|(n, v)| (n.to_string(), v.to_str().unwrap().to_owned())).collect();
    headers.sort();
    (answer.status().as_u16(), text, headers)
}

async fn guess(client: &Client, email: &str, password: &str) -> Answer {
    client.post("/auth/login").with_csrf().json(&json!({ "email": email, "password": password })).send().await
}

/// F06: byte for byte the same for a known and an unknown address, and the same work behind it.
#[tokio::test]
async fn f06_no_enumeration() {
    let site = TestSite::production().start().await;
    site.add_user(ADA, &[]).await;
    for n in 0..12u32 {
        let client = site.client().at(&format!("198.51.100.{n}"));
        client.csrf().await;
        let work = || site.outside.hasher.evaluated();
        let before = work();
        let known = guess(&client, ADA, WRONG).await;
        let between = work();
        let unknown = guess(&client, "nobody@example.com", WRONG).await;
        assert_eq!(visible(&known), visible(&unknown), "guess {n}");
        assert_eq!(between - before, work() - between, "guess {n}: hashes");
    }
    let limited = guess(&site.client(), ADA, WRONG).await;
    assert_eq!(limited.status(), 403, "and the last of them was throttled, not unprotected");
}

/// F06: the medians of the time lie within each other's noise, with a hash that takes time.
#[tokio::test]
async fn f06_same_time() {
    const SAMPLES: usize = 200;
    let site = TestSite::production()
        .policy(|p| {
            p.account_throttle.free = 1000;
            p.account_throttle.cap = 1000;
            p.network_throttle.free = 1000;
        })
        .start()
        .await;
    site.add_user(ADA, &[]).await;
    site.outside.hasher.set_delay(std::time::Duration::from_millis(3));
    let client = site.client();
    client.csrf().await;
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for _ in 0..SAMPLES {
        for (email, times) in [(ADA, &mut known), ("nobody@example.com", &mut unknown)] {
            let started = tokio::time::Instant::now();
            guess(&client, email, WRONG).await.expect(401, "invalid_credentials");
            times.push(started.elapsed().as_micros());
        }
    }
    known.sort_unstable();
    unknown.sort_unstable();
    let (a, b) = (known[SAMPLES / 2], unknown[SAMPLES / 2]);
    // A user whose absence skipped the hash would save 3 ms of about 5.
    assert!(a.abs_diff(b) < 1500, "medians {a} and {b} µs");
}

/// F07: per account, not only per address: 100 consecutive failures over many networks, with a growing delay; the owner's own
/// device still gets in.
#[tokio::test]
async fn f07_many_networks_one_account() {
    let site = TestSite::production().start().await;
    let owner = site.signed_in(ADA).await;
    let attacker = site.client().agent("Guess/1");
    attacker.csrf().await;
    let before = site.outside.hasher.evaluated();
    let mut longest = 0;
    for n in 0..130u32 {
        let from = attacker.clone().at(&format!("10.{}.{}.1", n / 250, n % 250));
        let mut answer = guess(&from, ADA, WRONG).await;
        if answer.status() == 429 {
            let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
            if wait > 1800 {
                break;
            }
            longest = longest.max(wait);
            site.advance(seconds(wait));
            answer = guess(&from, ADA, WRONG).await;
        }
        assert!(matches!(answer.status().as_u16(), 401 | 429), "{}", answer.status());
    }
    assert_eq!(site.outside.hasher.evaluated() - before, 100, "the cap of NIST SP 800-63B");
    assert_eq!(longest, 900, "the delay grew to its limit");
    attacker.clone().at("192.0.2.200").log_in(ADA, PASSWORD).await.expect(429, "rate_limited");
    assert_event(&site, EventName::LoginLock, "throttled").await;

    // By its device cookie, from anywhere; or by the place it always signs in from.
    owner.clone().at("192.0.2.201").log_in(ADA, PASSWORD).await.expect_status(200);
    site.client().log_in(ADA, PASSWORD).await.expect_status(200);
}

/// F08: the counter is atomic and comes before hashing: of 1000 parallel guesses, the free ones are evaluated.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f08_parallel_guesses() {
    let site = TestSite::production().policy(|p| p.network_throttle.free = 2000).start().await;
    site.add_user(ADA, &[]).await;
    site.outside.hasher.set_delay(std::time::Duration::from_millis(5));
    let client = site.client();
    client.csrf().await;
    let before = site.outside.hasher.evaluated();
    let answers: Vec<Answer> = stream::iter(0..1000u32)
        .map(|n| {
            let client = client.clone().at(&format!("10.1.{}.{}", n / 250, n % 250));
            async move { guess(&client, ADA, WRONG).await }
        })
        .buffer_unordered(100)
        .collect()
        .await;
    let evaluated = answers.iter().filter(|a| a.code() == "invalid_credentials").count();
    let refused = answers.iter().filter(|a| a.code() == "rate_limited").count();
    assert_eq!((evaluated, refused), (5, 995));
    assert_eq!(site.outside.hasher.evaluated() - before, 5);
}

/// F08: a success forgets the failures; time does too.
#[tokio::test]
async fn f08_success_and_time_forget() {
    let site = TestSite::production().start().await;
    site.add_user(ADA, &[]).await;
    let client = site.client();
    client.csrf().await;
    for _ in 0..3 {
        for _ in 0..4 {
            guess(&client, ADA, WRONG).await.expect(401, "invalid_credentials");
        }
        client.log_in(ADA, PASSWORD).await.expect_status(200);
        client.csrf().await;
    }
    for _ in 0..5 {
        guess(&client, ADA, WRONG).await.expect(401, "invalid_credentials");
    }
    let limited = guess(&client, ADA, PASSWORD).await.expect(429, "rate_limited");
    assert_eq!(limited.header("retry-after").as_deref(), Some("1"));
    site.advance(MINUTE * 61);
    client.log_in(ADA, PASSWORD).await.expect_status(200);
}

/// F07: one network that tries many accounts is slowed down as well, but for those who are known there.
#[tokio::test]
async fn f07_one_network_many_accounts() {
    let site = TestSite::production().policy(|p| p.network_throttle.free = 10).start().await;
    let owner = site.signed_in(ADA).await;
    let client = site.client();
    client.csrf().await;
    for n in 0..10 {
        guess(&client, &format!("user{n}@example.com"), WRONG).await.expect(401, "invalid_credentials");
    }
    guess(&client, "user11@example.com", WRONG).await.expect(429, "rate_limited");
    owner.log_in(ADA, PASSWORD).await.expect_status(200);
    let elsewhere = client.clone().at("192.0.2.1");
    guess(&elsewhere, "user11@example.com", WRONG).await.expect(401, "invalid_credentials");
}
