//! `/auth/api-keys`: the user's own keys (design §7, requirements §G).

use std::sync::Arc;
use std::time::Duration;

use countersign_core::domain::api_key::{AddressList, ApiKeyId, HeldKey, KeyName};
use countersign_core::domain::scope::ScopeSet;
use countersign_core::domain::time::Timestamp;
use countersign_core::port::Outside;
use countersign_core::service::CreateKey;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::Reply;
use super::call::{Call, Media, unsupported};
use super::session::{json, no_content};
use crate::site::Site;
use crate::wire::problem::{Code, Problem};

/// What may be said about a new key. Nothing else: a misspelt `addresses` would make a key that works everywhere.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateRequest {
    name: String,
    #[serde(default)]
    scope: Words,
    #[serde(default)]
    addresses: Vec<String>,
    expires_at: Option<String>,
    expires_in: Option<u64>,
}

/// Scopes as a list, or separated by spaces.
#[derive(Deserialize)]
#[serde(untagged)]
enum Words {
    List(Vec<String>),
    Text(String),
}

impl Default for Words {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

#[derive(Serialize)]
struct KeyResponse<'a> {
    id: String,
    name: &'a str,
    /// The key itself: in the answer that made it and in no other (G03).
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    last4: &'a str,
    scope: String,
    /// What is left of it now: never more than the owner has (G04).
    effective_scope: String,
    addresses: Vec<String>,
    created_at: Timestamp,
    expires_at: Timestamp,
    last_used_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
}

impl<'a> KeyResponse<'a> {
    fn of(held: &'a HeldKey) -> Self {
        let key = &held.key;
        Self {
            id: key.id.to_string(),
            name: key.name.as_str(),
            key: None,
            last4: &key.last4,
            scope: key.scope.to_string(),
            effective_scope: held.scope().to_string(),
            addresses: key.addresses.iter().map(ToString::to_string).collect(),
            created_at: key.created_at,
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
            revoked_at: key.revoked_at,
        }
    }
}

impl CreateRequest {
    fn parse(self, now: Timestamp) -> Result<CreateKey, Problem> {
        let invalid = |what: String| Problem::new(Code::InvalidRequest, what);
        let name = KeyName::parse(&self.name).ok_or_else(|| {
            invalid(String::from("The name is empty, too long, or has control characters."))
        })?;
        let scope = match &self.scope {
            Words::List(names) => ScopeSet::from_names(names.iter().map(String::as_str)),
            Words::Text(text) => ScopeSet::parse(text),
        };
        let scope = scope.map_err(|error| invalid(format!("{error}.")))?;
        let addresses = AddressList::parse(self.addresses.iter().map(String::as_str))
            .map_err(|error| invalid(format!("{error}.")))?;
        let expires_at = match (&self.expires_at, self.expires_in) {
            (Some(at), None) => Timestamp::parse_rfc3339(at),
            (None, Some(seconds)) => Some(now.plus(Duration::from_secs(seconds))),
            _ => None,
        };
        let expires_at = expires_at.ok_or_else(|| {
            invalid(String::from(
                "Say when the key expires: expires_at (RFC 3339) or expires_in (seconds), one of them.",
            ))
        })?;
        Ok(CreateKey { name, scope, addresses, expires_at })
    }
}

/// Makes a key for the user of the session; who that is, the body has no say in (G07).
pub(super) async fn create<O: Outside>(site: Arc<Site<O>>, call: Call) -> Reply {
    if call.media != Media::Json {
        return Err(unsupported());
    }
    let principal = call.principal_for_change(&site).await?;
    let request = call.json::<CreateRequest>()?.parse(site.engine.now())?;
    let created = site.engine.create_own_api_key(&principal, request, &call.context).await?;
    let body = KeyResponse { key: Some(created.text.expose()), ..KeyResponse::of(&created.held) };
    let mut answer = json(&body);
    *answer.status_mut() = StatusCode::CREATED;
    Ok(answer)
}

pub(super) async fn list<O: Outside>(site: Arc<Site<O>>, call: Call) -> Reply {
    let principal = call.principal(&site).await?;
    let keys = site.engine.api_keys(Some(principal.user())).await?;
    let listed: Vec<_> = keys.iter().map(KeyResponse::of).collect();
    Ok(json(&serde_json::json!({ "api_keys": listed })))
}

pub(super) async fn show<O: Outside>(site: Arc<Site<O>>, mut call: Call) -> Reply {
    let principal = call.principal(&site).await?;
    let id = call.parameter().await.and_then(|id| ApiKeyId::parse(&id)).ok_or_else(no_such_key)?;
    let held = site.engine.own_api_key(principal.user(), id).await?.ok_or_else(no_such_key)?;
    Ok(json(&KeyResponse::of(&held)))
}

/// In effect on the next request (G08). No recent sign-in is needed to make things safer.
pub(super) async fn revoke<O: Outside>(site: Arc<Site<O>>, mut call: Call) -> Reply {
    call.json_only()?;
    let principal = call.principal_for_change(&site).await?;
    let id = call.parameter().await.and_then(|id| ApiKeyId::parse(&id)).ok_or_else(no_such_key)?;
    if site.engine.revoke_own_api_key(principal.user(), id, &call.context).await? {
        Ok(no_content())
    } else {
        Err(no_such_key())
    }
}

fn no_such_key() -> Problem {
    Problem::new(Code::NotFound, "You have no such API key.")
}
