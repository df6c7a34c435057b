//! The Chrome DevTools Protocol over one WebSocket: commands with answers, and events.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::BrowserError;

/// For one command; a page that hangs hangs longer.
const PATIENCE: Duration = Duration::from_secs(20);
/// Answers hold whole pages.
const LARGEST: usize = 64 * 1024 * 1024;
/// Events that nobody has read yet.
const BACKLOG: usize = 4096;

/// What happened, in which tab.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) session: String,
    pub(super) method: String,
    pub(super) params: Value,
}

type Waiting = Arc<Mutex<HashMap<u64, oneshot::Sender<Result<Value, String>>>>>;

/// The connection.
#[derive(Debug)]
pub(super) struct Cdp {
    out: mpsc::Sender<String>,
    next: AtomicU64,
    waiting: Waiting,
    events: broadcast::Sender<Arc<Event>>,
    driver: AbortHandle,
}

impl Drop for Cdp {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Cdp {
    /// Connects to the browser at a loopback port.
    pub(super) async fn connect(port: u16, path: &str) -> Result<Self, String> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.map_err(|error| error.to_string())?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        let config = WebSocketConfig::default().max_message_size(Some(LARGEST)).max_frame_size(Some(LARGEST));
        let url = format!("ws://127.0.0.1:{port}{path}");
        let (socket, _answer) = tokio_tungstenite::client_async_with_config(url, stream, Some(config))
            .await
            .map_err(|error| error.to_string())?;
        let (out, mut queue) = mpsc::channel::<String>(64);
        let (events, _nobody) = broadcast::channel(BACKLOG);
        let waiting = Waiting::default();
        let (mut sink, mut source) = socket.split();
        let (answers, happened) = (Arc::clone(&waiting), events.clone());
        let driver = tokio::spawn(async move {
            loop {
                tokio::select! {
                    Some(text) = queue.recv() => {
                        if sink.send(Message::text(text)).await.is_err() {
                            break;
                        }
                    }
                    message = source.next() => match message {
                        Some(Ok(Message::Text(text))) => deliver(&text, &answers, &happened),
                        Some(Ok(_)) => {}
                        Some(Err(_)) | None => break,
                    }
                }
            }
            // Whoever waits is told that nothing comes any more.
            answers.lock().unwrap_or_else(PoisonError::into_inner).clear();
        });
        Ok(Self { out, next: AtomicU64::new(1), waiting, events, driver: driver.abort_handle() })
    }

    /// A command, to the browser or to one tab.
    pub(super) async fn call(
        &self,
        session: Option<&str>,
        method: &'static str,
        params: Value,
    ) -> Result<Value, BrowserError> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut command = json!({ "id": id, "method": method, "params": params });
        if let (Some(session), Some(members)) = (session, command.as_object_mut()) {
            members.insert("sessionId".into(), session.into());
        }
        let (tell, told) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(id, tell);
        self.out.send(command.to_string()).await.map_err(|_closed| BrowserError::Gone)?;
        match timeout(PATIENCE, told).await {
            Ok(Ok(Ok(value))) => Ok(value),
            Ok(Ok(Err(why))) => Err(BrowserError::Refused { method, why }),
            Ok(Err(_dropped)) => Err(BrowserError::Gone),
            Err(_elapsed) => {
                self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
                Err(BrowserError::Silent { method, after: PATIENCE })
            }
        }
    }

    /// Everything that happens from now on, in all tabs.
    pub(super) fn events(&self) -> broadcast::Receiver<Arc<Event>> {
        self.events.subscribe()
    }
}

fn deliver(text: &str, waiting: &Waiting, events: &broadcast::Sender<Arc<Event>>) {
    let Ok(mut message) = serde_json::from_str::<Value>(text) else { return };
    if let Some(id) = message.get("id").and_then(Value::as_u64) {
        let answer = match message.get("error").and_then(|error| error.get("message")) {
            Some(why) => Err(why.as_str().unwrap_or("no reason given").to_owned()),
            None => Ok(message.get_mut("result").map(Value::take).unwrap_or_default()),
        };
        let waiter = waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        if let Some(waiter) = waiter {
            // Who gave up waiting does not listen.
            drop(waiter.send(answer));
        }
        return;
    }
    let text = |name: &str| message.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (session, method) = (text("sessionId"), text("method"));
    let params = message.get_mut("params").map(Value::take).unwrap_or_default();
    // Without a listener nothing has to be kept.
    drop(events.send(Arc::new(Event { session, method, params })));
}
