//! Our own end points over real sockets. Files follow the URL tree; what concerns all end points stands beside it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "helpers of tests stop the test where it is wrong"
)]

mod auth {
    mod account;
    mod api_keys;
    mod clients;
    mod csrf;
    mod introspect;
    mod login;
    mod logout;
    mod open_session;
    mod openapi;
    mod pages;
    mod refresh;
    mod revocations;
    mod revoke;
    mod session;
    mod sessions;
    mod signup;
}
mod admin;
mod canary;
mod clearing;
mod cookies;
mod credentials;
mod headers;
mod isolation;
mod logging;
mod order;
mod races;
mod read_only;
mod rotation;
mod throttle;
mod well_known;

use std::time::Duration;

use countersign_core::domain::event::EventName;
use countersign_testkit::TestSite;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// The token with another signature.
fn damaged(token: &str) -> String {
    let (before, rest) = token.split_at(token.len() - 20);
    let other = if rest.starts_with('x') { "y" } else { "x" };
    format!("{before}{other}{}", &rest[1..])
}

/// Asserts that an event was recorded with this inner reason.
async fn assert_event(site: &TestSite, name: EventName, reason: &str) {
    let events = site.events().await;
    let found = events.iter().any(|e| e.name == name && &*e.reason == reason);
    assert!(found, "no {} with reason {reason} in {events:#?}", name.as_str());
}
