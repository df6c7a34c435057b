//! GET `/auth/revocations`: what verifiers elsewhere must know of (design §6). The format is `docs/revocation-feed.md`.

mod live;

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use countersign_core::domain::api_key::MachineScope;
use countersign_core::domain::time::Timestamp;
use countersign_core::port::Outside;
use countersign_core::service::{Change, Engine};
use data_encoding::BASE64URL_NOPAD;
use http::HeaderMap;
use http::header::ACCEPT;
use serde::Serialize;

use super::Reply;
use super::call::Call;
use super::session::json;
use crate::site::Site;
use crate::wire::problem::{Code, Problem};
use crate::wire::request::single;

/// Anything a revocation could say is small: an epoch, a hash, two generations.
#[derive(Serialize)]
struct FeedResponse<'a> {
    iss: &'a str,
    cursor: String,
    keep_seconds: u64,
    sessions: Vec<String>,
    users: Vec<UserPart>,
    abandoned: Vec<AbandonedPart>,
}

#[derive(Serialize)]
struct UserPart {
    user: String,
    epoch: u32,
}

#[derive(Serialize)]
struct AbandonedPart {
    session: String,
    first: u32,
    last: u32,
}

pub(super) async fn revocations<O: Outside>(site: Arc<Site<O>>, call: Call) -> Reply {
    let headers = &call.parts.headers;
    site.service_key(headers, MachineScope::ReadRevocations, &call.context).await?;
    if !site.engine.feed_is_current() {
        // Who has not heard must not tell others that there is nothing to hear.
        return Err(Problem::new(Code::StoreUnavailable, "This node has not heard of revocations lately.")
            .retry(Duration::from_secs(1)));
    }
    let resumed = single(headers, "last-event-id").map(str::to_owned);
    let since = resumed.or_else(|| call.query("since")).as_deref().and_then(read_cursor);
    if wants_stream(headers) {
        return live::stream(site, &call, since);
    }
    let until = site.engine.now();
    let mut position = site.engine.feed_start(since);
    let changes = site.engine.feed_next(&mut position, usize::MAX);
    Ok(json(&report(&site.engine, &changes, until)))
}

fn wants_stream(headers: &HeaderMap) -> bool {
    headers.get_all(ACCEPT).iter().any(|v| v.to_str().unwrap_or_default().contains("text/event-stream"))
}

/// A cursor is the instant up to which its reader knows everything, in milliseconds; to readers it is opaque.
fn cursor(until: Timestamp) -> String {
    until.as_millis().max(0).to_string()
}

/// What is no cursor is answered with everything.
fn read_cursor(text: &str) -> Option<Timestamp> {
    let digits = (1..=15).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok().map(Timestamp::from_millis)).flatten()
}

fn report<'e, O: Outside>(engine: &'e Engine<O>, changes: &[Change], until: Timestamp) -> FeedResponse<'e> {
    let (mut sessions, mut users, mut abandoned) = (Vec::new(), Vec::new(), Vec::new());
    for change in changes {
        match change {
            Change::Session(sid) => sessions.push(hash(&sid.to_claim())),
            Change::User(user, epoch) => users.push(UserPart { user: hash(user.as_str()), epoch: epoch.0 }),
            Change::Abandoned(sid, first, last) => {
                let session = hash(&sid.to_claim());
                abandoned.push(AbandonedPart { session, first: first.0, last: last.0 });
            }
        }
    }
    FeedResponse {
        iss: &engine.policy().access.issuer,
        cursor: cursor(until),
        keep_seconds: engine.feed_keeps().as_secs(),
        sessions,
        users,
        abandoned,
    }
}

/// The feed names nobody to a reader who does not hold the token (D08).
fn hash(claim: &str) -> String {
    BASE64URL_NOPAD.encode(digest::digest(&digest::SHA256, claim.as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors() {
        let at = Timestamp::from_millis(1_795_361_234_567);
        assert_eq!(read_cursor(&cursor(at)), Some(at));
        for bad in ["", "-1", "1.5", "x", " 1", "9999999999999999"] {
            assert_eq!(read_cursor(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_hash_as_documented() {
        assert_eq!(hash("test"), "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg");
    }
}
