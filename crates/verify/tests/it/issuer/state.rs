//! What the issuer knows, and how it misbehaves.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;

use super::TestKey;

/// What `/.well-known/jwks.json` does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum KeysAnswer {
    Good,
    /// The keys, under this status.
    Status(u16),
    Redirects(String),
    Html,
    Long,
    Endless,
    Never,
}

/// What one way to the feed does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Way {
    On,
    Off,
    Refused,
    /// Opens, and says nothing.
    Silent,
}

pub(crate) struct State {
    pub(crate) keys: Vec<Arc<TestKey>>,
    pub(crate) keys_answer: KeysAnswer,
    pub(crate) stream: Way,
    pub(crate) poll: Way,
    /// Who the feed is about.
    pub(crate) issuer: String,
    pub(crate) fetched_keys: usize,
    pub(crate) streams: usize,
    pub(crate) polls: usize,
    pub(crate) authorizations: BTreeSet<String>,
    entries: Value,
    pub(super) listeners: Vec<UnboundedSender<Bytes>>,
}

impl State {
    pub(super) fn new(origin: &str) -> Self {
        Self {
            keys: vec![Arc::new(TestKey::new())],
            keys_answer: KeysAnswer::Good,
            stream: Way::On,
            poll: Way::On,
            issuer: origin.to_owned(),
            fetched_keys: 0,
            streams: 0,
            polls: 0,
            authorizations: BTreeSet::new(),
            entries: json!({"sessions": [], "users": [], "abandoned": []}),
            listeners: Vec::new(),
        }
    }

    pub(super) fn jwks(&self) -> String {
        json!({"keys": self.keys.iter().map(|key| key.jwk.clone()).collect::<Vec<_>>()}).to_string()
    }

    fn cursor(&self) -> String {
        let lists = self.entries.as_object().unwrap().values();
        lists.map(|list| list.as_array().unwrap().len()).sum::<usize>().to_string()
    }

    /// Everything.
    pub(super) fn changes(&self) -> Value {
        let mut all = json!({"iss": self.issuer, "cursor": self.cursor(), "keep_seconds": 3660});
        for (name, list) in self.entries.as_object().unwrap() {
            all[name] = list.clone();
        }
        all
    }

    pub(super) fn heartbeat(&self) -> Bytes {
        event("heartbeat", &json!({"iss": self.issuer, "cursor": self.cursor()}))
    }

    /// Makes an entry without telling those who listen.
    pub(crate) fn note(&mut self, kind: &str, entry: &Value) {
        self.entries[kind].as_array_mut().unwrap().push(entry.clone());
    }

    /// Makes an entry, and tells all who listen.
    pub(crate) fn revoke(&mut self, kind: &str, entry: &Value) {
        self.note(kind, entry);
        let mut news = json!({
            "iss": self.issuer, "cursor": self.cursor(), "keep_seconds": 3660, "sessions": [], "users": [], "abandoned": [],
        });
        news[kind] = json!([entry]);
        self.tell(&event("changes", &news));
    }

    pub(super) fn tell(&mut self, news: &Bytes) {
        self.listeners.retain(|listener| listener.send(news.clone()).is_ok());
    }

    /// Breaks all streams.
    pub(crate) fn cut(&mut self) {
        self.listeners.clear();
    }
}

pub(super) fn event(name: &str, data: &Value) -> Bytes {
    format!("event: {name}\ndata: {data}\n\n").into()
}
