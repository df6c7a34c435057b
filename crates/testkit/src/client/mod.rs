//! A browser, as far as cookies and request headers go.

mod answer;
mod jar;
mod request;
mod sender;
mod text;
mod wire;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use countersign_core::domain::cookie::{CookieKind, CookiePolicy};
use http::Method;
use serde_json::json;

pub use answer::Answer;
pub use jar::Cookie;
pub(crate) use jar::Jar;
pub use request::{Cookies, Request};
pub use sender::Sender;
pub(crate) use text::percent_decode;

/// How a site is reached.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) address: SocketAddr,
    pub(crate) origin: String,
    pub(crate) cookies: CookiePolicy,
    pub(crate) tls: Option<Arc<rustls::ClientConfig>>,
    /// Whether requests carry the headers of a trusted proxy.
    pub(crate) proxied: bool,
}

/// A browser. Clones share the jar; [`Client::copy`] is a thief's copy of it.
#[derive(Clone, Debug)]
pub struct Client {
    door: Arc<Door>,
    jar: Arc<Mutex<Jar>>,
    csrf: Arc<Mutex<Option<String>>>,
    address: String,
    agent: String,
}

impl Client {
    pub(crate) fn new(door: Arc<Door>) -> Self {
        Self {
            door,
            jar: Arc::default(),
            csrf: Arc::default(),
            address: String::from("203.0.113.7"),
            agent: String::from("Mozilla/5.0 (X11; Linux x86_64) TestBrowser/1"),
        }
    }

    /// The same browser at another address (told by the trusted proxy, so only where there is one).
    #[must_use]
    pub fn at(mut self, address: &str) -> Self {
        self.address = address.to_owned();
        self
    }

    /// The same browser with another `User-Agent`.
    #[must_use]
    pub fn agent(mut self, agent: &str) -> Self {
        self.agent = agent.to_owned();
        self
    }

    /// Another browser with a copy of this jar as it is now: what somebody has who stole it.
    #[must_use]
    pub fn copy(&self) -> Self {
        let (jar, csrf) = (self.jar().clone(), self.csrf_token());
        Self { jar: Arc::new(Mutex::new(jar)), csrf: Arc::new(Mutex::new(csrf)), ..self.clone() }
    }

    pub(crate) fn moved_to(self, door: Arc<Door>) -> Self {
        Self { door, ..self }
    }

    /// A request of any method.
    #[must_use]
    pub fn request(&self, method: Method, target: &str) -> Request {
        Request::new(self.clone(), method, target)
    }

    /// GET.
    #[must_use]
    pub fn get(&self, target: &str) -> Request {
        self.request(Method::GET, target)
    }

    /// POST, without a body so far.
    #[must_use]
    pub fn post(&self, target: &str) -> Request {
        self.request(Method::POST, target)
    }

    /// DELETE.
    #[must_use]
    pub fn delete(&self, target: &str) -> Request {
        self.request(Method::DELETE, target)
    }

    /// Asks for a CSRF token, for the session or for the pre-session, and remembers it.
    pub async fn csrf(&self) -> String {
        let answer = self.get("/auth/csrf").send().await.expect_status(200);
        let token = answer.json()["csrf_token"].as_str().expect("csrf_token").to_owned();
        self.remember_csrf(&token);
        token
    }

    /// POST `/auth/login` with a token of its own.
    pub async fn log_in(&self, email: &str, password: &str) -> Answer {
        self.enter("/auth/login", email, password).await
    }

    /// POST `/auth/signup` with a token of its own.
    pub async fn sign_up(&self, email: &str, password: &str) -> Answer {
        self.enter("/auth/signup", email, password).await
    }

    async fn enter(&self, target: &str, email: &str, password: &str) -> Answer {
        self.csrf().await;
        let answer =
            self.post(target).with_csrf().json(&json!({ "email": email, "password": password })).send().await;
        if answer.status().is_success()
            && let Some(token) = answer.json()["csrf_token"].as_str()
        {
            self.remember_csrf(token);
        }
        answer
    }

    /// POST `/auth/refresh`.
    pub async fn refresh(&self) -> Answer {
        self.post("/auth/refresh").with_csrf().send().await
    }

    /// POST `/auth/logout`.
    pub async fn log_out(&self) -> Answer {
        self.post("/auth/logout").with_csrf().send().await
    }

    /// The value of one of the site's cookies.
    #[must_use]
    pub fn cookie(&self, kind: CookieKind) -> Option<String> {
        self.jar().value(self.door.cookies.name(kind)).map(str::to_owned)
    }

    /// Puts a cookie of the site into the jar, as if it had been set.
    pub fn put_cookie(&self, kind: CookieKind, value: &str) {
        let name = self.door.cookies.name(kind).to_owned();
        self.jar().put(&format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Strict"));
    }

    /// Loses a cookie of the site.
    pub fn drop_cookie(&self, kind: CookieKind) {
        self.jar().remove(self.door.cookies.name(kind));
    }

    /// All cookies in the jar.
    #[must_use]
    pub fn cookies(&self) -> Vec<Cookie> {
        self.jar().all()
    }

    /// The last CSRF token that this browser was given.
    #[must_use]
    pub fn csrf_token(&self) -> Option<String> {
        self.csrf.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn remember_csrf(&self, token: &str) {
        *self.csrf.lock().unwrap_or_else(PoisonError::into_inner) = Some(token.to_owned());
    }

    fn jar(&self) -> MutexGuard<'_, Jar> {
        self.jar.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
