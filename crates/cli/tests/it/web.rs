//! A browser without a window: one request a connection, cookies kept.

use crate::place::PASSWORD;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Cookies and where they belong.
#[derive(Clone)]
pub(crate) struct Browser {
    address: String,
    origin: String,
    cookies: BTreeMap<String, String>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The stable code of a problem.
    pub(crate) fn code(&self) -> String {
        let document: Value = serde_json::from_str(&self.body).unwrap_or_default();
        document["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The body as a document.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

impl Browser {
    pub(crate) fn new(address: &str, origin: &str) -> Self {
        Self { address: address.to_owned(), origin: origin.to_owned(), cookies: BTreeMap::new() }
    }

    /// The same site at the port that another browser uses: a server that was started again has another one.
    pub(crate) fn moved_to(&mut self, other: &Self) {
        self.address.clone_from(&other.address);
    }

    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[("accept", "application/json")], None)
    }

    /// As a person opens a page.
    pub(crate) fn open(&mut self, path: &str) -> Answer {
        let navigation = [
            ("accept", "text/html"),
            ("sec-fetch-site", "none"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        self.send("GET", path, &navigation, None)
    }

    /// As script of the application's own sends JSON.
    pub(crate) fn post(&mut self, path: &str, body: &Value) -> Answer {
        let token = self.get("/auth/csrf").json()["csrf_token"].as_str().unwrap().to_owned();
        let origin = self.origin.clone();
        let headers = [
            ("content-type", "application/json"),
            ("accept", "application/json"),
            ("sec-fetch-site", "same-origin"),
            ("origin", origin.as_str()),
            ("x-csrf-token", token.as_str()),
        ];
        self.send("POST", path, &headers, Some(&body.to_string()))
    }

    pub(crate) fn sign_up(&mut self, email: &str) {
        let answer = self.post("/auth/signup", &json!({ "email": email, "password": PASSWORD }));
        assert_eq!(answer.status, 201, "{}", answer.body);
    }

    pub(crate) fn log_in(&mut self, email: &str, password: &str) -> Answer {
        self.post("/auth/login", &json!({ "email": email, "password": password }))
    }

    /// As a service asks what a token is worth.
    pub(crate) fn introspect(&mut self, key: &str, token: &str) -> Answer {
        let bearer = format!("Bearer {key}");
        let headers =
            [("content-type", "application/x-www-form-urlencoded"), ("authorization", bearer.as_str())];
        self.send("POST", "/auth/introspect", &headers, Some(&format!("token={token}")))
    }

    /// The value of the cookie that holds such a token.
    pub(crate) fn cookie(&self, token: &str) -> String {
        let prefix = format!("cs-{token}");
        let found = self.cookies.iter().find(|(name, _)| name.contains(&prefix));
        found.unwrap_or_else(|| panic!("no {token} cookie")).1.clone()
    }

    /// Public id of the session.
    pub(crate) fn session(&mut self) -> String {
        self.get("/auth/session").json()["session"]["id"].as_str().unwrap().to_owned()
    }

    fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&str>) -> Answer {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let host = self.origin.split("://").nth(1).unwrap();
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self.cookies.is_empty() {
            let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request.push_str(&format!("cookie: {}\r\n", pairs.join("; ")));
        }
        let body = body.unwrap_or_default();
        request.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
        stream.write_all(request.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        self.keep_cookies(head);
        let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
        let body = if chunked { without_chunks(body) } else { body.to_owned() };
        Answer { status, head: head.to_owned(), body }
    }

    fn keep_cookies(&mut self, head: &str) {
        for line in head.lines() {
            let Some((name, value)) = line.split_once(": ") else { continue };
            if !name.eq_ignore_ascii_case("set-cookie") {
                continue;
            }
            let (pair, attributes) = value.split_once(';').unwrap_or((value, ""));
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

fn without_chunks(body: &str) -> String {
    let mut rest = body;
    let mut out = String::new();
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            break;
        }
        let (chunk, after) = after.split_at(size);
        out.push_str(chunk);
        rest = after.strip_prefix("\r\n").unwrap();
    }
    out
}
