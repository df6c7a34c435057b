//! A site, an application, and a proxy that asks the one before it passes requests to the other.

use std::time::Duration;

use countersign_core::domain::cookie::CookieKind;
use countersign_core::domain::route::{RouteAuth, RouteCsrf, RouteRule};
use countersign_core::domain::scope::ScopeSet;
use countersign_core::domain::secret::SecretString;
use countersign_http::{ForwardAuth, ForwardingProxy};
use countersign_testkit::{Builder, Client, Front, PASSWORD, Request, Seen, TestSite, TestUpstream};
use http::Method;
use tempfile::TempDir;

use crate::proxy::{Kind, Proxy, SECRET};

/// The host that the recipes are for.
pub(crate) const HOST: &str = "app.example.com";
/// Longer than an access token lives.
pub(crate) const LAPSE: Duration = Duration::from_secs(16 * 60);
/// Who signs in.
pub(crate) const ADA: &str = "ada@example.test";

fn rule(change: impl FnOnce(&mut RouteRule)) -> RouteRule {
    let mut rule = RouteRule::protected(0);
    change(&mut rule);
    rule
}

/// A site that one proxy may ask.
pub(crate) fn builder(proxy: ForwardingProxy) -> Builder {
    TestSite::production()
        .host(HOST)
        .route("/*", RouteRule::protected(0))
        .route("/open/*", rule(|r| r.auth = RouteAuth::None))
        .route("/hook", rule(|r| r.auth = RouteAuth::None))
        .route("/maybe/*", rule(|r| r.auth = RouteAuth::Optional))
        .route("/admin/*", rule(|r| r.scope = ScopeSet::parse("admin").unwrap()))
        .route("/recent/*", rule(|r| r.max_auth_age = Some(Duration::from_secs(600))))
        .route("/form/*", rule(|r| r.csrf = RouteCsrf::Token))
        .route("/api/*", rule(|r| r.bounce = false))
        .settings(move |settings| {
            let secret = SecretString::new(SECRET.to_owned());
            settings.forward_auth = Some(ForwardAuth::new(proxy, secret));
        })
}

/// A site without a proxy before it: tests ask themselves.
pub(crate) struct Desk {
    pub(crate) site: TestSite,
    pub(crate) proxy: ForwardingProxy,
}

impl Desk {
    pub(crate) async fn new(proxy: ForwardingProxy) -> Self {
        Self::with(proxy, |builder| builder).await
    }

    pub(crate) async fn with(proxy: ForwardingProxy, change: impl FnOnce(Builder) -> Builder) -> Self {
        // Nothing is ever forwarded to it.
        let site = change(builder(proxy).upstream("http://127.0.0.1:9")).start().await;
        Self { site, proxy }
    }

    /// The proxy's question about a request of a browser, with its secret.
    pub(crate) fn ask(&self, browser: &Client, method: &str, target: &str) -> Request {
        self.ask_at("/auth/verify", browser, method, target).header("countersign-forward-auth", SECRET)
    }

    /// The same, with refusals as the browser should get them.
    pub(crate) fn ask_for_client(&self, browser: &Client, method: &str, target: &str) -> Request {
        self.ask_at("/auth/verify?for=client", browser, method, target)
            .header("countersign-forward-auth", SECRET)
    }

    fn ask_at(&self, path: &str, browser: &Client, method: &str, target: &str) -> Request {
        match self.proxy {
            ForwardingProxy::Nginx => {
                browser.get(path).header("x-original-method", method).header("x-original-uri", target)
            }
            ForwardingProxy::Envoy => browser
                .request(Method::from_bytes(method.as_bytes()).unwrap(), &format!("/auth/verify{target}")),
            ForwardingProxy::Caddy | ForwardingProxy::Haproxy | ForwardingProxy::Traefik => browser
                .get(path)
                .header("x-forwarded-method", method)
                .header("x-forwarded-uri", target)
                .header("x-forwarded-host", HOST),
        }
    }
}

/// All of it, on real sockets.
pub(crate) struct Scene {
    pub(crate) site: TestSite,
    pub(crate) upstream: TestUpstream,
    front: Front,
    proxy: Proxy,
    _directory: TempDir,
}

impl Scene {
    pub(crate) async fn behind(kind: Kind) -> Self {
        let upstream = TestUpstream::start().await;
        let proxy = match kind {
            Kind::Nginx => ForwardingProxy::Nginx,
            Kind::Caddy => ForwardingProxy::Caddy,
            Kind::Haproxy => ForwardingProxy::Haproxy,
        };
        let site = builder(proxy).upstream(upstream.origin()).start().await;
        let directory = tempfile::tempdir().unwrap();
        let front = site.front(directory.path());
        let app = upstream.origin().rsplit(':').next().and_then(|port| port.parse().ok()).unwrap();
        let proxy = Proxy::start(kind, directory.path(), &front, [site.address().port(), app]).await;
        Self { site, upstream, front, proxy, _directory: directory }
    }

    /// A browser that reaches everything by way of the proxy.
    pub(crate) fn client(&self) -> Client {
        self.front.client(self.proxy.address)
    }

    /// Sends bytes over TLS, and gives what comes back.
    pub(crate) async fn raw(&self, request: &str) -> String {
        self.front.raw(self.proxy.address, request).await
    }

    /// A browser that is signed in.
    pub(crate) async fn browser(&self) -> Client {
        self.site.add_user(ADA, &[]).await;
        let browser = self.client();
        browser.log_in(ADA, PASSWORD).await.expect_status(200);
        browser
    }

    /// A browser whose access token has run out.
    pub(crate) async fn stale(&self) -> Client {
        let browser = self.browser().await;
        self.site.advance(LAPSE);
        drop(self.site.outside.store.take_writes());
        browser
    }

    /// How often a rotation was written since the last look at the writes.
    pub(crate) fn rotations(&self) -> usize {
        self.site.outside.store.take_writes().iter().filter(|verb| **verb == "rotate_if_current").count()
    }

    /// The only request that reached the application since the last look. Panics if there was none, or more.
    pub(crate) fn arrived(&self, before: usize) -> Seen {
        let mut seen = self.upstream.seen();
        assert_eq!(seen.len(), before + 1, "{seen:#?}");
        seen.pop().unwrap()
    }

    /// The name of a cookie.
    pub(crate) fn name(&self, kind: CookieKind) -> String {
        self.site.cookie_name(kind).to_owned()
    }
}

/// Runs each test before each of the three proxies.
macro_rules! before_each_proxy {
    ($($test:ident)+) => {
        mod nginx { $(#[tokio::test] async fn $test() { super::$test(crate::proxy::Kind::Nginx).await; })+ }
        mod caddy { $(#[tokio::test] async fn $test() { super::$test(crate::proxy::Kind::Caddy).await; })+ }
        mod haproxy { $(#[tokio::test] async fn $test() { super::$test(crate::proxy::Kind::Haproxy).await; })+ }
    };
}
pub(crate) use before_each_proxy;
