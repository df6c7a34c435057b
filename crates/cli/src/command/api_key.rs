//! `api-key`: a question to a node, and its answer on the screen.

use super::node::{ask, unexpected};
use super::operator::present;
use super::{Verdict, settings};
use crate::admin::{ApiKeyRequest, Reply, Request};
use crate::args::{ApiKeyCommand, Global};
use crate::output::{self, Screen, Tone, When, count};
use serde_json::json;

pub(super) fn api_key(global: &Global, command: ApiKeyCommand, screen: Screen) -> anyhow::Result<Verdict> {
    let checked = settings::existing(global)?;
    let request = match command {
        ApiKeyCommand::Create(create) => ApiKeyRequest::Create {
            email: create.email,
            name: create.name,
            scope: create.scope,
            addresses: create.address,
            ttl: create.expires_in.as_secs(),
        },
        ApiKeyCommand::List { user } => ApiKeyRequest::List { user },
        ApiKeyCommand::Revoke(revoke) => match (revoke.id, revoke.user) {
            (Some(id), None) => ApiKeyRequest::Revoke { id },
            (None, Some(user)) => ApiKeyRequest::RevokeAllOf { user },
            _ => anyhow::bail!("name the id of a key, or a user with --user"),
        },
    };
    match ask(checked.inspect(), Request::ApiKey(request))? {
        Reply::ApiKeyMade(made) if screen.json => screen.document(&*made)?,
        Reply::ApiKeyMade(made) => {
            let key = &made.api_key;
            let may = if key.scope.is_empty() {
                "nothing yet: it has no scope".into()
            } else {
                key.scope.join(" ")
            };
            screen.line(&format!(
                "A key for {}, until {}. It may: {may}.\nIt is shown this once; nobody can read it again:\n\n  {}",
                key.email,
                When::absolute(&key.expires_at),
                screen.paint.text(Tone::Accent, &made.key.0)
            ))?;
        }
        Reply::ApiKeys { api_keys } if screen.json => screen.document(&json!({ "api_keys": api_keys }))?,
        Reply::ApiKeys { api_keys } if api_keys.is_empty() => {
            screen.line("There are no API keys.")?;
        }
        Reply::ApiKeys { api_keys } => {
            screen.line(&output::api_keys(&api_keys, present(), screen.paint))?;
        }
        Reply::ApiKeysRevoked { revoked } if screen.json => {
            screen.document(&json!({ "revoked": revoked }))?
        }
        Reply::ApiKeysRevoked { revoked } => {
            screen.line(&format!("{} revoked, in effect now.", count(revoked, "key")))?;
        }
        other => return unexpected(&other),
    }
    Ok(Verdict::Fine)
}
