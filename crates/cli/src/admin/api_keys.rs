//! `api-key …` over `admin.sock`: what is asked, what is answered, and the doing.

use super::look_up::{email, failed, no_user, user};
use super::protocol::{Answer, Fault, Reply};
use super::secret::KeyText;
use countersign_core::domain::api_key::{AddressList, ApiKeyId, HeldKey, KeyName, KeyRefusal};
use countersign_core::domain::scope::ScopeSet;
use countersign_core::domain::time::Timestamp;
use countersign_core::port::Outside;
use countersign_core::service::{Context, CreateKey, CreateKeyError, Engine};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What an operator asks for. Text as typed.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum ApiKeyRequest {
    /// Makes a key.
    Create {
        /// For whom it acts.
        email: String,
        /// What it is called.
        name: String,
        /// What it may do.
        scope: Vec<String>,
        /// From where it may be used.
        addresses: Vec<String>,
        /// How long it works, in seconds.
        ttl: u64,
    },
    /// Lists keys.
    List {
        /// Of this user: address or id.
        user: Option<String>,
    },
    /// Revokes one.
    Revoke {
        /// Public id.
        id: String,
    },
    /// Revokes all of a user's.
    RevokeAllOf {
        /// Address or id.
        user: String,
    },
}

/// A key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ApiKey {
    /// Public id.
    pub(crate) id: String,
    /// What its owner calls it.
    pub(crate) name: String,
    /// Its last four characters.
    pub(crate) last4: String,
    /// For whom it acts: subject.
    pub(crate) user_id: String,
    /// For whom it acts: address.
    pub(crate) email: String,
    /// `live`, `revoked`, `expired` or `owner_disabled`.
    pub(crate) state: String,
    /// What it was granted.
    pub(crate) scope: Vec<String>,
    /// What is left of it, with its owner as they are now.
    pub(crate) effective_scope: Vec<String>,
    /// From where it may be used; empty: from everywhere.
    pub(crate) addresses: Vec<String>,
    /// RFC 3339.
    pub(crate) created_at: String,
    /// RFC 3339.
    pub(crate) expires_at: String,
    /// RFC 3339; absent until it is used.
    pub(crate) last_used_at: Option<String>,
    /// RFC 3339; absent while it is not revoked.
    pub(crate) revoked_at: Option<String>,
}

/// A key just made, with the key itself.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NewApiKey {
    /// Shown once.
    pub(crate) key: KeyText,
    /// What lists show of it.
    pub(crate) api_key: ApiKey,
}

/// Does it. In effect on this node when it returns.
pub(super) async fn handle<O: Outside>(
    engine: &Engine<O>,
    request: ApiKeyRequest,
    context: &Context,
) -> Answer {
    match request {
        ApiKeyRequest::Create { email: typed, name, scope, addresses, ttl } => {
            let request = CreateKey {
                name: KeyName::parse(&name).ok_or_else(|| {
                    Fault::new("a name has 1 to 64 characters, none of them a control character")
                })?,
                scope: ScopeSet::from_names(scope.iter().map(String::as_str)).map_err(failed)?,
                addresses: AddressList::parse(addresses.iter().map(String::as_str)).map_err(failed)?,
                expires_at: engine.now().plus(Duration::from_secs(ttl)),
            };
            let made = engine.create_api_key_for(&email(&typed)?, request, context).await;
            let made = made.map_err(|error| match error {
                CreateKeyError::NoOwner => Fault::new(format!(
                    "there is no user {typed:?}, or it is disabled; `countersign user list` shows all"
                )),
                other => failed(other),
            })?;
            let key = KeyText(made.text.expose().to_owned().into());
            Ok(Reply::ApiKeyMade(Box::new(NewApiKey { key, api_key: shown(&made.held, engine.now()) })))
        }
        ApiKeyRequest::List { user: of } => {
            let owner = match of.as_deref() {
                Some(typed) => Some(user(engine, typed).await?.id),
                None => None,
            };
            let keys = engine.api_keys(owner.as_ref()).await.map_err(failed)?;
            Ok(Reply::ApiKeys { api_keys: keys.iter().map(|held| shown(held, engine.now())).collect() })
        }
        ApiKeyRequest::Revoke { id: typed } => {
            let id = ApiKeyId::parse(&typed).ok_or_else(|| no_key(&typed))?;
            if engine.revoke_api_key(id, context).await.map_err(failed)? {
                Ok(Reply::ApiKeysRevoked { revoked: 1 })
            } else {
                Err(no_key(&typed))
            }
        }
        ApiKeyRequest::RevokeAllOf { user: typed } => {
            let owner = user(engine, &typed).await.map_err(|_unknown| no_user(&typed))?;
            let revoked = engine.revoke_api_keys_of(&owner.id, context).await.map_err(failed)?;
            Ok(Reply::ApiKeysRevoked { revoked })
        }
    }
}

fn no_key(typed: &str) -> Fault {
    Fault::new(format!("there is no API key {typed:?}; `countersign api-key list` shows all"))
}

fn shown(held: &HeldKey, now: Timestamp) -> ApiKey {
    let key = &held.key;
    // From where it is used plays no part here.
    let anywhere = key.addresses.iter().next().map(ipnet::IpNet::addr);
    let state = match held.judge(anywhere, now) {
        Ok(()) | Err(KeyRefusal::Address) => "live",
        Err(KeyRefusal::Revoked) => "revoked",
        Err(KeyRefusal::Expired) => "expired",
        Err(KeyRefusal::OwnerDisabled) => "owner_disabled",
    };
    let names = |scope: &ScopeSet| scope.iter().map(str::to_owned).collect();
    ApiKey {
        id: key.id.to_string(),
        name: key.name.as_str().to_owned(),
        last4: key.last4.to_string(),
        user_id: key.owner.to_string(),
        email: held.owner.email.to_string(),
        state: state.into(),
        scope: names(&key.scope),
        effective_scope: names(&held.scope()),
        addresses: key.addresses.iter().map(ToString::to_string).collect(),
        created_at: key.created_at.rfc3339(),
        expires_at: key.expires_at.rfc3339(),
        last_used_at: key.last_used_at.map(Timestamp::rfc3339),
        revoked_at: key.revoked_at.map(Timestamp::rfc3339),
    }
}
