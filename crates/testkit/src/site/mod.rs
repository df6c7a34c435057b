//! A whole site on loopback sockets.

mod builder;
mod front;
mod rules;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use countersign_core::domain::api_key::{AddressList, KeyName};
use countersign_core::domain::cookie::CookieKind;
use countersign_core::domain::event::{Event, EventFilter, EventName};
use countersign_core::domain::password::Password;
use countersign_core::domain::scope::ScopeSet;
use countersign_core::domain::user::Email;
use countersign_core::port::Store;
use countersign_core::service::{AddUser, Context, CreateKey};
use countersign_http::Site;
use tokio::sync::oneshot;

pub use builder::Builder;
use builder::Entrance;
pub use front::Front;
pub use rules::policy;

use crate::client::{Client, Door};
use crate::outside::TestOutside;

/// A password that satisfies the policy.
pub const PASSWORD: &str = "correct horse battery staple";

/// A running site. Ends when dropped.
#[derive(Debug)]
pub struct TestSite {
    /// Its clock, store, mail …
    pub outside: TestOutside,
    /// The site itself.
    pub site: Arc<Site<TestOutside>>,
    door: Arc<Door>,
    admin: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
}

impl TestSite {
    /// A hardened site behind a trusted proxy: plain HTTP on loopback, `https://app.countersign.test` outside.
    #[must_use]
    pub fn production() -> Builder {
        Builder::new("production", Entrance::BehindProxy)
    }

    /// A development site: plain HTTP on `http://localhost:<port>`.
    #[must_use]
    pub fn development() -> Builder {
        Builder::new("development", Entrance::Plain)
    }

    /// A new browser, with nothing in its jar.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new(Arc::clone(&self.door))
    }

    /// Somebody on the admin listener.
    #[must_use]
    pub fn operator(&self) -> Client {
        let door = Door {
            address: self.admin,
            origin: format!("http://{}", self.admin),
            cookies: self.door.cookies.clone(),
            tls: None,
            proxied: false,
        };
        Client::new(Arc::new(door))
    }

    /// A copy of another site's browser, jar included, that talks to this site: a second node, or another environment.
    #[must_use]
    pub fn adopt(&self, client: &Client) -> Client {
        client.copy().moved_to(Arc::clone(&self.door))
    }

    /// A browser signed in to a new account, made as an operator would.
    pub async fn signed_in(&self, email: &str) -> Client {
        self.add_user(email, &[]).await;
        let client = self.client();
        client.log_in(email, PASSWORD).await.expect_status(200);
        client
    }

    /// Adds a user with [`PASSWORD`] and these scopes, as an operator would.
    pub async fn add_user(&self, email: &str, scopes: &[&str]) {
        let email = Email::parse(email).expect("address");
        let password = Password::parse(PASSWORD).expect("password");
        let scope = ScopeSet::from_names(scopes.iter().copied()).expect("scopes");
        let request = AddUser { email: &email, password: &password, scope };
        self.site.engine().add_user(request, &Context::default()).await.expect("user");
    }

    /// Makes an API key for a user who is there, as an operator would: these scopes, from these addresses, for 30 days.
    pub async fn api_key(&self, email: &str, scopes: &[&str], addresses: &[&str]) -> String {
        let engine = self.site.engine();
        let request = CreateKey {
            name: KeyName::parse("test").expect("name"),
            scope: ScopeSet::from_names(scopes.iter().copied()).expect("scopes"),
            addresses: AddressList::parse(addresses.iter().copied()).expect("addresses"),
            expires_at: engine.now().plus(Duration::from_secs(30 * 86_400)),
        };
        let email = Email::parse(email).expect("address");
        let made = engine.create_api_key_for(&email, request, &Context::default()).await.expect("a key");
        made.text.expose().to_owned()
    }

    /// The public origin, as a browser serialises it.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.door.origin
    }

    /// Where the public listener is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.door.address
    }

    /// Where the admin listener is.
    #[must_use]
    pub const fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// The name of a cookie here.
    #[must_use]
    pub fn cookie_name(&self, kind: CookieKind) -> &str {
        self.door.cookies.name(kind)
    }

    /// Lets time pass.
    pub fn advance(&self, span: Duration) {
        self.outside.clock.advance(span);
    }

    /// Writes what waits, as a node does every second, and polls for revocations.
    pub async fn tick(&self) {
        self.site.engine().flush().await.expect("flush");
        self.site.engine().poll().await.expect("poll");
    }

    /// All events so far.
    pub async fn events(&self) -> Vec<Event> {
        self.site.engine().flush().await.expect("flush");
        let filter = EventFilter { limit: 100_000, ..EventFilter::default() };
        let rows = self.outside.store.events(&filter).await.expect("events");
        rows.into_iter().map(|(_, event)| event).collect()
    }

    /// The names of all events so far.
    pub async fn event_names(&self) -> HashSet<EventName> {
        self.events().await.into_iter().map(|event| event.name).collect()
    }

    /// Stops serving.
    pub fn stop(&mut self) {
        drop(self.stop.take());
    }
}
