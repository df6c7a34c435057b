//! Which client asks (design §7 `[[client]]`), and what a request without cookies must show instead of a CSRF token.

use countersign_core::domain::client::{Client, ClientId, Transport};
use countersign_core::port::Outside;
use countersign_core::service::{SessionView, Tokens};
use http::header::ORIGIN;
use serde::{Deserialize, Serialize};

use super::call::{Call, Media};
use crate::credentials::Genuine;
use crate::site::Site;
use crate::wire::cookie::Jar;
use crate::wire::problem::{Code, Problem};
use crate::wire::request::provenance;

#[derive(Deserialize)]
struct Named {
    client_id: Option<serde_json::Value>,
}

/// Tokens in a body: for registered clients only (D19).
#[derive(Serialize)]
pub(super) struct TokenPart<'t> {
    token_type: &'static str,
    access_token: &'t str,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'t str>,
}

/// A browser that signs in or up, or a native application.
pub(super) struct Entry {
    /// Our cookies; empty for a native application.
    pub(super) jar: Jar,
    /// The session that the browser holds.
    pub(super) genuine: Option<Genuine>,
}

impl<O: Outside> Site<O> {
    /// The client that a JSON body names, if it names one.
    pub(super) fn named_client(&self, call: &Call) -> Result<Option<&Client>, Problem> {
        if call.media != Media::Json {
            return Ok(None);
        }
        // A body that is no JSON is a matter for whoever reads the rest of it.
        let named = serde_json::from_slice::<Named>(&call.body).ok().and_then(|body| body.client_id);
        // What is no text names nobody, and is not taken for silence.
        named.map(|id| self.registered(id.as_str().unwrap_or_default())).transpose()
    }

    /// The registered client of an id.
    pub(super) fn registered(&self, id: &str) -> Result<&Client, Problem> {
        let id = ClientId::parse(id);
        let client = id.and_then(|id| self.engine.policy().clients.find(&id));
        client.ok_or_else(|| {
            Problem::new(Code::InvalidRequest, "No client of this client_id is registered. Add a [[client]].")
        })
    }

    /// Lets a sign-in or sign-up begin: with a CSRF token, or without one if it comes from a native application.
    pub(super) async fn entry(&self, call: &Call, client: Option<&Client>) -> Result<Entry, Problem> {
        let jar = call.jar(self)?;
        if client.is_some_and(|c| c.transport == Transport::Body) && !jar.has_strict() {
            call.native(self)?;
            return Ok(Entry { jar: Jar::default(), genuine: None });
        }
        let genuine = self.genuine_or_none(&jar).await?;
        self.check_entry_csrf(genuine, &jar, call.csrf(self).as_deref(), &call.context)?;
        Ok(Entry { jar, genuine })
    }

    /// How the client of a session holds its tokens; none for cookies alone.
    pub(super) fn transport(&self, view: &SessionView) -> Option<Transport> {
        let id = view.held.session.client.as_ref()?;
        self.engine.policy().clients.find(id).map(|c| c.transport)
    }

    /// What a session's client is handed in the body.
    pub(super) fn token_part<'t>(&self, view: &SessionView, tokens: &'t Tokens) -> Option<TokenPart<'t>> {
        let transport = self.transport(view)?;
        let refresh = tokens.refresh.as_ref().filter(|_| transport == Transport::Body);
        Some(TokenPart {
            token_type: "Bearer",
            access_token: tokens.access.expose(),
            refresh_token: refresh.map(|t| t.expose()),
        })
    }
}

impl Call {
    /// Refuses pages of other sites where no cookie is needed: a native application sends neither header, and a browser always
    /// sends one of them with a POST.
    pub(super) fn native<O: Outside>(&self, site: &Site<O>) -> Result<(), Problem> {
        let headers = &self.parts.headers;
        if headers.contains_key(ORIGIN) || headers.contains_key("sec-fetch-site") {
            site.isolate(&provenance(&self.parts), &self.context)?;
        }
        Ok(())
    }
}
