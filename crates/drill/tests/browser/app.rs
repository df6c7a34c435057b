//! An application with one of each mistake, or with none: pages, sessions in memory, on a port of its own.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Name and password.
pub(crate) const ACCOUNTS: [(&str, &str); 2] =
    [("ada@example.test", "violet tractor 47 clouds"), ("mallory@example.test", "nine quiet lanterns 3")];

/// What it does wrong.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mistakes {
    /// Script keeps the token in every place that there is.
    pub(crate) token_in_script: bool,
    /// Neither Origin nor SameSite is heeded.
    pub(crate) trusts_other_sites: bool,
    /// Anybody may frame it.
    pub(crate) framed: bool,
    /// What a user writes is shown as markup, and nothing stops inline script.
    pub(crate) believes_markup: bool,
    /// Pages stay in the browser's memory; script's caches keep personal answers.
    pub(crate) remembered: bool,
}

impl Mistakes {
    /// All of them.
    pub(crate) const ALL: Self = Self {
        token_in_script: true,
        trusts_other_sites: true,
        framed: true,
        believes_markup: true,
        remembered: true,
    };
}

#[derive(Default)]
struct State {
    /// Session to account.
    sessions: HashMap<String, usize>,
    biographies: [String; 2],
    drawn: u64,
}

/// A running application; its thread ends with the process of the test.
pub(crate) struct App {
    pub(crate) origin: String,
}

struct Request {
    method: String,
    path: String,
    headers: HashMap<String, String>,
    body: String,
}

struct Answer {
    status: &'static str,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl App {
    pub(crate) fn start(mistakes: Mistakes) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let state = Arc::new(Mutex::new(State::default()));
        let own = origin.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (state, own) = (Arc::clone(&state), own.clone());
                std::thread::spawn(move || serve(stream.unwrap(), mistakes, &state, &own));
            }
        });
        Self { origin }
    }
}

/// A browser that goes away in the middle of a request is nobody's fault.
fn serve(mut stream: TcpStream, mistakes: Mistakes, state: &Mutex<State>, own: &str) {
    let Some(request) = read(&stream) else { return };
    let mut answer = answer(&request, mistakes, &mut state.lock().unwrap(), own);
    answer.headers.push(("Content-Length", answer.body.len().to_string()));
    answer.headers.push(("Connection", "close".into()));
    let mut head = format!("HTTP/1.1 {}\r\n", answer.status);
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    drop(stream.write_all(format!("{head}\r\n{}", answer.body).as_bytes()));
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut parts = line.split(' ');
    let (method, path) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { method, path, headers, body: String::from_utf8_lossy(&body).into_owned() })
}

impl Request {
    fn field(&self, name: &str) -> String {
        let pairs = url::form_urlencoded::parse(self.body.as_bytes());
        pairs.into_iter().find(|(n, _)| n == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
    }

    fn session(&self) -> Option<&str> {
        self.headers.get("cookie")?.split("; ").find_map(|pair| pair.strip_prefix("sid="))
    }

    /// As a careful application asks: an unsafe request says where it comes from, and it is here.
    fn is_own(&self, own: &str) -> bool {
        self.headers.get("origin").is_some_and(|origin| origin == own)
    }
}

fn page(mistakes: Mistakes, title: &str, body: &str) -> Answer {
    let mut headers = vec![("Content-Type", "text/html; charset=utf-8".to_owned())];
    let mut policy = Vec::new();
    if !mistakes.believes_markup {
        policy.push("default-src 'self'");
    }
    if !mistakes.framed {
        policy.push("frame-ancestors 'none'");
    }
    if !policy.is_empty() {
        headers.push(("Content-Security-Policy", policy.join("; ")));
    }
    let caching = if mistakes.remembered { "private, max-age=600" } else { "no-store" };
    headers.push(("Cache-Control", caching.to_owned()));
    Answer { status: "200 OK", headers, body: format!("<!doctype html><title>{title}</title><body>{body}") }
}

fn to(place: &str, cookie: Option<String>) -> Answer {
    let mut headers = vec![("Location", place.to_owned()), ("Cache-Control", "no-store".to_owned())];
    headers.extend(cookie.map(|cookie| ("Set-Cookie", cookie)));
    Answer { status: "303 See Other", headers, body: String::new() }
}

fn plain(status: &'static str, kind: &str, body: &str) -> Answer {
    let headers = vec![("Content-Type", kind.to_owned()), ("Cache-Control", "no-store".to_owned())];
    Answer { status, headers, body: body.to_owned() }
}

fn answer(request: &Request, mistakes: Mistakes, state: &mut State, own: &str) -> Answer {
    let account = request.session().and_then(|sid| state.sessions.get(sid)).copied();
    let foreign = !mistakes.trusts_other_sites && request.method == "POST" && !request.is_own(own);
    if foreign {
        return plain("403 Forbidden", "text/plain", "sent from elsewhere");
    }
    match (&*request.method, request.path.split('?').next().unwrap_or_default(), account) {
        ("GET", "/", Some(account)) => home(mistakes, state, account, request.session().unwrap_or_default()),
        ("GET", "/", None) => to("/login", None),
        ("GET", "/login", _) => page(
            mistakes,
            "Sign in",
            "<form method=post action=/login><input name=email type=email><input name=password type=password><button>Sign in</button></form>",
        ),
        ("POST", "/login", _) => {
            let (email, password) = (request.field("email"), request.field("password"));
            let Some(account) = ACCOUNTS.iter().position(|account| *account == (&*email, &*password)) else {
                return plain("401 Unauthorized", "text/plain", "wrong name or password");
            };
            state.drawn += 1;
            let sid = format!("s{:039}", state.drawn * 7_919);
            state.sessions.insert(sid.clone(), account);
            // Browsers count localhost as secure, TLS or not.
            let attributes =
                if mistakes.trusts_other_sites { "; SameSite=None; Secure" } else { "; SameSite=Strict" };
            let http_only = if mistakes.token_in_script { "" } else { "; HttpOnly" };
            to("/", Some(format!("sid={sid}; Path=/{attributes}{http_only}")))
        }
        // Both lead to the port that stands in the query.
        ("GET", "/leads-away", _) => to(
            &format!("http://127.0.0.1:{}/login", request.path.split('?').nth(1).unwrap_or_default()),
            None,
        ),
        ("GET", "/foreign-form", _) => {
            let port = request.path.split('?').nth(1).unwrap_or_default();
            let away = format!("http://127.0.0.1:{port}");
            let body = format!(
                "<link rel=stylesheet href={away}/s.css><img src={away}/i.png><iframe src={away}/f></iframe>\
                 <form method=post action={away}/steal><input name=email><input name=password type=password><button>Go</button></form>\
                 <script>new WebSocket('ws://127.0.0.1:{port}/w'); fetch('{away}/x', {{ mode: 'no-cors' }}).catch(() => 0); open('{away}/popup');</script>"
            );
            plain("200 OK", "text/html", &body)
        }
        ("GET", "/me", Some(account)) => {
            plain("200 OK", "application/json", &format!("{{\"email\":\"{}\"}}", ACCOUNTS[account].0))
        }
        ("POST", "/profile", Some(account)) => {
            state.biographies[account] = request.field("biography");
            to("/", None)
        }
        ("POST", "/logout", Some(_)) => {
            state.sessions.remove(request.session().unwrap_or_default());
            to("/login", Some("sid=; Path=/; Max-Age=0".to_owned()))
        }
        (_, "/me" | "/profile" | "/logout", None) => plain("401 Unauthorized", "text/plain", "sign in first"),
        _ => plain("404 Not Found", "text/plain", "no such page"),
    }
}

fn home(mistakes: Mistakes, state: &State, account: usize, sid: &str) -> Answer {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    let biography = &state.biographies[account];
    let shown = if mistakes.believes_markup { biography.clone() } else { escaped(biography) };
    let mut body = format!(
        "<h1>Hello {}</h1><p id=shown>{shown}</p>\
         <form method=post action=/profile><textarea name=biography>{}</textarea><button>Save</button></form>\
         <form method=post action=/logout><button>Sign out</button></form>",
        ACCOUNTS[account].0,
        escaped(biography)
    );
    if mistakes.token_in_script {
        body.push_str(&format!(
            "<meta name=session-token content=\"{sid}\"><script>\
             localStorage.setItem('auth', JSON.stringify({{ user: {{ token: '{sid}' }} }}));\
             sessionStorage.setItem('authToken', '{sid}');\
             window.appState = {{ session: {{ token: '{sid}' }} }};\
             const open = indexedDB.open('app', 1);\
             open.onupgradeneeded = () => open.result.createObjectStore('kept');\
             open.onsuccess = () => {{ open.result.transaction('kept', 'readwrite').objectStore('kept').put({{ token: '{sid}' }}, 'me'); open.result.close(); }};\
             </script>"
        ));
    }
    if mistakes.remembered {
        body.push_str("<script>caches.open('app').then((cache) => cache.add('/me'));</script>");
    }
    page(mistakes, "Home", &body)
}
