//! Clients (design §7 `[[client]]`): applications that are handed tokens in a body, where others get cookies only.
//!
//! A session belongs to the client it was opened for, and its refresh token is good for nobody else. So a thief who gets hold of a
//! cookie cannot take it to the transport of a native application, where no `HttpOnly` and no CSRF check stand in the way, nor
//! the other way round.

use std::fmt;

use super::scope::ScopeSet;
use super::token::access::COOKIE_CLIENT;

/// Longest id.
const LONGEST: usize = 64;

/// The name of a client: 1 to 64 characters of `[A-Za-z0-9._-]`, a letter or digit first.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId(Box<str>);

impl ClientId {
    /// Reads an id. `None` if it is malformed, or the name that sessions without a client have in tokens.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let good = (1..=LONGEST).contains(&text.len())
            && text.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-'))
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text != COOKIE_CLIENT;
        good.then(|| Self(text.into()))
    }

    /// The text, as in the claim `client_id`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientId({})", self.0)
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a client holds its tokens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transport {
    /// A front end in a browser: the access token in the body, the refresh token in the cookie.
    Memory,
    /// A native application: both in the body, no cookies.
    Body,
}

impl Transport {
    /// The word in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Body => "body",
        }
    }
}

/// A registered client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Client {
    /// Its name.
    pub id: ClientId,
    /// How it holds tokens.
    pub transport: Transport,
    /// What its access tokens are for, if not for all of `tokens.audience`.
    pub audience: Option<Vec<Box<str>>>,
    /// What its sessions may do at most.
    pub scope: Option<ScopeSet>,
}

/// Who presents a refresh token.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub enum Presenter {
    /// A browser, in the cookie.
    #[default]
    Cookie,
    /// A browser, in the cookie, that says which client it is.
    CookieOf(ClientId),
    /// A native application, in the body.
    Body(ClientId),
}

/// All registered clients.
#[derive(Clone, Debug, Default)]
pub struct Clients(Vec<Client>);

impl Clients {
    /// From the configuration; ids are told apart there.
    #[must_use]
    pub const fn new(clients: Vec<Client>) -> Self {
        Self(clients)
    }

    /// The client of a name.
    #[must_use]
    pub fn find(&self, id: &ClientId) -> Option<&Client> {
        self.0.iter().find(|c| c.id == *id)
    }

    /// Whether a refresh token of a session that was opened for `owner` may be presented in this way. A client that is not
    /// registered any more has no sessions.
    #[must_use]
    pub fn admit(&self, owner: Option<&ClientId>, presenter: &Presenter) -> bool {
        let Some(owner) = owner else { return *presenter == Presenter::Cookie };
        match (self.find(owner).map(|c| c.transport), presenter) {
            (Some(Transport::Memory), Presenter::Cookie) => true,
            (Some(Transport::Memory), Presenter::CookieOf(id))
            | (Some(Transport::Body), Presenter::Body(id)) => id == owner,
            (Some(Transport::Memory), Presenter::Body(_))
            | (Some(Transport::Body), Presenter::Cookie | Presenter::CookieOf(_))
            | (None, _) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> ClientId {
        ClientId::parse(text).unwrap()
    }

    fn clients() -> Clients {
        let client = |name, transport| Client { id: id(name), transport, audience: None, scope: None };
        Clients::new(vec![
            client("web", Transport::Memory),
            client("web2", Transport::Memory),
            client("ios", Transport::Body),
            client("tv", Transport::Body),
        ])
    }

    #[test]
    fn ids() {
        for good in ["web", "iOS-2", "com.example.app", "a_b"] {
            assert_eq!(id(good).as_str(), good);
        }
        for bad in ["", "countersign", "-a", ".a", "a b", "a\n", "ü", "a/b", &"x".repeat(65)] {
            assert!(ClientId::parse(bad).is_none(), "{bad:?}");
        }
    }

    /// Each session is good for its own way of presenting only: the whole table.
    #[test]
    fn a_session_belongs_to_its_client_and_transport() {
        use Presenter::{Body, Cookie, CookieOf};
        let ways = [
            Cookie,
            CookieOf(id("web")),
            CookieOf(id("web2")),
            CookieOf(id("ios")),
            Body(id("web")),
            Body(id("ios")),
            Body(id("tv")),
        ];
        let admitted = |owner: Option<&str>| {
            let owner = owner.map(id);
            ways.iter().map(|way| clients().admit(owner.as_ref(), way)).collect::<Vec<_>>()
        };
        assert_eq!(admitted(None), [true, false, false, false, false, false, false]);
        assert_eq!(admitted(Some("web")), [true, true, false, false, false, false, false]);
        assert_eq!(admitted(Some("ios")), [false, false, false, false, false, true, false]);
        assert_eq!(admitted(Some("gone")), [false; 7]);
    }
}
