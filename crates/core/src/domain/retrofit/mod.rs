//! Retrofit (design §7): an application keeps its own login, and its tokens stay here.
//!
//! The gateway takes the token out of the upstream's answers, keeps it sealed beside a session of ours, puts a placeholder in
//! its place, and injects the real one into later requests of that session to that upstream only.

mod claims;
mod copies;
mod holder;
mod inject;
mod location;
mod placeholder;
mod pointer;
mod request_line;
mod rewrite;
mod scan;
mod token;

pub use copies::Copies;
pub use holder::Holder;
pub use inject::{Injection, InvalidInjection};
pub use location::{InvalidLocation, TokenLocation};
pub use placeholder::{WORD, is_placeholder, placeholder};
pub use pointer::{InvalidPointer, Pointer};
pub use request_line::{InvalidRequestLine, RequestLine};
pub use rewrite::{Document, Edits, object_at};
pub use scan::JwtScan;
pub use token::{Fate, UpstreamToken};

/// Claims that a placeholder keeps by default: front ends decode them for name and expiry.
pub const PLACEHOLDER_CLAIMS: [&str; 7] = ["exp", "iat", "nbf", "sub", "name", "email", "roles"];

/// Bytes of a body that is rewritten, by default; longer ones pass untouched.
pub const BODY_LIMIT: usize = 1 << 20;

/// The call that gets a fresh token from the upstream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RefreshCall {
    /// Method and path.
    pub request: RequestLine,
    /// Where the upstream's refresh token is in its answers, if it has one.
    pub token: Option<TokenLocation>,
    /// Where the refresh token goes in the call; without it the token itself is sent as it is with every request.
    pub send: Option<TokenLocation>,
    /// Where the fresh token is in the answer.
    pub answer: TokenLocation,
}

/// What one upstream does with its tokens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Retrofit {
    /// What hands out tokens: login, sign-up.
    pub login: Vec<RequestLine>,
    /// What ends a session.
    pub logout: Vec<RequestLine>,
    /// Where the token is in the answers.
    pub token: TokenLocation,
    /// How it is sent back.
    pub inject: Injection,
    /// The claim that names the user.
    pub subject: Option<Pointer>,
    /// Claims that a placeholder keeps.
    pub placeholder_claims: Vec<Box<str>>,
    /// How a fresh one is had.
    pub refresh: Option<RefreshCall>,
    /// Whether a 401 ends the session also before the token's own expiry.
    pub end_on_401: bool,
    /// Bytes of a body that is rewritten at most.
    pub body_limit: usize,
}

/// What a request to a token path means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TokenPath {
    /// Its answer brings a token, and with it a session.
    Login,
    /// It ends the session.
    Logout,
    /// Its answer brings a fresh token of the same session.
    Refresh,
}

impl Retrofit {
    /// What a request is, in every spelling of its path that an upstream may take for a configured one.
    #[must_use]
    pub fn token_path(&self, method: &str, path: &str) -> Option<TokenPath> {
        let path = request_line::folded(path);
        let hit = |line: &RequestLine| line.is(method, &path);
        if self.refresh.as_ref().is_some_and(|refresh| hit(&refresh.request)) {
            return Some(TokenPath::Refresh);
        }
        if self.logout.iter().any(hit) {
            return Some(TokenPath::Logout);
        }
        self.login.iter().any(hit).then_some(TokenPath::Login)
    }

    /// Every token path: their routes ask for nobody, and demand the origin check.
    pub fn lines(&self) -> impl Iterator<Item = &RequestLine> {
        self.login.iter().chain(&self.logout).chain(self.refresh.as_ref().map(|refresh| &refresh.request))
    }

    /// What stands in a token's place.
    #[must_use]
    pub fn placeholder_for(&self, token: &str) -> String {
        placeholder(token, &self.placeholder_claims)
    }

    /// All places where a token may be in an answer.
    pub fn locations(&self) -> impl Iterator<Item = &TokenLocation> {
        let refresh = self.refresh.as_ref();
        let more = refresh.map(|refresh| &refresh.answer).into_iter();
        std::iter::once(&self.token)
            .chain(more.filter(|answer| **answer != self.token))
            .chain(refresh.and_then(|refresh| refresh.token.as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retrofit() -> Retrofit {
        let line = |text| RequestLine::parse(text).unwrap();
        let token = TokenLocation::parse("json:/token").unwrap();
        Retrofit {
            login: vec![line("POST /api/login"), line("POST /api/signup")],
            logout: vec![line("POST /api/logout")],
            inject: Injection::default_for(&token),
            refresh: Some(RefreshCall {
                request: line("POST /api/refresh"),
                token: None,
                send: None,
                answer: token.clone(),
            }),
            token,
            subject: None,
            placeholder_claims: Vec::new(),
            end_on_401: false,
            body_limit: BODY_LIMIT,
        }
    }

    /// C07: whatever an upstream would take for its login is one: script must not get a token by another spelling.
    #[test]
    fn c07_every_spelling_of_a_token_path() {
        for path in
            ["/api/login", "/API/Login", "/api/login/", "//api//login", "/api/%6cogin", "/api/x/../login"]
        {
            assert_eq!(retrofit().token_path("POST", path), Some(TokenPath::Login), "{path}");
        }
        assert_eq!(retrofit().token_path("POST", "/api/signup"), Some(TokenPath::Login));
        assert_eq!(retrofit().token_path("POST", "/api/logout"), Some(TokenPath::Logout));
        assert_eq!(retrofit().token_path("POST", "/api/refresh"), Some(TokenPath::Refresh));
        for (method, path) in
            [("GET", "/api/login"), ("post", "/api/login"), ("POST", "/api/login/x"), ("POST", "/")]
        {
            assert_eq!(retrofit().token_path(method, path), None, "{method} {path}");
        }
    }

    #[test]
    fn a_place_is_named_once() {
        assert_eq!(retrofit().locations().count(), 1);
        assert_eq!(retrofit().lines().count(), 4);
    }
}
