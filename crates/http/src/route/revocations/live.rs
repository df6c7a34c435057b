//! The feed as server-sent events: what a reader missed, then whatever happens, within milliseconds.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use countersign_core::domain::api_key::MachineScope;
use countersign_core::domain::time::Timestamp;
use countersign_core::port::{Bus, Outside, Subscription};
use countersign_core::service::{Context, Position};
use futures_util::stream;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Response};
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::{cursor, report};
use crate::route::Reply;
use crate::route::call::Call;
use crate::site::Site;
use crate::wire::body::AnswerBody;
use crate::wire::problem::{Code, Problem};

/// Entries of one event at most: a reader needs no large buffer.
const MOST_CHANGES: usize = 1000;
/// Between two heartbeats; the key is looked at as often.
const BEAT: Duration = Duration::from_secs(1);
/// How often the journal is looked at for what came by a poll and not by the bus.
const LOOK: Duration = Duration::from_millis(250);
/// A reader who takes nothing for this long is gone.
const PATIENCE: Duration = Duration::from_secs(10);

/// Opens a stream for a reader who knows everything up to `since`.
pub(super) fn stream<O: Outside>(site: Arc<Site<O>>, call: &Call, since: Option<Timestamp>) -> Reply {
    let Ok(permit) = Arc::clone(&site.feeds).try_acquire_owned() else {
        return Err(Problem::new(Code::RateLimited, "Too many streams are open on this node. Poll instead.")
            .retry(Duration::from_secs(10)));
    };
    let (events, received) = mpsc::channel::<Bytes>(4);
    let mut key = HeaderMap::new();
    if let Some(value) = call.parts.headers.get(AUTHORIZATION) {
        key.insert(AUTHORIZATION, value.clone());
    }
    let reader = Reader { site, key, context: call.context.clone(), events, _permit: permit };
    tokio::spawn(reader.serve(since));
    let body = stream::unfold(received, |mut received| async move {
        let event = received.recv().await?;
        Some((Ok::<_, std::convert::Infallible>(event), received))
    });
    let mut answer = Response::new(AnswerBody::Route(Body::from_stream(body)));
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    // nginx would hold events back.
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(answer)
}

struct Reader<O: Outside> {
    site: Arc<Site<O>>,
    /// `Authorization` alone.
    key: HeaderMap,
    context: Context,
    events: mpsc::Sender<Bytes>,
    _permit: OwnedSemaphorePermit,
}

/// Completes when the server stops. (The watch's guard must not live across an await.)
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // A sender that is gone means the same.
    let _gone = stopping.wait_for(|stop| *stop).await.is_err();
}

/// The reader went away.
struct Gone;

impl<O: Outside> Reader<O> {
    async fn serve(self, since: Option<Timestamp>) {
        let mut stopping = self.site.live.stopping();
        // Before the journal is read: what happens in between is in one of the two.
        let mut notices = self.site.engine.outside().bus().subscribe();
        let mut position = self.site.engine.feed_start(since);
        let (mut beat, mut look) = (interval(BEAT), interval(LOOK));
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        if self.send(String::from("retry: 1000\n\n")).await.is_err() {
            return;
        }
        let mut due = false;
        loop {
            if self.tell(&mut position, due).await.is_err() {
                return;
            }
            due = false;
            tokio::select! {
                () = stopped(&mut stopping) => return,
                () = self.events.closed() => return,
                notice = notices.next() => if notice.is_none() { return },
                _ = look.tick() => {}
                _ = beat.tick() => {
                    if !self.may_read().await {
                        return;
                    }
                    due = true;
                }
            }
        }
    }

    /// Sends what is new, and a heartbeat behind it if one is due and this node knows enough to send one.
    async fn tell(&self, position: &mut Position, due: bool) -> Result<(), Gone> {
        let engine = &self.site.engine;
        let until = engine.now();
        loop {
            let changes = engine.feed_next(position, MOST_CHANGES);
            if changes.is_empty() {
                break;
            }
            let data = serde_json::to_string(&report(engine, &changes, until)).unwrap_or_default();
            self.send(format!("event: changes\ndata: {data}\n\n")).await?;
        }
        if due && engine.feed_is_current() {
            let cursor = cursor(until);
            let data = serde_json::json!({ "iss": &*engine.policy().access.issuer, "cursor": cursor });
            self.send(format!("event: heartbeat\nid: {cursor}\ndata: {data}\n\n")).await?;
        }
        Ok(())
    }

    async fn send(&self, event: String) -> Result<(), Gone> {
        match timeout(PATIENCE, self.events.send(event.into())).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Gone),
        }
    }

    /// Whether the key is still good. A store that does not answer ends no stream; without it there are no heartbeats.
    async fn may_read(&self) -> bool {
        let judged = self.site.service_key(&self.key, MachineScope::ReadRevocations, &self.context).await;
        judged.map_or_else(|problem| problem.status.is_server_error(), |_key| true)
    }
}
