//! Describes a site, and starts it.

use std::sync::Arc;
use std::time::Duration;

use countersign_core::domain::cookie::{CookiePolicy, SameSite};
use countersign_core::domain::policy::Policy;
use countersign_core::domain::route::{Pattern, RouteRule, RouteTable};
use countersign_core::service::Engine;
use countersign_http::{Listeners, Settings, Shutdown, Site, Transport, serve};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::{TestSite, rules};
use crate::client::Door;
use crate::outside::TestOutside;
use crate::tls;

const PUBLIC_HOST: &str = "app.countersign.test";

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Entrance {
    BehindProxy,
    Plain,
    Tls,
}

type Tune<T> = Box<dyn FnOnce(&mut T) + Send>;

/// Describes a site before it starts.
pub struct Builder {
    environment: &'static str,
    host: &'static str,
    door: Entrance,
    outside: TestOutside,
    upstreams: Vec<String>,
    routes: Vec<(String, RouteRule)>,
    policy: Vec<Tune<Policy>>,
    settings: Vec<Tune<Settings>>,
    threads: usize,
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder").field("environment", &self.environment).finish_non_exhaustive()
    }
}

impl Builder {
    pub(super) fn new(environment: &'static str, door: Entrance) -> Self {
        Self {
            environment,
            host: PUBLIC_HOST,
            door,
            outside: TestOutside::default(),
            upstreams: Vec::new(),
            routes: Vec::new(),
            policy: Vec::new(),
            settings: Vec::new(),
            threads: 0,
        }
    }

    /// Another environment.
    #[must_use]
    pub fn environment(mut self, environment: &'static str) -> Self {
        self.environment = environment;
        self
    }

    /// Another public host, where a proxy is in front.
    #[must_use]
    pub fn host(mut self, host: &'static str) -> Self {
        self.host = host;
        self
    }

    /// Own TLS on `https://localhost:<port>`, HTTP/1.1 and HTTP/2.
    #[must_use]
    pub fn tls(mut self) -> Self {
        self.door = Entrance::Tls;
        self
    }

    /// Serves on threads of its own, as a real server does. What they log is not in the capture of the test's thread.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Shares ports with other sites, or uses another store.
    #[must_use]
    pub fn outside(mut self, outside: TestOutside) -> Self {
        self.outside = outside;
        self
    }

    /// An application at an origin. Without any route, everything goes to the first one, protected.
    #[must_use]
    pub fn upstream(mut self, origin: &str) -> Self {
        self.upstreams.push(origin.to_owned());
        self
    }

    /// A route: a pattern (`/api/*`) and what it asks for. Start from [`RouteRule::protected`].
    #[must_use]
    pub fn route(mut self, pattern: &str, rule: RouteRule) -> Self {
        self.routes.push((pattern.to_owned(), rule));
        self
    }

    /// Changes the rules.
    #[must_use]
    pub fn policy(mut self, tune: impl FnOnce(&mut Policy) + Send + 'static) -> Self {
        self.policy.push(Box::new(tune));
        self
    }

    /// Changes the HTTP settings.
    #[must_use]
    pub fn settings(mut self, tune: impl FnOnce(&mut Settings) + Send + 'static) -> Self {
        self.settings.push(Box::new(tune));
        self
    }

    /// Starts.
    pub async fn start(self) -> TestSite {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("address");
        let port = address.port();
        let (transport, origin) = match self.door {
            Entrance::BehindProxy => (Transport::BehindProxy, format!("https://{}", self.host)),
            Entrance::Plain => (Transport::PlainDevelopment, format!("http://localhost:{port}")),
            Entrance::Tls => (Transport::Tls, format!("https://localhost:{port}")),
        };
        let mut policy = rules::policy(self.environment, &origin);
        for tune in self.policy {
            tune(&mut policy);
        }
        let environment = policy.access.environment.clone();
        let cookies = match self.door {
            Entrance::Plain => CookiePolicy::dangerous().plain_http(port),
            Entrance::BehindProxy => CookiePolicy::https(&environment, 443, SameSite::Strict),
            Entrance::Tls => CookiePolicy::https(&environment, port, SameSite::Strict),
        };
        let mut settings = rules::settings(&origin, transport, environment.is_hardened(), cookies.clone());
        settings.upstreams = rules::upstreams(&self.upstreams);
        let mut routes = self.routes;
        if routes.is_empty() && !settings.upstreams.is_empty() {
            routes.push((String::from("/*"), RouteRule::protected(0)));
        }
        settings.routes =
            RouteTable::new(routes.into_iter().map(|(p, rule)| (Pattern::parse(&p).expect("pattern"), rule)));
        for tune in self.settings {
            tune(&mut settings);
        }
        let keyring = rules::keyring(&environment, &self.outside.master_keys);
        let engine = Engine::start(self.outside.clone(), keyring, policy).await.expect("the engine starts");
        let site = Site::new(Arc::new(engine), settings);
        let admin = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let admin_address = admin.local_addr().expect("address");
        let (server_tls, client_tls) = match self.door {
            Entrance::Tls => {
                let (server, client) = tls::pair();
                (Some(server), Some(client))
            }
            Entrance::BehindProxy | Entrance::Plain => (None, None),
        };
        let listeners = Listeners {
            public: vec![listener],
            tls: server_tls,
            admin: Some(admin),
            health: None,
            threads: self.threads,
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = Shutdown { unready: Duration::ZERO, drain: Duration::from_secs(1) };
        let serving = Arc::clone(&site);
        tokio::spawn(async move {
            let stopped = async {
                // Dropping the sender means the same.
                drop(stopped.await);
            };
            Box::pin(serve(serving, listeners, stopped, shutdown)).await.expect("no thread is needed");
        });
        let door =
            Door { address, origin, cookies, tls: client_tls, proxied: self.door == Entrance::BehindProxy };
        TestSite { outside: self.outside, site, door: Arc::new(door), admin: admin_address, stop: Some(stop) }
    }
}
