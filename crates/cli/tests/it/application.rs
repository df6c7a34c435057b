//! An application of somebody else's, in miniature: a form, and a session cookie that is set before anybody signs in.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

pub(crate) const LOGIN: &str = "victim@example.test";
pub(crate) const SECRET: &str = "correct horse battery";

/// Served from a thread of its own until the test ends.
pub(crate) struct Application {
    pub(crate) url: String,
}

struct App {
    /// Attributes of the session cookie.
    attributes: &'static str,
    /// Session ids that exist, and whether somebody is signed in.
    sessions: Mutex<BTreeMap<String, bool>>,
    drawn: Mutex<u32>,
}

struct Request {
    method: String,
    path: String,
    session: Option<String>,
    fields: BTreeMap<String, String>,
}

impl Application {
    /// With these attributes of its session cookie.
    pub(crate) fn start(attributes: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Arc::new(App { attributes, sessions: Mutex::default(), drawn: Mutex::new(0) });
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let app = Arc::clone(&app);
                // A client that went away is no matter.
                std::thread::spawn(move || drop(app.serve(&stream)));
            }
        });
        Self { url }
    }

    /// `NAME:PASSWORD`.
    pub(crate) fn account() -> String {
        format!("{LOGIN}:{SECRET}")
    }
}

impl App {
    fn serve(&self, mut stream: &TcpStream) -> std::io::Result<()> {
        let Some(request) = read(stream)? else { return Ok(()) };
        let (status, kind, body, session) = self.answer(&request);
        let set = session
            .map(|id| format!("Set-Cookie: sid={id}; Path=/{}\r\n", self.attributes))
            .unwrap_or_default();
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status} .\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nCache-Control: no-store\r\n"
        );
        stream.write_all(format!("{head}{set}Connection: close\r\n\r\n{body}").as_bytes())
    }

    /// Status, content type, body, and the session that is set.
    fn answer(&self, request: &Request) -> (u16, &'static str, String, Option<String>) {
        let known = |id: &String| self.sessions.lock().unwrap().contains_key(id);
        let held = request.session.clone().filter(known);
        let is_in = held.as_ref().is_some_and(|id| self.sessions.lock().unwrap()[id]);
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/") => {
                let fresh = held.is_none().then(|| self.draw());
                let page = "<!doctype html><form method=post action=/enter><input name=email><input type=password name=password></form>";
                (200, "text/html", page.to_owned(), fresh)
            }
            ("POST", "/enter") => {
                let field = |name: &str| request.fields.get(name).map(String::as_str);
                if let (Some(id), true) =
                    (held, (field("email"), field("password")) == (Some(LOGIN), Some(SECRET)))
                {
                    self.sessions.lock().unwrap().insert(id, true);
                    return (200, "text/html", "<p>Welcome".to_owned(), None);
                }
                (401, "text/html", "<p>No".to_owned(), None)
            }
            ("GET", "/me") if is_in => (200, "application/json", format!("{{\"email\":\"{LOGIN}\"}}"), None),
            ("GET", "/me") => (401, "application/json", "{}".to_owned(), None),
            ("POST", "/logout") => {
                if let Some(id) = held {
                    self.sessions.lock().unwrap().remove(&id);
                }
                (204, "text/plain", String::new(), None)
            }
            _ => (404, "text/plain", "nothing here".to_owned(), None),
        }
    }

    fn draw(&self) -> String {
        let mut drawn = self.drawn.lock().unwrap();
        *drawn += 1;
        let id = format!("session-number-{drawn:08}");
        self.sessions.lock().unwrap().insert(id.clone(), false);
        id
    }
}

fn read(stream: &TcpStream) -> std::io::Result<Option<Request>> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return Ok(None) };
    let (mut length, mut session) = (0, None);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.trim().split_once(':') else { break };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap_or(0),
            "cookie" => {
                session = value.split("; ").find_map(|pair| pair.strip_prefix("sid=")).map(str::to_owned)
            }
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let fields = url::form_urlencoded::parse(&body).into_owned().collect();
    let path = target.split('?').next().unwrap_or_default().to_owned();
    Ok(Some(Request { method, path, session, fields }))
}

/// Ids of the checks in a JSON report that are findings.
pub(crate) fn findings(report: &serde_json::Value) -> BTreeSet<String> {
    let all = report["checks"].as_array().unwrap().iter();
    let found = all.filter(|check| check["result"]["verdict"] == "finding");
    found.map(|check| check["id"].as_str().unwrap().to_owned()).collect()
}
