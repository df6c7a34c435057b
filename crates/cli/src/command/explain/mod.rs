//! `explain`: what a token is, what is wrong with it, and what a thief could do with it.

mod server;

use super::node::{ask, runtime, unexpected};
use super::operator::present;
use super::{Verdict, password, settings};
use crate::admin::protocol::{Found, Worth};
use crate::admin::{Reply, Request};
use crate::args::{Explain, Global};
use crate::config::{Checked, Settings};
use crate::output::{self, Screen, Tone};
use anyhow::{Context, bail};
use countersign_core::domain::time::Timestamp;
use countersign_leak::explain::{self as leak, Explanation, Kind, Standing};
use std::io::{self, IsTerminal, Read};
use zeroize::Zeroizing;

/// More than any token, so that what is longer is told as such.
const MOST: u64 = 1024 * 1024;

pub(super) fn explain(global: &Global, typed: &Explain, screen: Screen) -> anyhow::Result<Verdict> {
    let given = match &typed.token {
        Some(token) => Zeroizing::new(token.clone()),
        None => read()?,
    };
    let now = present().0;
    let mut explanation = leak::explain(&given, now)?;
    let mut unasked = None;
    if let (Some(url), Some(key_file)) = (&typed.server, &typed.key_file) {
        let server = server::Server { url, key_file, ca_file: typed.ca_file.as_deref() };
        let token = Zeroizing::new(leak::token(&given)?.to_owned());
        if explanation.kind.can_be_asked_about() {
            // Who names a server wants its answer: without one, nothing is explained in its place.
            let said = runtime()?.block_on(server::ask(&server, &token))?;
            explanation = explanation.with_standing(said, now);
        }
    } else if !typed.offline && is_ours(explanation.kind) {
        match node(global) {
            Ok(None) => {}
            Ok(Some(checked)) => {
                let token = Zeroizing::new(leak::token(&given)?.to_owned());
                match standing(checked.inspect(), token) {
                    Ok(said) => explanation = explanation.with_standing(said, now),
                    Err(error) => unasked = Some(format!("{error:#}")),
                }
            }
            Err(error) => unasked = Some(format!("{error:#}")),
        }
    }
    if screen.json {
        screen.document(&document(&explanation, unasked.as_deref())?)?;
        return Ok(Verdict::Fine);
    }
    screen.line(&output::explained(&explanation, present(), screen.paint))?;
    if let Some(why) = unasked {
        let text = format!("\nThe server could not be asked whether it still works: {why}");
        screen.line(&screen.paint.text(Tone::Warn, &text))?;
    }
    if typed.token.is_some() && io::stdout().is_terminal() {
        let text = "\nThe token is in your shell's history now. Next time: `countersign explain`, and paste it there.";
        screen.line(&screen.paint.text(Tone::Quiet, text))?;
    }
    Ok(Verdict::Fine)
}

/// From standard input; from a terminal without showing it.
fn read() -> anyhow::Result<Zeroizing<String>> {
    if io::stdin().is_terminal() {
        return password::asked("Token (nothing is shown while you paste it): ");
    }
    let mut bytes = Zeroizing::new(Vec::new());
    io::stdin().lock().take(MOST).read_to_end(&mut bytes).context("standard input")?;
    let Ok(text) = std::str::from_utf8(&bytes) else {
        bail!(
            "standard input is no text, so no token: it is a binary file, or was damaged when it was copied"
        );
    };
    Ok(Zeroizing::new(text.to_owned()))
}

const fn is_ours(kind: Kind) -> bool {
    matches!(kind, Kind::Access | Kind::Refresh | Kind::ApiKey)
}

/// The configuration, where there is one: without any, what the token says has to do.
fn node(global: &Global) -> anyhow::Result<Option<Checked>> {
    if settings::is_configured(global) {
        return settings::existing(global).map(Some);
    }
    // Whether `dev` has run here; that it has not is no fault of whoever asks.
    Ok(settings::existing(global).ok())
}

fn standing(settings: &Settings, token: Zeroizing<String>) -> anyhow::Result<Standing> {
    let asked = settings.public_url.to_string();
    match ask(settings, Request::Inspect { token: Found(token) })? {
        Reply::Worth(worth) => Ok(told(asked, worth)),
        other => unexpected(&other),
    }
}

fn told(asked: String, worth: Option<Worth>) -> Standing {
    let Some(worth) = worth else {
        return Standing { asked, ..Standing::default() };
    };
    Standing {
        asked,
        active: true,
        expires_at: Timestamp::parse_rfc3339(&worth.expires_at),
        subject: Some(worth.user_id),
        scope: worth.scope,
        session: worth.session,
        api_key: worth.api_key,
        addresses: worth.addresses,
    }
}

fn document(explanation: &Explanation, unasked: Option<&str>) -> anyhow::Result<serde_json::Value> {
    let mut document = serde_json::to_value(explanation)?;
    if let (Some(why), Some(members)) = (unasked, document.as_object_mut()) {
        members.insert("unasked".into(), why.into());
    }
    Ok(document)
}
