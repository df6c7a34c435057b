//! Somebody who is signed in.

use std::sync::Arc;

use http::Method;
use tokio::time::Instant;
use url::Url;

use super::common;
use super::html::Page;
use super::site::Site;
use super::tokens;
use crate::account::Account;
use crate::client::{Agent, Answer, Ask, Cookies, Device, NetError};
use crate::credential::{Carrier, Credential, CredentialKind, Place};
use crate::scene::Scene;
use crate::secret::Secret;

/// A kind of credential that this application hands out: where it lies and how it goes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// What it is for.
    pub kind: CredentialKind,
    /// Where it lies.
    pub place: Place,
    /// How it goes back.
    pub carrier: Carrier,
    /// Cookies without which it does not count, as `name.sig` beside `name`.
    pub with: Vec<String>,
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct Session {
    /// Who.
    pub account: Account,
    /// With which browser.
    pub agent: Agent,
    /// The answer to signing in.
    pub answer: Arc<Answer>,
    /// When that came.
    pub opened_at: Instant,
    /// What it holds.
    pub held: Arc<[Held]>,
    /// Values that lie outside of the jar.
    pub(super) loose: Vec<(Place, Secret)>,
    /// A CSRF token from a page or an answer.
    pub(super) csrf: Option<Secret>,
}

impl Session {
    /// Right after signing in.
    #[must_use]
    pub fn new(account: Account, agent: Agent, answer: Answer, held: Arc<[Held]>) -> Self {
        let mut session = Self {
            account,
            agent,
            answer: Arc::new(answer),
            opened_at: Instant::now(),
            held,
            loose: Vec::new(),
            csrf: None,
        };
        let answer = Arc::clone(&session.answer);
        session.renew(&answer);
        session
    }

    /// Takes the tokens of an answer in place of those before; cookies are in the jar already.
    pub fn renew(&mut self, answer: &Answer) {
        for held in &*self.held {
            if matches!(held.place, Place::Cookie { .. }) {
                continue;
            }
            if let Some(secret) = renewed(&held.place, answer, &self.agent) {
                self.loose.retain(|(place, _)| *place != held.place);
                self.loose.push((held.place.clone(), secret));
            }
        }
        if let Some(token) = csrf_in(answer) {
            self.csrf = Some(token);
        }
    }

    /// What it holds now.
    #[must_use]
    pub fn credentials(&self) -> Vec<Credential> {
        let jar = self.agent.jar();
        let value = |held: &Held| match &held.place {
            Place::Cookie { name } => {
                let mut value = jar.named(name)?.value.expose().to_owned();
                for other in &held.with {
                    // As it stands in the header: what is sent with the one is sent with the other.
                    value.push_str(&format!("; {other}={}", jar.named(other)?.value.expose()));
                }
                Some(Secret::new(value))
            }
            place => self.loose.iter().find(|(at, _)| at == place).map(|(_, secret)| secret.clone()),
        };
        let made = |held: &Held| {
            let Held { kind, place, carrier, .. } = held.clone();
            value(held).map(|secret| Credential { kind, place, carrier, secret })
        };
        self.held.iter().filter_map(made).collect()
    }

    /// Its credentials of a kind.
    #[must_use]
    pub fn of_kind(&self, kind: CredentialKind) -> Vec<Credential> {
        self.credentials().into_iter().filter(|credential| credential.kind == kind).collect()
    }

    /// Adds what the application's own page would add: the token in its header, and the CSRF token to what is unsafe.
    #[must_use]
    pub fn attach(&self, mut ask: Ask) -> Ask {
        for credential in self.of_kind(CredentialKind::Access) {
            if matches!(credential.carrier, Carrier::Header { .. } | Carrier::Query { .. }) {
                ask = carry(ask, &credential);
            }
        }
        if !matches!(*ask.method(), Method::GET | Method::HEAD) {
            ask = ask.headers(self.csrf_headers());
        }
        ask
    }

    /// The CSRF token in every header that a framework reads it from.
    #[must_use]
    pub fn csrf_headers(&self) -> Vec<(&'static str, String)> {
        let cookie = self
            .agent
            .jar()
            .all()
            .iter()
            .find(|kept| common::is_csrf(&kept.cookie.name) && !kept.cookie.http_only)
            .map(|kept| kept.cookie.value.clone());
        let Some(token) = cookie.or_else(|| self.csrf.clone()) else { return Vec::new() };
        // Angular's and Laravel's cookie is percent-encoded, their header is not.
        let decoded = percent_encoding::percent_decode_str(token.expose()).decode_utf8_lossy().into_owned();
        ["x-csrf-token", "x-csrftoken", "x-xsrf-token"]
            .into_iter()
            .map(|name| (name, decoded.clone()))
            .collect()
    }

    /// Sends as the application's own page would.
    ///
    /// # Errors
    /// [`NetError`].
    pub async fn send(&self, ask: Ask) -> Result<Answer, NetError> {
        self.agent.send(self.attach(ask)).await
    }

    /// The same session in a thief's hands, on another device: everything that lay in the browser.
    #[must_use]
    pub fn stolen(&self) -> Self {
        Self { agent: self.agent.stolen(Device::Other), ..self.clone() }
    }

    /// Fetches a CSRF token where the application hands them out: one from before signing in is often bound to nobody.
    pub(super) async fn fetch_csrf(&mut self, scene: &Scene, site: &Site) -> Result<(), NetError> {
        let Some(url) = site.csrf.as_deref().and_then(|path| scene.target.join(path)) else { return Ok(()) };
        let answer = self.agent.send(self.attach(Ask::get(url))).await?;
        if let Some(token) = csrf_in(&answer) {
            self.csrf = Some(token);
        }
        Ok(())
    }

    /// Keeps a CSRF token from a page of the application's.
    pub fn learn(&mut self, page: &Page) {
        let meta = page.metas.iter().find(|(name, _)| common::is_csrf(name)).map(|(_, content)| content);
        let field = || {
            page.forms
                .iter()
                .flat_map(|form| &form.fields)
                .find(|field| common::is_csrf(&field.name))
                .map(|field| &field.value)
        };
        if let Some(token) = meta.or_else(field) {
            self.csrf = Some(Secret::new(token));
        }
    }
}

/// A renewed token lies where the first one lay, or under its name elsewhere: `/token` at login, `/data/token` at refresh.
fn renewed(place: &Place, answer: &Answer, agent: &Agent) -> Option<Secret> {
    if let Some(secret) = tokens::at(place, answer, agent) {
        return Some(secret);
    }
    let Place::Json { pointer } = place else { return None };
    let name = pointer.rsplit('/').next()?;
    let wanted = |candidate: &tokens::Candidate| matches!(&candidate.place, Place::Json { pointer } if pointer.rsplit('/').next() == Some(name));
    tokens::candidates(answer, agent).into_iter().find(wanted).map(|candidate| candidate.secret)
}

pub(super) fn csrf_in(answer: &Answer) -> Option<Secret> {
    let json = answer.json()?;
    let members = json.as_object()?;
    members
        .iter()
        .find(|(name, value)| common::is_csrf(name) && value.is_string())
        .and_then(|(_, value)| value.as_str())
        .map(Secret::new)
}

/// A request that carries one credential and no cookie but that.
#[must_use]
pub fn carry(ask: Ask, credential: &Credential) -> Ask {
    carry_value(ask, &credential.carrier, credential.secret.expose())
}

/// The same with another value: a forged one.
#[must_use]
pub fn carry_value(ask: Ask, carrier: &Carrier, value: &str) -> Ask {
    match carrier {
        Carrier::Cookie { name } => ask.cookies(Cookies::Exactly(format!("{name}={value}"))),
        Carrier::Header { name, prefix } => ask.header(name, format!("{prefix}{value}")),
        Carrier::Query { name } => ask.query(name, value),
        Carrier::Body { name } => ask.json(&serde_json::json!({ name: value })),
    }
}

/// A thief's request: this credential alone, whatever else the jar holds.
#[must_use]
pub fn alone(method: Method, url: Url, credential: &Credential) -> Ask {
    alone_value(method, url, &credential.carrier, credential.secret.expose())
}

/// The same with another value.
#[must_use]
pub fn alone_value(method: Method, url: Url, carrier: &Carrier, value: &str) -> Ask {
    carry_value(Ask::new(method, url).cookies(Cookies::None), carrier, value)
}
