//! A small application that does everything right, and everything wrong that it is told to.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What it does wrong. Names are those of the checks where one check sees one mistake.
pub(crate) type Mistakes = BTreeSet<&'static str>;

const SECRET: &[u8] = b"a long secret of the fake application, in no list";
pub(crate) const VICTIM: &str = "victim@example.test";
pub(crate) const ATTACKER: &str = "attacker@example.test";
pub(crate) const PASSWORD: &str = "correct horse battery";

/// How it keeps people signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// An opaque access cookie of fifteen minutes and a rotating refresh cookie.
    Cookies,
    /// A JWT in the body, sent as bearer, with a rotating refresh token in the body.
    Bearer,
}

#[derive(Debug, Clone)]
struct Family {
    user: String,
    generation: u32,
    alive: bool,
    rotated_at: Option<Instant>,
}

#[derive(Debug, Default)]
struct State {
    /// Access tokens of the cookie style, by family.
    access: BTreeMap<String, usize>,
    families: Vec<Family>,
    failures: BTreeMap<String, u32>,
    biography: BTreeMap<String, String>,
    email: BTreeMap<String, String>,
    notes: BTreeMap<u32, String>,
    counter: u32,
    log: Vec<u8>,
    cache: BTreeMap<String, Vec<u8>>,
}

#[derive(Debug)]
pub(crate) struct Fake {
    pub(crate) url: String,
    pub(crate) log: tempfile::NamedTempFile,
    state: Arc<Mutex<State>>,
}

impl Fake {
    pub(crate) async fn start(style: Style, mistakes: &[&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let app = Arc::new(App {
            style,
            mistakes: mistakes.iter().copied().collect(),
            state: Arc::clone(&state),
            origin: url.clone(),
        });
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let app = Arc::clone(&app);
                tokio::spawn(async move {
                    let service = service_fn(move |request| {
                        let app = Arc::clone(&app);
                        async move { Ok::<_, Infallible>(app.answer(request).await) }
                    });
                    drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
                });
            }
        });
        Self { url, log: tempfile::NamedTempFile::new().unwrap(), state }
    }

    /// Writes what was logged so far into the file. Called before the drill reads it.
    pub(crate) fn flush(&self) {
        self.log.as_file().write_all(&self.state.lock().unwrap().log).unwrap();
    }

    /// A token of the fake's that is good but for having expired.
    pub(crate) fn expired() -> String {
        signed(SECRET, &json!({ "sub": VICTIM, "exp": 1, "purpose": "access", "family": 0 }))
    }

    pub(crate) fn biography(&self) -> String {
        self.state.lock().unwrap().biography.get(VICTIM).cloned().unwrap_or_default()
    }
}

struct App {
    style: Style,
    mistakes: Mistakes,
    state: Arc<Mutex<State>>,
    origin: String,
}

struct Asked {
    method: Method,
    path: String,
    query: BTreeMap<String, String>,
    headers: HeaderMap,
    body: Bytes,
}

impl Asked {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    fn cookie(&self, name: &str) -> Option<String> {
        let all = self.header("cookie");
        all.split("; ").find_map(|pair| pair.strip_prefix(&format!("{name}="))).map(str::to_owned)
    }

    fn fields(&self) -> BTreeMap<String, String> {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if let Ok(Value::Object(members)) = serde_json::from_slice(&self.body) {
            return members.iter().map(|(name, value)| (name.clone(), text(value))).collect();
        }
        url::form_urlencoded::parse(&self.body).into_owned().collect()
    }
}

struct Said {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

fn said(status: u16, body: Value) -> Said {
    Said { status, headers: vec![("content-type".into(), "application/json".into())], body: body.to_string() }
}

impl Said {
    fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

fn signed(key: &[u8], claims: &Value) -> String {
    let head = json!({ "alg": "HS256", "typ": "at+jwt", "kid": "1" });
    let signed = format!(
        "{}.{}",
        BASE64URL_NOPAD.encode(head.to_string().as_bytes()),
        BASE64URL_NOPAD.encode(claims.to_string().as_bytes())
    );
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), signed.as_bytes());
    format!("{signed}.{}", BASE64URL_NOPAD.encode(tag.as_ref()))
}

fn now() -> i64 {
    i64::try_from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs())
        .unwrap()
}

impl App {
    fn wrong(&self, mistake: &str) -> bool {
        self.mistakes.contains(mistake)
    }

    fn key(&self) -> &'static [u8] {
        if self.wrong("jwt-weak-secret") { b"secret" } else { SECRET }
    }

    fn sign(&self, claims: &Value) -> String {
        signed(self.key(), claims)
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        let query = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes())
            .into_owned()
            .collect();
        let asked = Asked {
            method: parts.method,
            path: parts.uri.path().to_owned(),
            query,
            headers: parts.headers,
            body,
        };
        if self.wrong("token-in-log") {
            let line = format!(
                "{} authorization={} cookie={}\n",
                asked.path,
                asked.header("authorization"),
                asked.header("cookie")
            );
            self.state.lock().unwrap().log.extend_from_slice(line.as_bytes());
        } else {
            self.state.lock().unwrap().log.extend_from_slice(format!("{}\n", asked.path).as_bytes());
        }
        if self.wrong("enumeration-time") && asked.path == "/api/login" {
            let known =
                asked.fields().values().any(|value| value.ends_with(VICTIM) || value.ends_with(ATTACKER));
            tokio::time::sleep(Duration::from_millis(if known { 150 } else { 1 })).await;
        }
        let mut said = self.route(&asked);
        if self.wrong("cors-reflection") && !asked.header("origin").is_empty() {
            said = said
                .with("access-control-allow-origin", asked.header("origin"))
                .with("access-control-allow-credentials", "true");
        }
        let mut response = Response::builder().status(StatusCode::from_u16(said.status).unwrap());
        for (name, value) in &said.headers {
            response = response.header(name, value);
        }
        response.body(Full::new(Bytes::from(said.body))).unwrap()
    }

    fn route(&self, asked: &Asked) -> Said {
        let foreign = {
            let site = asked.header("sec-fetch-site");
            let origin = asked.header("origin");
            let other_site = !matches!(site, "" | "same-origin" | "none");
            origin != self.origin && (other_site || !origin.is_empty())
        };
        let is_unsafe = !matches!(asked.method, Method::GET | Method::HEAD | Method::OPTIONS);
        let lax = match asked.path.as_str() {
            "/api/login" => self.wrong("login-csrf"),
            "/api/logout" => self.wrong("csrf-logout"),
            "/api/me" => self.wrong("csrf"),
            _ => false,
        };
        if is_unsafe && foreign && !lax {
            return said(403, json!({ "error": "origin" }));
        }
        match (&asked.method, asked.path.as_str()) {
            (&Method::GET, "/") => self.page(asked.cookie("access").is_none()),
            (&Method::GET, "/app.js") => Said {
                status: 200,
                headers: vec![("content-type".into(), "text/javascript".into())],
                body:
                    "fetch(`/api/me`);fetch('/api/login');fetch(`/api/notes/${n}/delete`);fetch(\"/api/key\")"
                        .into(),
            },
            (&Method::POST, "/api/login") => self.login(asked),
            (&Method::POST, "/api/refresh") => self.refresh(asked),
            (_, "/api/logout") if asked.method == Method::POST || self.wrong("logout-by-get") => {
                self.logout(asked)
            }
            (_, "/api/me") => self.me(asked),
            (_, path) if path.starts_with("/api/me") && self.wrong("cache-deception") => self.me(asked),
            (_, path) if path.starts_with("/api/notes") => self.notes(asked),
            (&Method::GET, "/api/key") if self.wrong("api-key-limits") => match self.who(asked) {
                Some(user) => {
                    said(200, json!({ "api_key": format!("key-of-{user}-0123456789").replace('@', "-") }))
                }
                None => said(401, json!({})),
            },
            (&Method::GET, "/go") if self.wrong("open-redirect") => {
                let to = asked.query.get("next").cloned().unwrap_or_else(|| "/".into());
                said(302, json!({})).with("location", to.replace('\t', "%09"))
            }
            (&Method::GET, "/.well-known/jwks.json") => said(404, json!({})),
            _ => said(404, json!({ "error": "there is nothing here" })),
        }
    }

    fn page(&self, is_new: bool) -> Said {
        let body =
            "<!doctype html><title>Fake</title><div id=app></div><script src=/app.js></script>".to_owned();
        let page = Said { status: 200, headers: vec![("content-type".into(), "text/html".into())], body };
        if is_new && self.wrong("session-fixation") {
            page.with("set-cookie", format!("access={}; Path=/; HttpOnly; SameSite=Lax", self.fresh("pre")))
        } else {
            page
        }
    }

    fn fresh(&self, kind: &str) -> String {
        let mut state = self.state.lock().unwrap();
        state.counter += 1;
        let tag = hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA256, SECRET),
            format!("{kind}{}{}", state.counter, self.origin).as_bytes(),
        );
        BASE64URL_NOPAD.encode(tag.as_ref())
    }

    fn login(&self, asked: &Asked) -> Said {
        let fields = asked.fields();
        // JSON as text/plain, or a form, is what another site can send.
        let plain = asked.header("content-type") != "application/json";
        if plain && !self.wrong("login-csrf") {
            return said(415, json!({ "error": "json" }));
        }
        let user = fields.get("email").cloned().unwrap_or_default();
        let known = [VICTIM, ATTACKER].contains(&&*user);
        {
            let mut state = self.state.lock().unwrap();
            let failures = state.failures.get(&user).copied().unwrap_or_default();
            if failures >= 60 && !self.wrong("throttling") {
                return said(429, json!({ "error": "too many" }));
            }
            if !known || fields.get("password").map(String::as_str) != Some(PASSWORD) {
                *state.failures.entry(user).or_default() += 1;
                if self.wrong("enumeration") && !known {
                    return said(404, json!({ "error": "there is no such account" }));
                }
                return said(401, json!({ "error": "wrong" }));
            }
        }
        let family = {
            let mut state = self.state.lock().unwrap();
            state.families.push(Family { user, generation: 1, alive: true, rotated_at: None });
            state.families.len() - 1
        };
        let adopted = self.wrong("session-fixation").then(|| asked.cookie("access")).flatten();
        self.tokens(family, adopted)
    }

    /// The answer with the tokens of a family's present generation.
    fn tokens(&self, family: usize, adopted: Option<String>) -> Said {
        let (user, generation) = {
            let state = self.state.lock().unwrap();
            let family = &state.families[family];
            (family.user.clone(), family.generation)
        };
        let refresh = self
            .sign(&json!({ "family": family, "generation": generation, "purpose": "refresh" }))
            .replace('.', "~");
        match self.style {
            Style::Cookies => {
                let access = adopted.unwrap_or_else(|| self.fresh("access"));
                self.state.lock().unwrap().access.insert(access.clone(), family);
                let mut attributes = "Path=/".to_owned();
                if !self.wrong("cookie-httponly") {
                    attributes.push_str("; HttpOnly");
                }
                if !self.wrong("cookie-samesite") {
                    attributes.push_str("; SameSite=Lax");
                }
                let life = if self.wrong("access-lifetime") { 30 * 86_400 } else { 900 };
                let mut body = json!({ "ok": true });
                if self.wrong("token-in-body") {
                    body = json!({ "ok": true, "token": access });
                }
                said(200, body)
                    .with("set-cookie", format!("access={access}; Max-Age={life}; {attributes}"))
                    .with("set-cookie", format!("refresh={refresh}; Max-Age=2592000; {attributes}"))
            }
            Style::Bearer => {
                let life = if self.wrong("access-lifetime") { 30 * 86_400 } else { 900 };
                let mut claims = json!({ "iss": self.origin, "aud": "fake", "sub": user, "iat": now(), "exp": now() + life, "purpose": "access", "family": family });
                if self.wrong("jwt-claims") {
                    claims = json!({ "sub": user, "iat": now(), "exp": now() + life, "family": family });
                }
                said(200, json!({ "access_token": self.sign(&claims), "refresh_token": refresh }))
            }
        }
    }

    fn refresh(&self, asked: &Asked) -> Said {
        let given = match self.style {
            Style::Cookies => asked.cookie("refresh"),
            Style::Bearer => asked.fields().get("refresh_token").cloned(),
        };
        let claims = given.and_then(|token| claims(&token.replace('~', "."), self));
        let Some(claims) = claims else { return said(401, json!({ "error": "token" })) };
        let (index, generation) = (
            claims["family"].as_u64().unwrap_or(u64::MAX),
            claims["generation"].as_u64().unwrap_or_default(),
        );
        let index = usize::try_from(index).unwrap();
        {
            let mut state = self.state.lock().unwrap();
            let dead_ok = self.wrong("logout-revokes-refresh");
            let Some(family) = state.families.get_mut(index) else { return said(401, json!({})) };
            if !family.alive && !dead_ok {
                return said(401, json!({ "error": "ended" }));
            }
            let current = u64::from(family.generation);
            let grace = family.rotated_at.is_some_and(|at| at.elapsed() < Duration::from_secs(10));
            if generation == current {
                if !self.wrong("refresh-replay") {
                    family.generation += 1;
                    family.rotated_at = Some(Instant::now());
                }
            } else if !grace || self.wrong("honest-tabs") {
                if !self.wrong("refresh-reuse-detection") {
                    family.alive = false;
                }
                return said(401, json!({ "error": "reused" }));
            }
        }
        self.tokens(index, None)
    }

    fn logout(&self, asked: &Asked) -> Said {
        let family = match self.style {
            Style::Cookies => asked
                .cookie("access")
                .and_then(|access| self.state.lock().unwrap().access.get(&access).copied()),
            Style::Bearer => claims(asked.header("authorization").trim_start_matches("Bearer "), self)
                .and_then(|claims| usize::try_from(claims["family"].as_u64()?).ok()),
        };
        if let Some(family) = family
            && !self.wrong("logout-revokes")
        {
            self.state.lock().unwrap().families[family].alive = false;
        }
        said(200, json!({}))
            .with("set-cookie", "access=; Max-Age=0; Path=/")
            .with("set-cookie", "refresh=; Max-Age=0; Path=/")
    }

    fn who(&self, asked: &Asked) -> Option<String> {
        if self.wrong("identity-headers") {
            for name in ["x-forwarded-user", "x_user"] {
                if [VICTIM, ATTACKER].contains(&asked.header(name)) {
                    return Some(asked.header(name).to_owned());
                }
            }
        }
        if self.wrong("api-key-limits") {
            let given = if self.wrong("api-key-in-url") { asked.query.get("api_key").cloned() } else { None };
            let key = given.unwrap_or_else(|| asked.header("x-api-key").to_owned());
            for user in [VICTIM, ATTACKER] {
                if key == format!("key-of-{user}-0123456789").replace('@', "-") {
                    return Some(user.to_owned());
                }
            }
        }
        let family = match self.style {
            Style::Cookies => {
                let mut access = asked.cookie("access");
                if self.wrong("token-in-url") {
                    access = access.or_else(|| asked.query.get("token").cloned());
                }
                let state = self.state.lock().unwrap();
                state.access.get(&access?).copied()?
            }
            Style::Bearer => {
                let mut token = asked.header("authorization").trim_start_matches("Bearer ").to_owned();
                if self.wrong("token-in-url") && token.is_empty() {
                    token = asked.query.get("access_token").cloned()?;
                }
                if self.wrong("wrong-purpose") {
                    token = token.replace('~', ".");
                }
                let claims = claims(&token, self)?;
                let kind = claims["purpose"].as_str().unwrap_or("access");
                // A token of another deployment, with the same key.
                let foreign = claims["iss"].as_str().is_some_and(|iss| iss != self.origin);
                if foreign && !self.wrong("wrong-environment") {
                    return None;
                }
                let expired = claims["exp"].as_i64().is_some_and(|exp| exp <= now());
                if kind != "access" && !self.wrong("wrong-purpose") || expired && !self.wrong("must-refuse") {
                    return None;
                }
                usize::try_from(claims["family"].as_u64()?).ok()?
            }
        };
        let state = self.state.lock().unwrap();
        let family = state.families.get(family)?;
        (family.alive || self.wrong("logout-revokes")).then(|| family.user.clone())
    }

    fn me(&self, asked: &Asked) -> Said {
        let key = format!("{}{:?}", asked.path, asked.query);
        if self.wrong("shared-cache-hit") && asked.method == Method::GET && asked.query.contains_key("drill")
        {
            let cached = self.state.lock().unwrap().cache.get(&key).cloned();
            if let Some(cached) = cached {
                return said(200, serde_json::from_slice(&cached).unwrap());
            }
        }
        let Some(user) = self.who(asked) else { return said(401, json!({ "error": "please log in" })) };
        let mut state = self.state.lock().unwrap();
        if asked.method != Method::GET && asked.method != Method::HEAD {
            let fields = asked.fields();
            if let Some(text) = fields.get("biography") {
                state.biography.insert(user.clone(), text.clone());
            }
            match fields.get("email") {
                Some(email) if self.wrong("step-up") => drop(state.email.insert(user.clone(), email.clone())),
                Some(_) => return said(403, json!({ "error": "sign in again first" })),
                None => {}
            }
        }
        let biography = state.biography.get(&user).cloned().unwrap_or_default();
        let email = state.email.get(&user).cloned().unwrap_or_else(|| user.clone());
        let body = json!({ "user": { "email": email, "biography": biography } });
        state.cache.insert(key, body.to_string().into_bytes());
        let control = if self.wrong("shared-cache") || self.wrong("cache-deception") {
            "public, max-age=60"
        } else {
            "no-store"
        };
        said(200, body).with("cache-control", control)
    }

    fn notes(&self, asked: &Asked) -> Said {
        if self.who(asked).is_none() {
            return said(401, json!({}));
        }
        let mut state = self.state.lock().unwrap();
        let rest = asked.path.trim_start_matches("/api/notes").trim_matches('/').to_owned();
        if rest.is_empty() {
            if asked.method == Method::POST {
                let id = u32::try_from(state.notes.len()).unwrap() + 1;
                state.notes.insert(id, asked.fields().get("text").cloned().unwrap_or_default());
                return said(201, json!({ "note": { "id": id } }));
            }
            return said(200, json!({ "notes": state.notes.values().collect::<Vec<_>>() }));
        }
        match rest.strip_suffix("/delete") {
            Some(id) if asked.method == Method::POST || self.wrong("state-changing-get") => {
                let gone = id.parse().ok().and_then(|id: u32| state.notes.remove(&id));
                said(200, json!({ "deleted": gone.is_some() }))
            }
            _ => said(404, json!({})),
        }
    }
}

/// The claims of a token, if its signature holds, or is not looked at.
fn claims(token: &str, app: &App) -> Option<Value> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (head, payload) = signed.split_once('.')?;
    let head: Value = serde_json::from_slice(&BASE64URL_NOPAD.decode(head.as_bytes()).ok()?).ok()?;
    let claims = serde_json::from_slice(&BASE64URL_NOPAD.decode(payload.as_bytes()).ok()?).ok()?;
    let tag = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap_or_default();
    let alg = head["alg"].as_str().unwrap_or_default();
    let by =
        |key: &[u8]| hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, key), signed.as_bytes(), &tag).is_ok();
    let good = by(app.key());
    let none = app.wrong("jwt-alg-none") && alg.eq_ignore_ascii_case("none");
    let file =
        app.wrong("jwt-kid") && head["kid"].as_str().is_some_and(|kid| kid.ends_with("/dev/null")) && by(b"");
    (good || none || file || app.wrong("jwt-signature")).then_some(claims)
}
