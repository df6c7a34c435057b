//! Requests and answers.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::Value;

pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: BTreeMap<String, String>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Asked {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(super) fn cookie(&self, name: &str) -> Option<String> {
        let all = self.header("cookie");
        all.split("; ").find_map(|pair| pair.strip_prefix(&format!("{name}="))).map(str::to_owned)
    }

    pub(super) fn fields(&self) -> BTreeMap<String, String> {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if let Ok(Value::Object(members)) = serde_json::from_slice(&self.body) {
            return members.iter().map(|(name, value)| (name.clone(), text(value))).collect();
        }
        url::form_urlencoded::parse(&self.body).into_owned().collect()
    }
}

pub(super) struct Said {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

pub(super) fn said(status: u16, body: Value) -> Said {
    Said { status, headers: vec![("content-type".into(), "application/json".into())], body: body.to_string() }
}

impl Said {
    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}
