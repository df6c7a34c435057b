//! The site that most tests here start from: one application, and a route of each kind to it.

use std::time::Duration;

use countersign_core::domain::cookie::CookieKind;
use countersign_core::domain::route::{RouteAuth, RouteCors, RouteCsrf, RouteRule};
use countersign_core::domain::scope::ScopeSet;
use countersign_testkit::{Builder, Client, PASSWORD, TestSite, TestUpstream};

/// Longer than an access token lives.
pub(crate) const LAPSE: Duration = Duration::from_secs(16 * 60);
/// Longer than `reuse_grace`.
pub(crate) const AFTER_GRACE: Duration = Duration::from_secs(11);

/// A site and the application behind it.
pub(crate) struct Scene {
    pub(crate) site: TestSite,
    pub(crate) upstream: TestUpstream,
}

fn rule(change: impl FnOnce(&mut RouteRule)) -> RouteRule {
    let mut rule = RouteRule::protected(0);
    change(&mut rule);
    rule
}

fn routes(builder: Builder) -> Builder {
    builder
        .route("/*", RouteRule::protected(0))
        .route("/open/*", rule(|r| r.auth = RouteAuth::None))
        .route("/maybe/*", rule(|r| r.auth = RouteAuth::Optional))
        .route("/admin/*", rule(|r| r.scope = ScopeSet::parse("admin").unwrap()))
        .route("/recent/*", rule(|r| r.max_auth_age = Some(Duration::from_secs(600))))
        .route("/form/*", rule(|r| r.csrf = RouteCsrf::Token))
        .route("/api/*", rule(|r| r.bounce = false))
        .route("/theirs/*", rule(|r| r.cors = RouteCors::Upstream))
}

impl Scene {
    /// A production site behind a trusted proxy.
    pub(crate) async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    /// The same, changed.
    pub(crate) async fn with(change: impl FnOnce(Builder) -> Builder) -> Self {
        let upstream = TestUpstream::start().await;
        let builder = routes(TestSite::production().upstream(upstream.origin()));
        Self { site: change(builder).start().await, upstream }
    }

    /// A browser that is signed in.
    pub(crate) async fn browser(&self) -> Client {
        self.site.signed_in("ada@example.test").await
    }

    /// Another browser of the same user.
    pub(crate) async fn browser_again(&self) -> Client {
        let browser = self.site.client();
        browser.log_in("ada@example.test", PASSWORD).await.expect_status(200);
        browser
    }

    /// A browser whose access token has run out.
    pub(crate) async fn stale(&self) -> Client {
        let browser = self.browser().await;
        self.site.advance(LAPSE);
        drop(self.site.outside.store.take_writes());
        browser
    }

    /// How many requests reached the application.
    pub(crate) fn arrived(&self) -> usize {
        self.upstream.seen().len()
    }

    /// How often a rotation was written since the last look at the writes.
    pub(crate) fn rotations(&self) -> usize {
        self.site.outside.store.take_writes().iter().filter(|verb| **verb == "rotate_if_current").count()
    }

    /// The name of a cookie.
    pub(crate) fn name(&self, kind: CookieKind) -> String {
        self.site.cookie_name(kind).to_owned()
    }
}

/// The `Cookie` header with all that a browser holds.
pub(crate) fn cookie_header(browser: &Client) -> String {
    let pairs: Vec<String> = browser.cookies().iter().map(|c| format!("{}={}", c.name, c.value)).collect();
    pairs.join("; ")
}
