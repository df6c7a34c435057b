//! Rotation under load, on two nodes that share a store: not one request fails.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countersign_testkit::{Client, TestOutside, TestSite};

use crate::{SECOND, signed_by};

const BROWSERS: usize = 12;
/// Simulated seconds: with a rotation every five minutes, four keys sign.
const SPAN: usize = 1200;

async fn node(outside: TestOutside) -> TestSite {
    let tune = |p: &mut countersign_core::domain::policy::Policy| {
        p.prepublish = Duration::from_secs(60);
        p.rotate_every = Some(Duration::from_secs(300));
    };
    TestSite::production().outside(outside).policy(tune).start().await
}

/// Verifies at both nodes and refreshes at its own, until told to stop.
async fn browse(
    client: Client,
    nodes: Arc<[TestSite; 2]>,
    done: Arc<AtomicBool>,
    passed: Arc<AtomicUsize>,
    signers: Arc<Mutex<HashSet<String>>>,
) {
    while !done.load(Ordering::SeqCst) {
        for node in nodes.iter() {
            node.adopt(&client).get("/auth/session").expect_status(200).await;
        }
        client.refresh().await.expect_status(200);
        passed.fetch_add(3, Ordering::SeqCst);
        signers.lock().unwrap().insert(signed_by(&client));
    }
}

/// H08: keys are made, take over and go on schedule, each node finding out in its own second, while browsers verify and refresh.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h08_zero_failed_requests_while_keys_rotate() {
    let outside = TestOutside::default();
    let nodes = Arc::new([node(outside.clone()).await, node(outside.clone()).await]);
    let (done, passed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let signers = Arc::new(Mutex::new(HashSet::new()));
    let mut browsers = Vec::new();
    for n in 0..BROWSERS {
        let client = nodes[n % 2].signed_in(&format!("u{n}@example.com")).await;
        let task =
            browse(client, Arc::clone(&nodes), Arc::clone(&done), Arc::clone(&passed), Arc::clone(&signers));
        browsers.push(tokio::spawn(task));
    }
    for second in 0..SPAN {
        outside.clock.advance(SECOND);
        // The second node hears of it later than the first.
        nodes[0].site.engine().tend_keys().await.unwrap();
        if second % 2 == 0 {
            nodes[1].site.engine().tend_keys().await.unwrap();
        }
        for node in nodes.iter() {
            node.tick().await;
        }
        // No browser is left so far behind that its token runs out by the clock.
        let due = (second + 1) * 3 * BROWSERS / 60;
        while passed.load(Ordering::SeqCst) < due && browsers.iter().all(|browser| !browser.is_finished()) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    done.store(true, Ordering::SeqCst);
    for browser in browsers {
        browser.await.unwrap();
    }
    let signers = signers.lock().unwrap().len();
    assert!(signers >= 4, "{signers} keys signed");
}
