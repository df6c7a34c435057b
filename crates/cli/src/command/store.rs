//! `migrate` and `store`: the store's file.

mod restored;

use super::node::{running, runtime, unexpected};
use super::{Verdict, settings};
use crate::admin::{Reply, Request};
use crate::args::{Global, StoreCommand};
use crate::compose::{self, MasterKey, Presence, sqlite_path};
use crate::config::Settings;
use crate::output::{Screen, Tone};
use anyhow::{Context, anyhow, bail};
use countersign_adapters::SystemClock;
use countersign_core::port::Clock;
use countersign_store::{
    OpenError, OpenMode, Plan, RestoreError, RestoredSessions, SqliteStore, WhatEndedSince, restore,
};
use serde_json::json;
use std::io::{ErrorKind, Read};
use std::path::Path;

/// Creates the store, or brings it to this version.
pub(super) fn migrate(global: &Global, screen: Screen) -> anyhow::Result<Verdict> {
    let checked = settings::existing(global)?;
    let settings = checked.inspect();
    let path = sqlite_path(settings)?;
    let opened = runtime()?.block_on(compose::open(settings, Presence::Create))?;
    let version = opened.migrated.as_ref().map(|migrated| (migrated.from, migrated.to));
    let copy = opened.migrated.as_ref().and_then(|migrated| migrated.copy.clone());
    let key = match opened.master_key {
        MasterKey::Created(key) => Some(key),
        MasterKey::Found => None,
    };
    if screen.json {
        let (from, to) = version.unzip();
        screen.document(&json!({
            "store": path, "from": from, "to": to, "copy": copy, "master_key_created": key,
        }))?;
        return Ok(Verdict::Fine);
    }
    screen.line(&match version {
        None => format!("{} has this version already.", path.display()),
        Some((0, _)) => format!("{} was created.", path.display()),
        Some((from, to)) => format!("{} was brought from version {from} to {to}.", path.display()),
    })?;
    if let Some(copy) = copy {
        screen.line(&format!("What was there before is in {}.", copy.display()))?;
    }
    if let Some(key) = key {
        let first = screen.paint.text(Tone::Warn, "Back this up:");
        screen.line(&format!(
            "{first} {} was made. Without it no session and no signing key of the store can be used again.",
            key.display()
        ))?;
    }
    Ok(Verdict::Fine)
}

/// Backs up, or restores.
pub(super) fn store(global: &Global, command: StoreCommand, screen: Screen) -> anyhow::Result<Verdict> {
    let checked = settings::existing(global)?;
    match command {
        StoreCommand::Backup { path } => backup(checked.inspect(), &path, screen),
        StoreCommand::Restore { path, keep_sessions, as_it_is } => {
            put_back(checked.inspect(), &path, keep_sessions, as_it_is, screen)
        }
    }
}

fn backup(settings: &Settings, to: &Path, screen: Screen) -> anyhow::Result<Verdict> {
    // A running server has another working directory.
    let to = std::path::absolute(to).with_context(|| format!("{}", to.display()))?;
    runtime()?.block_on(async {
        if let Some(mut server) = running(settings).await? {
            let path = to.to_str().context("the path of the backup is not UTF-8")?.to_owned();
            return match server.ask(&Request::Backup { path }).await?? {
                Reply::Done => Ok(()),
                other => unexpected(&other),
            };
        }
        // Without a server the file itself is all that is needed: no master secret.
        let store = SqliteStore::open(sqlite_path(settings)?, OpenMode::Existing)?;
        Ok(store.backup(&to).await?)
    })?;
    if screen.json {
        screen.document(&json!({ "backup": to }))?;
    } else {
        screen.line(&format!("The store was copied to {}.", to.display()))?;
        if let Some(key) = &settings.keys.master_key_file {
            let hint = format!("It is of use only with {}: keep a copy of that elsewhere.", key.display());
            screen.line(&screen.paint.text(Tone::Quiet, &hint))?;
        }
    }
    Ok(Verdict::Fine)
}

fn put_back(
    settings: &Settings,
    from: &Path,
    keep_sessions: bool,
    as_it_is: bool,
    screen: Screen,
) -> anyhow::Result<Verdict> {
    let to = sqlite_path(settings)?;
    if same_file(from, to) {
        bail!("{} is the store itself: name a backup", from.display());
    }
    if !is_database(from)? {
        bail!("{} is not a Countersign backup", from.display());
    }
    let at = SystemClock.now();
    let plan = Plan {
        sessions: if keep_sessions { RestoredSessions::Keep } else { RestoredSessions::End { at } },
        since: if as_it_is { WhatEndedSince::LivesAgain } else { WhatEndedSince::StaysEnded },
    };
    let restored = restore(from, to, plan, |outcome| restored::event(outcome, plan, at)).map_err(
        |error| match error {
            RestoreError::Open(OpenError::NotOurs { path }) if path == from => {
                anyhow!("{} is not a Countersign backup", from.display())
            }
            other => other.into(),
        },
    )?;
    if screen.json {
        screen.document(&restored::document(&restored, plan, to))?;
    } else {
        for line in restored::told(&restored, plan, (from, to), screen.paint) {
            screen.line(&line)?;
        }
    }
    Ok(Verdict::Fine)
}

/// Whether a file begins as SQLite's do (file format §1.3).
fn is_database(path: &Path) -> anyhow::Result<bool> {
    let mut head = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => anyhow!("{}: no such file", path.display()),
        _ => anyhow!("{}: {error}", path.display()),
    })?;
    file.take(16).read_to_end(&mut head).with_context(|| path.display().to_string())?;
    Ok(head == b"SQLite format 3\0")
}

fn same_file(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}
