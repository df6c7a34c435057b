//! A site: one deployment's settings, engine and upstreams.

use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countersign_core::domain::api_key::ApiKeyId;
use countersign_core::domain::cookie::CookiePolicy;
use countersign_core::domain::id::RequestId;
use countersign_core::domain::isolation::Origins;
use countersign_core::domain::route::RouteTable;
use countersign_core::port::Outside;
use countersign_core::service::{Audience, Engine};
use countersign_proxy::client_ip::Trusted;
use countersign_proxy::{Protected, PublicOrigin, Timeouts, Upstream};
use http::HeaderName;
use tokio::sync::Semaphore;

use crate::gateway::inflight::Inflight;
use crate::gateway::retrofit::{Renewals, SiteRetrofit};
use crate::live::LiveSessions;
use crate::route::ForwardAuth;
use crate::route::bounce_guard::ReturnGuard;

/// Streams of the revocation feed at a time: one a verifier.
const MOST_FEEDS: usize = 256;

/// How requests reach us.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transport {
    /// Our own TLS.
    Tls,
    /// Plain HTTP behind a trusted proxy that sends `X-Forwarded-Proto: https`; everything else gets 400.
    BehindProxy,
    /// Plain HTTP on loopback: development only.
    PlainDevelopment,
}

/// Names of identity headers that an application expects besides ours.
#[derive(Clone, Debug, Default)]
pub struct IdentityHeaders {
    /// The opaque user id.
    pub user: Option<HeaderName>,
    /// The verified address.
    pub email: Option<HeaderName>,
    /// The session's public id.
    pub session: Option<HeaderName>,
    /// The scopes, space-separated.
    pub scopes: Option<HeaderName>,
}

/// An application behind the gateway.
#[derive(Debug)]
pub struct SiteUpstream {
    /// The engine's view of it.
    pub upstream: Upstream,
    /// What its assertions are for.
    pub audience: Audience,
    /// Header names of its own.
    pub identity: IdentityHeaders,
    /// How its own tokens are kept from browsers, if it has a login of its own.
    pub retrofit: Option<Box<SiteRetrofit>>,
    /// The API keys with which it opens sessions that it may hand over on its answers.
    pub session_keys: Vec<ApiKeyId>,
}

/// Everything that configuration decides about HTTP.
#[derive(Debug)]
pub struct Settings {
    /// `public_url` as an origin, as a browser serialises it: `https://app.example.com`.
    pub public_origin: String,
    /// The same for upstreams' `X-Forwarded-*`.
    pub public: PublicOrigin,
    /// How requests reach us.
    pub transport: Transport,
    /// Any environment but development: HSTS, no loopback names, mail before accounts.
    pub hardened: bool,
    /// Cookie names and attributes.
    pub cookies: CookiePolicy,
    /// Origins whose requests act with the cookies.
    pub origins: Origins,
    /// Origins that may read answers (`[cors] allowed_origins`).
    pub cors_origins: Vec<String>,
    /// The header that carries CSRF tokens.
    pub csrf_header: HeaderName,
    /// Peers whose forwarding headers count.
    pub trusted: Trusted,
    /// Where they put the client's address.
    pub client_ip_header: HeaderName,
    /// Where to sign in.
    pub login_url: String,
    /// The name that pages show.
    pub product: String,
    /// `Clear-Site-Data` at logout (J06): clears the whole registrable domain.
    pub clear_site_data: bool,
    /// One line per request.
    pub log_access: bool,
    /// Header names that only we may set, the applications' own identity headers among them.
    pub protected: Arc<Protected>,
    /// The applications, in the order that routes refer to.
    pub upstreams: Vec<SiteUpstream>,
    /// Which path asks for what.
    pub routes: RouteTable,
    /// The proxy that may ask at `/auth/verify`, if one may.
    pub forward_auth: Option<ForwardAuth>,
    /// Time for a connection's next request head to be complete, the wait for its first byte included.
    pub head_timeout: Duration,
    /// How long a client may take nothing of an answer; a quarter of that where the upstream's connections are scarce.
    pub write_stall: Duration,
    /// Open connections at most.
    pub connections: usize,
}

/// A running site.
pub struct Site<O: Outside> {
    pub(crate) engine: Arc<Engine<O>>,
    pub(crate) settings: Settings,
    pub(crate) inflight: Inflight,
    pub(crate) live: Arc<LiveSessions>,
    pub(crate) returns: ReturnGuard,
    /// Streams of the revocation feed that may still be opened.
    pub(crate) feeds: Arc<Semaphore>,
    pub(crate) ready: AtomicBool,
    pub(crate) requests: AtomicU64,
    pub(crate) renewals: Renewals,
    ids: Mutex<Ids>,
}

/// Random bytes for request ids, drawn for many at once: asking the generator for each took longer than all else that
/// an id needs. They are no secrets, so they may lie in memory before their time.
#[derive(Default)]
struct Ids {
    drawn: Vec<[u8; 16]>,
}

/// How many are drawn at once.
const IDS: usize = 64;

impl<O: Outside> std::fmt::Debug for Site<O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Site").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl<O: Outside> Site<O> {
    /// Ties an engine to its settings.
    #[must_use]
    pub fn new(engine: Arc<Engine<O>>, settings: Settings) -> Arc<Self> {
        Arc::new(Self {
            engine,
            settings,
            inflight: Inflight::default(),
            live: Arc::default(),
            returns: ReturnGuard::default(),
            feeds: Arc::new(Semaphore::new(MOST_FEEDS)),
            ready: AtomicBool::new(true),
            requests: AtomicU64::new(0),
            renewals: Renewals::default(),
            ids: Mutex::default(),
        })
    }

    /// The engine.
    #[must_use]
    pub const fn engine(&self) -> &Arc<Engine<O>> {
        &self.engine
    }

    /// An id for a request.
    pub(crate) fn request_id(&self) -> RequestId {
        // A panic while holding it leaves a valid list.
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        if ids.drawn.is_empty() {
            ids.drawn = self.engine.random::<{ 16 * IDS }>().as_chunks().0.to_vec();
        }
        let bytes = ids.drawn.pop().unwrap_or_else(|| self.engine.random16());
        drop(ids);
        RequestId::from_random(bytes)
    }

    /// Time-outs of a request to an upstream, from its route or the upstream's defaults.
    pub(crate) fn timeouts(
        upstream: &SiteUpstream,
        first_byte: Option<Duration>,
        between: Option<Duration>,
    ) -> Timeouts {
        let defaults = upstream.upstream.timeouts();
        Timeouts {
            first_byte: first_byte.unwrap_or(defaults.first_byte),
            between_bytes: match between {
                None => defaults.between_bytes,
                Some(limit) if limit.is_zero() => None,
                some => some,
            },
        }
    }

    /// Whether the `Host` of a request is ours (K09): names that a DNS rebinding could choose are not.
    pub(crate) fn knows_host(&self, host: &str) -> bool {
        let origin = &self.settings.public_origin;
        let own = origin.split_once("://").map_or("", |(_, h)| h);
        if host.eq_ignore_ascii_case(own) || default_port_spelled_out(origin, own, host) {
            return true;
        }
        !self.settings.hardened && is_loopback_name(host)
    }

    /// Metrics: name, kind, what it says, value.
    pub(crate) fn metrics(&self) -> [(&'static str, &'static str, &'static str, u64); 3] {
        let requests = self.requests.load(std::sync::atomic::Ordering::Relaxed);
        [
            (
                "countersign_requests_total",
                "counter",
                "Requests since the start, those that were refused included.",
                requests,
            ),
            (
                "countersign_events_dropped_total",
                "counter",
                "Security events that are in the log only.",
                self.engine.dropped_events(),
            ),
            (
                "countersign_live_connections",
                "gauge",
                "WebSocket and event-stream connections that are open.",
                self.live.len() as u64,
            ),
        ]
    }
}

fn default_port_spelled_out(origin: &str, own: &str, host: &str) -> bool {
    let port = if origin.starts_with("https:") { ":443" } else { ":80" };
    host.strip_suffix(port).is_some_and(|h| h.eq_ignore_ascii_case(own))
}

fn is_loopback_name(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    name.eq_ignore_ascii_case("localhost") || name == "127.0.0.1" || name == "[::1]"
}
