//! `signing-key` and `master-key`.

use super::node::{ask, unexpected};
use super::operator::{present, settled};
use super::{Verdict, settings};
use crate::admin::protocol::MasterKey;
use crate::admin::{Reply, Request};
use crate::args::{Global, MasterKeyCommand, SigningKeyCommand};
use crate::config::Settings;
use crate::output::{self, Screen, Tone, When};
use serde_json::json;

pub(super) fn signing_key(
    global: &Global,
    command: SigningKeyCommand,
    screen: Screen,
) -> anyhow::Result<Verdict> {
    let checked = settings::existing(global)?;
    let (request, remark) = match command {
        SigningKeyCommand::List => (Request::SigningKeyList, None),
        SigningKeyCommand::Rotate { force } => (Request::SigningKeyRotate { force }, None),
        SigningKeyCommand::Retire { kid } => {
            let remark = "What it signed is refused from now on. Sessions live on: browsers get new tokens with their next request. \
                          Verifiers elsewhere follow when they fetch the key list again.";
            (Request::SigningKeyRetire { kid }, Some(remark))
        }
    };
    let rotated = matches!(request, Request::SigningKeyRotate { .. });
    let (reply, changed) = settled(ask(checked.inspect(), request)?);
    let keys = match reply {
        Reply::Keys { keys } => keys,
        other => return unexpected(&other),
    };
    if screen.json {
        let document = json!({ "keys": keys });
        screen.document(&if changed { document } else { json!({ "keys": keys, "changed": false }) })?;
        return Ok(Verdict::Fine);
    }
    if !changed {
        screen.line("Nothing was changed: what this key signed was refused already.")?;
    } else if let Some(remark) = remark {
        screen.line(remark)?;
    } else if rotated {
        screen.line(&match keys.iter().find(|key| key.state == "next") {
            Some(next) => format!(
                "{} is published. It signs from {} on, when every verifier knows it.",
                next.kid,
                When::absolute(&next.active_at)
            ),
            None => "The next key signs from now on.".into(),
        })?;
    }
    screen.line(&output::keys(&keys, present(), screen.paint))?;
    Ok(Verdict::Fine)
}

pub(super) fn master_key(
    global: &Global,
    command: MasterKeyCommand,
    screen: Screen,
) -> anyhow::Result<Verdict> {
    let checked = settings::existing(global)?;
    let settings = checked.inspect();
    let (request, done) = match command {
        MasterKeyCommand::List => (Request::MasterKeyList, None),
        MasterKeyCommand::Rotate => (Request::MasterKeyRotate, Some(Done::Rotated)),
        MasterKeyCommand::Reseal => (Request::MasterKeyReseal, Some(Done::Resealed)),
        MasterKeyCommand::Remove { id } => (Request::MasterKeyRemove { id }, Some(Done::Removed(id))),
    };
    let (keys, resealed) = match ask(settings, request)? {
        Reply::MasterKeys { keys, resealed } => (keys, resealed),
        other => return unexpected(&other),
    };
    if screen.json {
        screen.document(&json!({ "keys": keys, "resealed": resealed }))?;
        return Ok(Verdict::Fine);
    }
    for line in done.iter().flat_map(|done| told(done, &keys, resealed, settings)) {
        screen.line(&line)?;
    }
    screen.line(&output::master_keys(&keys, present(), screen.paint))?;
    if keys.iter().any(|key| !key.held) {
        let hint = "A missing secret is needed: put its line back into master.key from a backup, then run \
                    `countersign master-key reseal`.";
        screen.line(&screen.paint.text(Tone::Warn, hint))?;
    }
    Ok(Verdict::Fine)
}

enum Done {
    Rotated,
    Resealed,
    Removed(u8),
}

/// What was done, and what is left to do.
fn told(done: &Done, keys: &[MasterKey], resealed: Option<u64>, settings: &Settings) -> Vec<String> {
    let current = keys.iter().find(|key| key.current).map_or(0, |key| key.id);
    let sealed = format!("{} anew under master secret {current}.", values(resealed.unwrap_or_default()));
    let file = settings.keys.master_key_file.as_deref();
    let file = file.map_or_else(|| "master.key".into(), |path| path.display().to_string());
    match done {
        Done::Resealed => vec![sealed],
        Done::Removed(id) => {
            vec![format!(
                "Master secret {id} was removed. Only backups of the store from before the last re-sealing need it."
            )]
        }
        Done::Rotated => {
            let mut lines = vec![
                format!("New sessions are opened with master secret {current}. {sealed}"),
                format!(
                    "Back this up: {file} has changed. Backups of the store from before now need the old secret: keep it with them."
                ),
            ];
            let old = keys.iter().filter(|key| key.held && !key.current);
            lines.extend(old.map(|key| match &key.until {
                None => format!("Nothing needs master secret {0}: `countersign master-key remove {0}`.", key.id),
                Some(until) => format!(
                    "Sessions need master secret {0} until {1} at the latest; then run `countersign master-key remove {0}`.",
                    key.id,
                    When::absolute(until)
                ),
            }));
            lines
        }
    }
}

fn values(count: u64) -> String {
    match count {
        1 => "1 value was sealed".into(),
        _ => format!("{count} values were sealed"),
    }
}
