//! One request, and the page it pretends to come from.

use http::Method;
use serde_json::Value;
use url::Url;
use url::form_urlencoded::Serializer;

/// Where a request comes from: decides Origin, Sec-Fetch headers and cookies, as a browser would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// Somebody types the address or follows a bookmark.
    Bar,
    /// The application's own page navigates: a link, a form.
    Page,
    /// The application's own script fetches.
    Script,
    /// No browser: no such headers, all cookies.
    Program,
    /// A form of another site, which navigates. Its origin.
    CrossForm(String),
    /// A link of another site.
    CrossLink(String),
    /// An image of another site.
    CrossImage(String),
    /// A script of another site, with credentials.
    CrossFetch(String),
    /// A form of a sibling subdomain: another origin of the same site, so that SameSite does not help.
    SiblingForm(String),
}

impl From {
    /// Whether SameSite cookies stay at home.
    #[must_use]
    pub const fn is_cross_site(&self) -> bool {
        matches!(self, Self::CrossForm(_) | Self::CrossLink(_) | Self::CrossImage(_) | Self::CrossFetch(_))
    }

    /// Whether it shows in the address bar.
    #[must_use]
    pub const fn is_top_level(&self) -> bool {
        matches!(
            self,
            Self::Bar | Self::Page | Self::CrossForm(_) | Self::CrossLink(_) | Self::SiblingForm(_)
        )
    }

    /// Origin (where a browser sends it) and Sec-Fetch headers. `own` is the target's origin.
    #[must_use]
    pub fn headers(&self, method: &Method, own: &str) -> Vec<(&'static str, String)> {
        let is_unsafe = !matches!(*method, Method::GET | Method::HEAD);
        let (site, mode, dest, origin) = match self {
            Self::Program => return Vec::new(),
            Self::Bar => ("none", "navigate", "document", None),
            Self::Page => ("same-origin", "navigate", "document", is_unsafe.then_some(own)),
            Self::Script => ("same-origin", "cors", "empty", is_unsafe.then_some(own)),
            Self::CrossForm(origin) => ("cross-site", "navigate", "document", is_unsafe.then_some(&**origin)),
            Self::CrossLink(_) => ("cross-site", "navigate", "document", None),
            Self::CrossImage(_) => ("cross-site", "no-cors", "image", None),
            Self::CrossFetch(origin) => ("cross-site", "cors", "empty", Some(&**origin)),
            Self::SiblingForm(origin) => {
                ("same-site", "navigate", "document", is_unsafe.then_some(&**origin))
            }
        };
        let mut headers = vec![
            ("sec-fetch-site", site.into()),
            ("sec-fetch-mode", mode.into()),
            ("sec-fetch-dest", dest.into()),
        ];
        if mode == "navigate" {
            headers.push(("upgrade-insecure-requests", "1".into()));
            headers.push(("sec-fetch-user", "?1".into()));
        }
        if let Some(origin) = origin {
            headers.push(("origin", origin.to_owned()));
        }
        headers
    }
}

/// Which cookies go along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cookies {
    /// What a browser would attach.
    Jar,
    /// None.
    None,
    /// Exactly this header value: what a thief sends.
    Exactly(String),
}

/// A body with its content type.
#[derive(Clone, PartialEq, Eq)]
pub struct Body {
    pub(super) kind: &'static str,
    pub(super) bytes: Vec<u8>,
}

impl std::fmt::Debug for Body {
    // It may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Body")
            .field("kind", &self.kind)
            .field("length", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// A request to be sent by an [`super::Agent`].
#[derive(Debug, Clone)]
pub struct Ask {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<Body>,
    pub(super) from: From,
    pub(super) cookies: Cookies,
}

impl Ask {
    /// A request of the application's own script, with the jar's cookies.
    #[must_use]
    pub const fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: Vec::new(), body: None, from: From::Script, cookies: Cookies::Jar }
    }

    /// `GET`.
    #[must_use]
    pub const fn get(url: Url) -> Self {
        Self::new(Method::GET, url)
    }

    /// `POST`.
    #[must_use]
    pub const fn post(url: Url) -> Self {
        Self::new(Method::POST, url)
    }

    /// Comes from elsewhere.
    #[must_use]
    pub fn from(mut self, from: From) -> Self {
        self.from = from;
        self
    }

    /// With other cookies than the jar's.
    #[must_use]
    pub fn cookies(mut self, cookies: Cookies) -> Self {
        self.cookies = cookies;
        self
    }

    /// With one more header, in place of those of this name that the client would set itself.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// With headers.
    #[must_use]
    pub fn headers<N: Into<String>, V: Into<String>>(
        mut self,
        headers: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.headers.extend(headers.into_iter().map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// With a JSON body.
    #[must_use]
    pub fn json(self, value: &Value) -> Self {
        self.body("application/json", value.to_string())
    }

    /// With an urlencoded form.
    #[must_use]
    pub fn form<N: AsRef<str>, V: AsRef<str>>(self, fields: impl IntoIterator<Item = (N, V)>) -> Self {
        let text = Serializer::new(String::new()).extend_pairs(fields).finish();
        self.body("application/x-www-form-urlencoded", text)
    }

    /// With any body.
    #[must_use]
    pub fn body(mut self, kind: &'static str, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = Some(Body { kind, bytes: bytes.into() });
        self
    }

    /// With a parameter in the query.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.url.query_pairs_mut().append_pair(name, value);
        self
    }

    /// Where it goes.
    #[must_use]
    pub const fn url(&self) -> &Url {
        &self.url
    }

    /// Its method.
    #[must_use]
    pub const fn method(&self) -> &Method {
        &self.method
    }

    /// `POST /login`, for evidence; without the query, which may hold what was stolen.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.url.path())
    }
}
