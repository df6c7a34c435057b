//! Any method `/auth/verify`: the gate for those who have a proxy already (design §7 "Forward-auth"; K05, K06).
//!
//! The proxy asks for each request before it passes it on, naming the request in headers. What is decided here is what the
//! gateway would decide, by the same routes and the same checks; only nothing rotates, because the answer to such a question
//! does not reach the browser's jar. Whoever is not such a proxy is told that there is nothing here.

mod answer;
mod judge;
mod naming;

use std::net::IpAddr;

use countersign_core::domain::event::EventName;
use countersign_core::domain::secret::{SecretString, equal};
use countersign_core::port::Outside;
use countersign_core::service::NewEvent;
use http::header::HeaderName;
use http::request::Parts;

use crate::site::Site;
use crate::wire::body::Answer;
use crate::wire::request::{Client, single};
pub use naming::ForwardingProxy;

/// Where the proxy asks; Envoy appends the path that it asks about.
const PATH: &str = "/auth/verify";
/// Carries the secret that the proxy and we share.
const SECRET: HeaderName = HeaderName::from_static("countersign-forward-auth");
/// The query with which a proxy asks for refusals as the browser should get them: redirects as redirects, pages as pages.
const FOR_CLIENT: &str = "for=client";

/// `[forward_auth]`: who may ask, and how it names what it asks about.
#[derive(Debug)]
pub struct ForwardAuth {
    proxy: ForwardingProxy,
    secret: SecretString,
}

impl ForwardAuth {
    /// From configuration. The secret must not be empty, and must be fit for a header value.
    #[must_use]
    pub const fn new(proxy: ForwardingProxy, secret: SecretString) -> Self {
        Self { proxy, secret }
    }

    /// Whether a path is where this proxy asks.
    fn is_asked_at(&self, path: &str) -> bool {
        match path.strip_prefix(PATH) {
            Some("") => self.proxy != ForwardingProxy::Envoy,
            Some(rest) => self.proxy == ForwardingProxy::Envoy && rest.starts_with('/'),
            None => false,
        }
    }
}

impl<O: Outside> Site<O> {
    /// Whether this is a question of the proxy that the configuration names. Everything else at this path is answered like a path
    /// that does not exist: browsers reach it by way of the same trusted proxy, and must not learn that it is there.
    pub(crate) fn asks_forward_auth(&self, parts: &Parts, client: &Client, peer: IpAddr) -> bool {
        let Some(config) = &self.settings.forward_auth else { return false };
        if !config.is_asked_at(parts.uri.path()) || !self.settings.trusted.contains(peer) {
            return false;
        }
        // There twice is a wrong one: `single` gives an empty text then.
        let Some(presented) = single(&parts.headers, SECRET) else { return false };
        let knows = equal(presented.as_bytes(), config.secret.expose().as_bytes());
        if !knows {
            // Most likely the two configurations differ: nobody else would notice why nothing passes.
            let event = NewEvent::refused(EventName::InputValidationFail, "forward_auth_secret");
            self.engine.record(event, &client.context(&parts.headers));
        }
        knows
    }

    /// Answers the question: may this request pass, and as whom?
    pub(crate) async fn forward_auth(&self, parts: Parts, client: &Client) -> Answer {
        let Some(config) = &self.settings.forward_auth else { return answer::silence(client) };
        let (proxy, for_client) = (config.proxy, parts.uri.query() == Some(FOR_CLIENT));
        let named = match naming::named(proxy, parts) {
            Ok(named) => named,
            Err((misnamed, parts)) => {
                let event = NewEvent::refused(EventName::InputValidationFail, "forward_auth_headers");
                self.engine.record(event, &client.context(&parts.headers));
                return answer::misnamed(misnamed, client);
            }
        };
        let reader = match proxy {
            // The denied answer of Envoy goes to the browser as it is.
            ForwardingProxy::Envoy => answer::Reader::Client,
            // nginx asks twice: for a verdict, whose body it drops, and then for what to say about a refusal.
            ForwardingProxy::Nginx if for_client => answer::Reader::ClientOfRefused,
            _ if for_client => answer::Reader::Client,
            _ => answer::Reader::Proxy,
        };
        self.answer_forward_auth(named, proxy, reader, client).await
    }
}
