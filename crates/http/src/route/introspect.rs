//! POST `/auth/introspect` (RFC 7662): services ask what a token is worth. By API key, never by cookies.

use std::net::IpAddr;
use std::sync::Arc;

use countersign_core::domain::api_key::{HeldKey, MachineScope};
use countersign_core::domain::client::ClientId;
use countersign_core::domain::session::Held;
use countersign_core::domain::token::access::COOKIE_CLIENT;
use countersign_core::domain::token::unverified;
use countersign_core::port::Outside;
use countersign_core::service::{Introspected, ServiceError, SessionPrincipal};
use serde_json::{Value, json};

use super::Reply;
use super::call::Call;
use super::session;
use crate::credentials::patiently;
use crate::site::Site;
use crate::wire::problem::{Code, Problem};

/// `token`; `token_type_hint` is not needed, every kind tells itself. `client_address`: from where the token was presented.
pub(super) async fn introspect<O: Outside>(site: Arc<Site<O>>, call: Call) -> Reply {
    call.form_only()?;
    site.service_key(&call.parts.headers, MachineScope::Introspect, &call.context).await?;
    let token = call.required_field("token")?;
    let client = match call.single_field("client_address")? {
        Some(text) => Some(text.trim().parse::<IpAddr>().map_err(|_not_an_address| {
            Problem::new(Code::InvalidRequest, "The field client_address is no IP address.")
        })?),
        None => None,
    };
    let worth = patiently(site.engine.introspect(&token, client, &call.context), ServiceError::Store).await?;
    let body = match worth {
        // One member and no reason: a prober learns nothing (H02).
        Introspected::Inactive => json!({ "active": false }),
        Introspected::Access(principal) => site.access(&token, &principal),
        Introspected::Refresh(held) => site.refresh(&held),
        Introspected::ApiKey(held) => site.key(&held),
    };
    Ok(session::json(&body))
}

impl<O: Outside> Site<O> {
    /// What all active answers share. The session is told by its public id: a sid is part of tokens.
    fn active(&self, purpose: &str, mut more: Value) -> Value {
        let profile = &self.engine.policy().access;
        if let Some(members) = more.as_object_mut() {
            members.insert(String::from("active"), Value::Bool(true));
            members.insert(String::from("iss"), Value::from(&*profile.issuer));
            members.insert(String::from("env"), Value::from(profile.environment.as_str()));
            members.insert(String::from("purpose"), Value::from(purpose));
            if purpose != "refresh" {
                // The type of credentials (RFC 6749 §7.1). Who looks at nothing else must not take a refresh token for one.
                members.insert(String::from("token_type"), Value::from("Bearer"));
            }
            // A scope has a word at least (RFC 6749 §3.3): none is told by leaving it out.
            if members.get("scope").and_then(Value::as_str).is_some_and(str::is_empty) {
                members.remove("scope");
            }
        }
        more
    }

    /// `token` is the principal's: what it says of its audience was verified with it.
    fn access(&self, token: &str, principal: &SessionPrincipal) -> Value {
        let audience = unverified::read(token).map(|token| token.aud).unwrap_or_default();
        let claims = principal.claims();
        let body = json!({
            "sub": claims.user.as_str(),
            "aud": one_or_many(&audience),
            "client_id": &*claims.client,
            "iat": claims.issued_at.as_secs(),
            "exp": claims.expires_at.as_secs(),
            "scope": claims.scope.to_string(),
            "sid": principal.session().as_str(),
            "auth_time": claims.auth_time.as_secs(),
            "amr": claims.amr.iter().map(|method| &**method).collect::<Vec<_>>(),
        });
        self.active("access", body)
    }

    fn refresh(&self, held: &Held) -> Value {
        let session = &held.session;
        let body = json!({
            "sub": session.user.as_str(),
            "client_id": session.client.as_ref().map_or(COOKIE_CLIENT, ClientId::as_str),
            "iat": session.rotation.handed_over_at.as_secs(),
            "exp": session.deadline(&self.engine.policy().session).as_secs(),
            "scope": session.scope.intersection(&held.user.scope).to_string(),
            "sid": session.public_id.as_str(),
        });
        self.active("refresh", body)
    }

    fn key(&self, held: &HeldKey) -> Value {
        let id = held.key.id.to_string();
        let body = json!({
            "sub": held.key.owner.as_str(),
            "client_id": id,
            "iat": held.key.created_at.as_secs(),
            "exp": held.key.expires_at.as_secs(),
            "scope": held.scope().to_string(),
        });
        self.active("api_key", body)
    }
}

/// A list, or the one name by itself (RFC 7519 §4.1.3).
fn one_or_many(names: &[Box<str>]) -> Value {
    match names {
        [one] => Value::from(&**one),
        many => many.iter().map(|name| Value::from(&**name)).collect(),
    }
}
