//! Commands about signing keys and master secrets.

use super::look_up::failed;
use super::protocol::{self, Answer, Fault, Reply};
use countersign_core::domain::id::KeyId;
use countersign_core::domain::signing_key::{KeyState, SigningKey};
use countersign_core::port::Outside;
use countersign_core::service::{Context, Engine, MasterKeyError, MasterKeyUse, RotateKeysError};

/// All signing keys.
pub(super) async fn list<O: Outside>(engine: &Engine<O>) -> Answer {
    // What another process did within the last second counts too.
    engine.reload_keys().await.map_err(failed)?;
    Ok(keys(engine))
}

fn keys<O: Outside>(engine: &Engine<O>) -> Reply {
    Reply::Keys { keys: engine.signing_keys().iter().map(|key| shown(engine, key)).collect() }
}

/// Nothing of its private part.
fn shown<O: Outside>(engine: &Engine<O>, (key, state): &(SigningKey, KeyState)) -> protocol::Key {
    let retired_at = match state {
        KeyState::Retired { since } => Some(*since),
        KeyState::Next | KeyState::Active | KeyState::Gone | KeyState::Revoked => None,
    };
    let served_until = retired_at.map(|since| since.plus(engine.policy().longest_access()));
    protocol::Key {
        kid: key.kid.to_string(),
        algorithm: key.algorithm.as_str().to_owned(),
        state: state.as_str().to_owned(),
        created_at: key.created_at.rfc3339(),
        active_at: key.active_at.rfc3339(),
        retired_at: retired_at.map(|at| at.rfc3339()),
        served_until: served_until.map(|at| at.rfc3339()),
        revoked_at: key.revoked_at.map(|at| at.rfc3339()),
    }
}

/// The next key signs, or is made.
pub(super) async fn rotate<O: Outside>(engine: &Engine<O>, force: bool, context: &Context) -> Answer {
    match engine.rotate_signing_key(force, context).await {
        Ok(_) => Ok(keys(engine)),
        Err(RotateKeysError::TooEarly { kid, known_at, active_at }) => {
            // Often the two times are one: said twice, people look for the difference.
            let known = if known_at == active_at { "then".to_owned() } else { known_at.rfc3339() };
            Err(Fault::new(format!(
                "nothing was changed: a rotation is under way already. The next key {kid} is published and signs from {} on by \
                 itself; verifiers that cache the key list may not know it before {known}, and would refuse its tokens: \
                 --force lets it sign at once all the same. A key that leaked is another matter: `countersign signing-key retire`",
                active_at.rfc3339()
            )))
        }
        Err(RotateKeysError::Service(error)) => Err(failed(error)),
    }
}

/// Nothing that the key signed is accepted any more.
pub(super) async fn retire<O: Outside>(engine: &Engine<O>, kid: &str, context: &Context) -> Answer {
    let is_over = |state: &KeyState| matches!(state, KeyState::Revoked | KeyState::Gone);
    if engine.signing_keys().iter().any(|(key, state)| &*key.kid == kid && is_over(state)) {
        return Ok(Reply::Unchanged(Box::new(keys(engine))));
    }
    if !engine.revoke_signing_key(kid, context).await.map_err(failed)? {
        let message = format!(
            "no signing key that could be retired has the id {kid:?}; `countersign signing-key list` shows all"
        );
        return Err(Fault::new(message));
    }
    Ok(keys(engine))
}

/// All master secrets and what needs them.
pub(super) async fn list_masters<O: Outside>(engine: &Engine<O>) -> Answer {
    masters(engine, None).await
}

async fn masters<O: Outside>(engine: &Engine<O>, resealed: Option<u64>) -> Answer {
    let found = engine.master_keys().await.map_err(failed)?;
    Ok(Reply::MasterKeys { keys: found.iter().map(shown_master).collect(), resealed })
}

fn shown_master(found: &MasterKeyUse) -> protocol::MasterKey {
    protocol::MasterKey {
        id: found.id.0,
        current: found.current,
        held: found.held,
        sessions: found.sessions,
        until: found.until.map(|at| at.rfc3339()),
        sealed: found.sealed,
    }
}

/// A new one, and everything sealed under it.
pub(super) async fn rotate_master<O: Outside>(engine: &Engine<O>, context: &Context) -> Answer {
    let resealed = engine.rotate_master_key(context).await.map_err(|error| refused(&error))?;
    masters(engine, Some(resealed.values)).await
}

/// Reads them again, and seals everything under the current one.
pub(super) async fn reseal<O: Outside>(engine: &Engine<O>, context: &Context) -> Answer {
    let resealed = engine.reseal(context).await.map_err(|error| refused(&error))?;
    masters(engine, Some(resealed.values)).await
}

/// One that nothing needs goes.
pub(super) async fn remove_master<O: Outside>(engine: &Engine<O>, id: u8, context: &Context) -> Answer {
    engine.remove_master_key(KeyId(id), context).await.map_err(|error| refused(&error))?;
    masters(engine, None).await
}

/// What is in the way, and what to do.
fn refused(error: &MasterKeyError) -> Fault {
    let remedy = match error {
        MasterKeyError::Unknown(_) => "`countersign master-key list` shows all",
        MasterKeyError::Current(_) => "run `countersign master-key rotate` first",
        MasterKeyError::Sealed { .. } => "run `countersign master-key reseal` first",
        MasterKeyError::InUse { .. } => {
            "without it they would be logged out: wait until they have ended, or end them with `countersign revoke`"
        }
        MasterKeyError::Kept(_)
        | MasterKeyError::Keyring(_)
        | MasterKeyError::Unsealable(_)
        | MasterKeyError::NoneFree
        | MasterKeyError::Service(_) => return failed(error),
    };
    Fault::new(format!("{error}; {remedy}"))
}
