//! J07: nothing of one user's request ever shows in another's answer, however many cancel (public incidents of 2021 and 2023).

use std::sync::Arc;
use std::time::Duration;

use countersign_core::domain::cookie::CookieKind;
use countersign_proxy::{PoolLimits, Upstream, UpstreamConfig};
use countersign_testkit::{Client, Mode};
use tokio::task::JoinSet;

use crate::scene::{LAPSE, Scene};

const USERS: u32 = 1000;
const ROUNDS: u32 = 4;

/// A small, fixed generator: the same cancels in every run.
fn noise(user: u32, round: u32) -> u32 {
    let mut x = user.wrapping_mul(0x9e37_79b9) ^ round.wrapping_mul(0x85eb_ca6b) ^ 0x2545_f491;
    for _ in 0..3 {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
    }
    x
}

/// A request with a marker of its own; the answer must show this user and this marker.
async fn ask(browser: Client, user: String, number: u32, round: u32) -> bool {
    let marker = format!("marker-{number}-{round}");
    let delay = noise(number, round) % 12;
    let request = browser.post(&format!("/a/{marker}?delay_ms={delay}")).body("text/plain", marker.clone());
    let cancel = noise(round, number).is_multiple_of(3);
    let patience =
        Duration::from_millis(if cancel { u64::from(noise(number, round + 7) % 12) } else { 60_000 });
    let Ok(answer) = tokio::time::timeout(patience, request.send()).await else { return false };
    let answer = answer.expect_status(200);
    let seen = answer.json();
    assert_eq!(seen["path"], format!("/a/{marker}"));
    assert_eq!(seen["body"], marker);
    let told = |name: &str| {
        let mut values = seen["headers"].as_array().unwrap().iter().filter(|h| h[0] == name);
        let value = values.next().unwrap_or_else(|| panic!("no {name}"))[1].as_str().unwrap().to_owned();
        assert!(values.next().is_none(), "{name} came twice");
        value
    };
    assert_eq!(told("x-auth-user"), user, "{marker}");
    assert_eq!(subject(&told("countersign-assertion")), user, "{marker}");
    // Whoever was renewed on the way holds tokens of their own.
    let access = browser.cookie(CookieKind::Access).unwrap();
    assert_eq!(subject(&access), user, "{marker}");
    true
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn j07_a_thousand_users_with_random_cancels() {
    // Few connections, so that all of them are shared by many.
    let scene = Scene::with(|builder| {
        builder.policy(|p| p.session_limit = None).settings(|s| {
            let origin = s.upstreams[0].upstream.origin().clone();
            let limits = PoolLimits {
                connections: 32,
                queue: 4096,
                queue_timeout: Duration::from_secs(60),
                ..PoolLimits::default()
            };
            s.upstreams[0].upstream =
                Upstream::new(UpstreamConfig { limits, ..UpstreamConfig::new("app", origin) });
            s.log_access = false;
        })
    })
    .await;
    let scene = Arc::new(scene);
    let mut users = Vec::new();
    for number in 0..USERS {
        let browser = scene.site.signed_in(&format!("user{number}@example.test")).await;
        let access = browser.cookie(CookieKind::Access).unwrap();
        users.push((browser, subject(&access)));
    }
    // Slow enough for flights to overlap.
    scene.site.outside.store.set(Mode::Slow(Duration::from_millis(2)));
    let (mut answered, mut cancelled) = (0, 0);
    for round in 0..ROUNDS {
        if round == ROUNDS / 2 {
            // From here on with rotations, which share flights.
            scene.site.advance(LAPSE);
        }
        let mut tasks = JoinSet::new();
        for (number, (browser, user)) in users.iter().enumerate() {
            let number = u32::try_from(number).unwrap();
            tasks.spawn(ask(browser.clone(), user.clone(), number, round));
            if tasks.len() >= 200 {
                count(tasks.join_next().await.unwrap().unwrap(), &mut answered, &mut cancelled);
            }
        }
        while let Some(done) = tasks.join_next().await {
            count(done.unwrap(), &mut answered, &mut cancelled);
        }
    }
    assert!(answered > USERS * ROUNDS / 2, "{answered} answered");
    assert!(cancelled > USERS * ROUNDS / 20, "{cancelled} cancelled");
}

fn count(answered: bool, yes: &mut u32, no: &mut u32) {
    *if answered { yes } else { no } += 1;
}

/// The claim `sub` of a token.
fn subject(token: &str) -> String {
    let claims = data_encoding::BASE64URL_NOPAD.decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    claims["sub"].as_str().unwrap().to_owned()
}
