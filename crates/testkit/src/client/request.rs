//! A request under construction, with what a browser would add by itself.

use bytes::Bytes;
use http::Method;
use serde_json::Value;

use super::answer::Answer;
use super::sender::Sender;
use super::text::percent_encode;
use super::{Client, Cookie};

/// Which cookies a request carries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cookies {
    /// Those that SameSite lets through for the [`Sender`].
    Browser,
    /// All, as a browser without SameSite would send them: what the server's own checks must hold against.
    All,
    /// Exactly this header; none if it is empty.
    Exactly(String),
}

/// A request under construction. Send it with [`Request::send`] or [`Request::expect`].
#[derive(Clone, Debug)]
pub struct Request {
    pub(super) client: Client,
    pub(super) method: Method,
    pub(super) target: String,
    sender: Sender,
    cookies: Cookies,
    headers: Vec<(String, Option<Vec<u8>>)>,
    pub(super) body: Bytes,
    follows_cookies: bool,
}

impl Request {
    pub(super) fn new(client: Client, method: Method, target: &str) -> Self {
        Self {
            client,
            method,
            target: target.to_owned(),
            sender: Sender::OwnFetch,
            cookies: Cookies::Browser,
            headers: Vec::new(),
            body: Bytes::new(),
            follows_cookies: true,
        }
    }

    /// Who causes it; `fetch()` of our own page unless said otherwise.
    #[must_use]
    pub fn sender(mut self, sender: Sender) -> Self {
        self.sender = sender;
        self
    }

    /// Which cookies it carries.
    #[must_use]
    pub fn cookies(mut self, cookies: Cookies) -> Self {
        self.cookies = cookies;
        self
    }

    /// Without any cookie.
    #[must_use]
    pub fn without_cookies(self) -> Self {
        self.cookies(Cookies::Exactly(String::new()))
    }

    /// The answer's cookies are not kept: it was lost on the way.
    #[must_use]
    pub fn losing_cookies(mut self) -> Self {
        self.follows_cookies = false;
        self
    }

    /// A header, in place of what a browser would send under that name.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_ascii_lowercase(), Some(value.as_ref().to_vec())));
        self
    }

    /// Leaves out what a browser would send under a name.
    #[must_use]
    pub fn without_header(mut self, name: &str) -> Self {
        self.headers.push((name.to_ascii_lowercase(), None));
        self
    }

    /// `Authorization: Bearer`.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// `X-CSRF-Token` with the last token that the client was given, if it was given one.
    #[must_use]
    pub fn with_csrf(self) -> Self {
        match self.client.csrf_token() {
            Some(token) => self.header("x-csrf-token", token),
            None => self,
        }
    }

    /// A JSON body.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// A urlencoded body.
    #[must_use]
    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        let pairs: Vec<String> =
            fields.iter().map(|(n, v)| format!("{}={}", percent_encode(n), percent_encode(v))).collect();
        self.body("application/x-www-form-urlencoded", pairs.join("&"))
    }

    /// Any body.
    #[must_use]
    pub fn body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.header("content-type", content_type)
    }

    /// Sends it, reads the whole answer, and follows its cookies.
    pub async fn send(self) -> Answer {
        super::wire::send(self).await
    }

    /// Sends it and asserts a problem. See [`Answer::expect`].
    pub async fn expect(self, status: u16, code: &str) -> Answer {
        self.send().await.expect(status, code)
    }

    /// Sends it and asserts the status.
    pub async fn expect_status(self, status: u16) -> Answer {
        self.send().await.expect_status(status)
    }

    /// Sends it and returns as soon as the head is there; the body streams.
    pub async fn open(self) -> http::Response<hyper::body::Incoming> {
        super::wire::open(&self).await
    }

    pub(super) const fn follows_cookies(&self) -> bool {
        self.follows_cookies
    }

    /// Every header in the order of sending.
    pub(super) fn all_headers(&self) -> Vec<(String, Vec<u8>)> {
        let door = &self.client.door;
        let safe = matches!(self.method, Method::GET | Method::HEAD | Method::OPTIONS);
        let mut own: Vec<(&str, String)> = vec![("host", host(&door.origin).to_owned())];
        if self.sender != Sender::Bare {
            own.push(("user-agent", self.client.agent.clone()));
            let accept = if self.sender.navigates() { "text/html,*/*;q=0.8" } else { "*/*" };
            own.push(("accept", accept.to_owned()));
        }
        if let Some([site, mode, dest]) = self.sender.fetch_metadata() {
            own.push(("sec-fetch-site", site.to_owned()));
            own.push(("sec-fetch-mode", mode.to_owned()));
            own.push(("sec-fetch-dest", dest.to_owned()));
        }
        own.extend(self.sender.origin(&door.origin, safe).map(|origin| ("origin", origin)));
        if door.proxied {
            own.push(("x-forwarded-proto", String::from("https")));
            own.push(("x-forwarded-for", self.client.address.clone()));
        }
        own.extend(self.cookie_header().map(|cookies| ("cookie", cookies)));
        let kept = own.into_iter().filter(|(name, _)| !self.headers.iter().any(|(n, _)| n == name));
        let mut all: Vec<(String, Vec<u8>)> =
            kept.map(|(name, value)| (name.to_owned(), value.into_bytes())).collect();
        all.extend(self.headers.iter().filter_map(|(n, v)| Some((n.clone(), v.clone()?))));
        all
    }

    fn cookie_header(&self) -> Option<String> {
        match &self.cookies {
            Cookies::Exactly(header) => (!header.is_empty()).then(|| header.clone()),
            Cookies::All => self.client.jar().header(|_| true),
            Cookies::Browser => {
                let top_level_get = self.sender.navigates() && self.method == Method::GET;
                let passes = |cookie: &Cookie| {
                    !self.sender.is_foreign()
                        || match cookie.attribute("SameSite") {
                            Some("Strict") => false,
                            Some("None") => true,
                            _ => top_level_get,
                        }
                };
                self.client.jar().header(passes)
            }
        }
    }
}

fn host(origin: &str) -> &str {
    origin.split_once("://").map_or(origin, |(_, host)| host)
}
