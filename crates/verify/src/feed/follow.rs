//! Keeps a [`Feed`] up to date until the task ends.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, StatusCode};
use tokio::time::{Instant, sleep, timeout};

use super::Feed;
use super::sse::Parser;
use super::wire::{Changes, Heartbeat};
use crate::chance;
use crate::fetch::{FetchError, Get};

const PATH: &str = "/auth/revocations";
const STREAM: &[&str] = &["text/event-stream"];
const JSON: &[&str] = &["application/json"];
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Heartbeats come each second: a stream that says nothing for so long is dead, even if nobody closed it.
const SILENCE: Duration = Duration::from_secs(3);
/// Before the stream is tried again, and between polls while there is none.
const PAUSE: Duration = Duration::from_secs(1);
/// After 401 or 403: the key must be looked at, asking more often helps nobody.
const REFUSED_PAUSE: Duration = Duration::from_secs(30);
/// The longest snapshot: about half a million entries.
const MAX_SNAPSHOT: usize = 64 << 20;

/// Follows stream and poll. Never returns.
pub(crate) async fn follow(feed: Arc<Feed>) {
    tokio::join!(stream_for_ever(&feed), poll_for_ever(&feed));
}

async fn stream_for_ever(feed: &Feed) {
    loop {
        let error = match stream(feed).await {
            Ok(()) => FetchError::Unreadable("the stream ended"),
            Err(error) => error,
        };
        pause(&error, "stream").await;
    }
}

/// Polls while the stream does not deliver.
async fn poll_for_ever(feed: &Feed) {
    loop {
        // The stream is given the first word: at start it brings everything itself.
        sleep(chance::spread(PAUSE)).await;
        let streaming = feed.progress().fresh_at.is_some_and(|at| at.elapsed() < PAUSE * 3 / 2);
        if !streaming && let Err(error) = poll(feed).await {
            pause(&error, "poll").await;
        }
    }
}

async fn pause(error: &FetchError, way: &str) {
    let refused = matches!(error, FetchError::Status(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN));
    if refused {
        tracing::error!(%error, way, "the issuer refuses the API key of the revocation feed; it needs the scope revocations:read");
        sleep(REFUSED_PAUSE).await;
    } else {
        tracing::warn!(%error, way, "revocation feed");
        sleep(chance::spread(PAUSE)).await;
    }
}

async fn stream(feed: &Feed) -> Result<(), FetchError> {
    let cursor = feed.cursor();
    let header = cursor.as_ref().map(|cursor| (LAST_EVENT_ID, cursor.as_str()));
    let get = Get { target: PATH, types: STREAM, key: Some(&feed.key), header };
    let mut answer = feed.door.open(get).await?;
    let mut parser = Parser::default();
    loop {
        let piece = timeout(SILENCE, answer.next()).await.map_err(|_silent| FetchError::TimedOut)??;
        let Some(piece) = piece else { return Ok(()) };
        let events = parser.push(&piece).map_err(|_bad| FetchError::Unreadable("event stream"))?;
        for event in events {
            match &*event.name {
                "changes" => feed.learn(&read::<Changes>(event.data.as_bytes())?)?,
                "heartbeat" => feed.beat(read::<Heartbeat>(event.data.as_bytes())?)?,
                _ => {}
            }
        }
    }
}

async fn poll(feed: &Feed) -> Result<(), FetchError> {
    let target = match feed.cursor() {
        Some(cursor) => format!("{PATH}?since={}", cursor.as_str()),
        None => PATH.to_owned(),
    };
    // What is revoked while the answer is on its way is not in it.
    let asked = Instant::now();
    let get = Get { target: &target, types: JSON, key: Some(&feed.key), header: None };
    let body = feed.door.fetch(get, MAX_SNAPSHOT).await?;
    let changes = read::<Changes>(&body)?;
    feed.learn(&changes)?;
    feed.complete(changes.cursor, asked);
    Ok(())
}

fn read<'b, T: serde::Deserialize<'b>>(bytes: &'b [u8]) -> Result<T, FetchError> {
    serde_json::from_slice(bytes).map_err(|error| {
        tracing::debug!(%error, "revocation feed");
        FetchError::Unreadable("the feed is not in its format")
    })
}
