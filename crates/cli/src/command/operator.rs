//! Users, sessions, revocation: a question to a node, and its answer on the screen.

use super::node::{self, Node, ask, unexpected};
use super::{Verdict, password, settings};
use crate::admin::protocol::User;
use crate::admin::{Reply, Request};
use crate::args::{Global, Revoke, SessionCommand, UserCommand};
use crate::output::{self, Screen, Tone, When, count};
use anyhow::Context;
use countersign_adapters::SystemClock;
use countersign_core::domain::user::Email;
use countersign_core::port::Clock;
use serde_json::json;

pub(super) fn user(global: &Global, command: UserCommand, screen: Screen) -> anyhow::Result<Verdict> {
    let checked = settings::existing(global)?;
    let settings = checked.inspect();
    let (request, done) = match command {
        UserCommand::List { disabled } => return list_users(settings, disabled, screen),
        UserCommand::Scope { email, add, remove } => {
            return change_scope(settings, Request::UserScope { email, add, remove }, screen);
        }
        UserCommand::Remove { email } => return remove(settings, Request::UserRemove { email }, screen),
        UserCommand::Invite { email, scope } => return invite(settings, email, scope, screen),
        UserCommand::Add { email, password_stdin, scope } => {
            address(&email)?;
            let password = password::read(password_stdin)?;
            (Request::UserAdd { email, password, scope }, "added")
        }
        UserCommand::Password { email, password_stdin } => {
            address(&email)?;
            let password = password::read(password_stdin)?;
            (Request::UserPassword { email, password }, "has the new password; all sessions ended")
        }
        UserCommand::Disable { email } => {
            (Request::UserDisable { email, disabled: true }, "disabled; all sessions ended")
        }
        UserCommand::Enable { email } => (Request::UserDisable { email, disabled: false }, "enabled"),
    };
    let (reply, changed) = settled(ask(settings, request)?);
    match reply {
        Reply::User(user) if screen.json => screen.document(&json!({ "user": user, "changed": changed }))?,
        Reply::User(user) if changed => screen.line(&format!("{} {done}", user.email))?,
        Reply::User(user) => {
            let state = if user.disabled_at.is_some() { "disabled" } else { "enabled" };
            screen.line(&format!("{} was {state} already", user.email))?;
        }
        other => return unexpected(&other),
    }
    Ok(Verdict::Fine)
}

fn change_scope(
    settings: &crate::config::Settings,
    request: Request,
    screen: Screen,
) -> anyhow::Result<Verdict> {
    let (reply, changed) = settled(ask(settings, request)?);
    let Reply::Scoped { user, ended } = reply else { return unexpected(&reply) };
    if screen.json {
        screen.document(&json!({ "user": user, "changed": changed, "ended": ended }))?;
        return Ok(Verdict::Fine);
    }
    let scopes = if user.scope.is_empty() { "no scope".into() } else { user.scope.join(" ") };
    let email = &user.email;
    screen.line(&match ended {
        _ if !changed => format!("{email} had these scopes already: {scopes}"),
        Some(ended) => format!(
            "{email} has now: {scopes}. {} ended, in effect now: tokens carry scopes, so the user signs in again.",
            count(ended, "session")
        ),
        None => format!("{email} has now: {scopes}. Open sessions gain nothing: it counts from the next sign-in on."),
    })?;
    Ok(Verdict::Fine)
}

fn remove(settings: &crate::config::Settings, request: Request, screen: Screen) -> anyhow::Result<Verdict> {
    let reply = ask(settings, request)?;
    let Reply::Removed { user, sessions, api_keys } = reply else { return unexpected(&reply) };
    if screen.json {
        screen.document(&json!({ "removed": user, "ended": sessions, "api_keys": api_keys }))?;
        return Ok(Verdict::Fine);
    }
    screen.line(&format!(
        "{} is erased: {} ended and {} revoked, in effect now.",
        user.email,
        count(sessions, "session"),
        count(api_keys, "API key")
    ))?;
    let hint = format!(
        "Events keep the id {}, which names nobody any more. Backups made before hold the account still; a restore erases it again.",
        user.id
    );
    screen.line(&screen.paint.text(Tone::Quiet, &hint))?;
    Ok(Verdict::Fine)
}

fn invite(
    settings: &crate::config::Settings,
    email: String,
    scope: Vec<String>,
    screen: Screen,
) -> anyhow::Result<Verdict> {
    let invited = match ask(settings, Request::UserInvite { email, scope })? {
        Reply::Invited(invited) => invited,
        other => return unexpected(&other),
    };
    if screen.json {
        screen.document(&json!({ "invitation": invited }))?;
        return Ok(Verdict::Fine);
    }
    let (email, until) = (&invited.email, When::absolute(&invited.expires_at));
    match &invited.link {
        None => {
            screen.line(&format!("{email} is invited by mail; the link works once, until {until}."))?;
        }
        Some(link) => {
            screen.line(&format!(
                "{email} is invited. No [mail] is configured, so hand this link over yourself, to nobody else; it works \
                 once, until {until}:\n\n  {}",
                screen.paint.text(Tone::Accent, &link.0)
            ))?;
        }
    }
    Ok(Verdict::Fine)
}

/// All pages of the list.
fn list_users(settings: &crate::config::Settings, disabled: bool, screen: Screen) -> anyhow::Result<Verdict> {
    let users: anyhow::Result<Vec<User>> = node::runtime()?.block_on(async {
        let mut node = Node::reach(settings).await?;
        let mut all: Vec<User> = Vec::new();
        loop {
            let after = all.last().map(|user| user.email.clone());
            match node.ask(Request::UserList { after }).await? {
                Reply::Users { users, more } => {
                    let more = more && !users.is_empty();
                    all.extend(users);
                    if !more {
                        return Ok(all);
                    }
                }
                other => return unexpected(&other),
            }
        }
    });
    let mut users = users?;
    if disabled {
        users.retain(|user| user.disabled_at.is_some());
    }
    if screen.json {
        screen.document(&json!({ "users": users }))?;
    } else if users.is_empty() && disabled {
        screen.line("No user is disabled.")?;
    } else if users.is_empty() {
        screen.line("There are no users yet; `countersign user add EMAIL` adds one.")?;
    } else {
        screen.line(&output::users(&users, present(), screen.paint))?;
    }
    Ok(Verdict::Fine)
}

pub(super) fn session(global: &Global, command: SessionCommand, screen: Screen) -> anyhow::Result<Verdict> {
    let checked = settings::existing(global)?;
    let settings = checked.inspect();
    let request = match command {
        SessionCommand::List { user, all } => Request::SessionList { user, all },
        SessionCommand::Show { id } => Request::SessionShow { id },
        SessionCommand::Revoke { id } => return revoked(settings, Request::RevokeSession { id }, screen),
    };
    match ask(settings, request)? {
        Reply::Sessions { sessions, more } if screen.json => {
            screen.document(&json!({ "sessions": sessions, "more": more }))?;
        }
        Reply::Sessions { sessions, .. } if sessions.is_empty() => {
            screen.line("There are no such sessions; --all shows ended ones too.")?;
        }
        Reply::Sessions { sessions, more } => {
            screen.line(&output::sessions(&sessions, present(), screen.paint))?;
            if more {
                let hint = "There are more; --user EMAIL shows those of one user.";
                screen.line(&screen.paint.text(Tone::Quiet, hint))?;
            }
        }
        Reply::Session(explained) if screen.json => {
            screen.document(&json!({ "session": explained.session, "events": explained.events }))?;
        }
        Reply::Session(explained) => {
            screen.line(&output::explanation(&explained, present(), screen.paint))?;
        }
        other => return unexpected(&other),
    }
    Ok(Verdict::Fine)
}

pub(super) fn revoke(global: &Global, revoke: Revoke, screen: Screen) -> anyhow::Result<Verdict> {
    let checked = settings::existing(global)?;
    let request = match (revoke.session, revoke.user, revoke.all) {
        (Some(id), None, false) => Request::RevokeSession { id },
        (None, Some(user), false) => Request::RevokeUser { user },
        (None, None, true) => Request::RevokeAll,
        _ => anyhow::bail!("name one of --session, --user and --all"),
    };
    revoked(checked.inspect(), request, screen)
}

fn revoked(settings: &crate::config::Settings, request: Request, screen: Screen) -> anyhow::Result<Verdict> {
    match ask(settings, request)? {
        Reply::Revoked { ended } if screen.json => screen.document(&json!({ "ended": ended }))?,
        Reply::Revoked { ended: 0 } => {
            screen.line("Nothing was live any more; tokens that were issued before are refused.")?;
        }
        Reply::Revoked { ended } => {
            screen.line(&format!("{} ended, in effect now.", count(ended, "session")))?
        }
        other => return unexpected(&other),
    }
    Ok(Verdict::Fine)
}

/// The answer, and whether anything had to be changed for it.
pub(super) fn settled(reply: Reply) -> (Reply, bool) {
    match reply {
        Reply::Unchanged(reply) => (*reply, false),
        other => (other, true),
    }
}

/// Refuses what is no address before a password is asked for.
fn address(typed: &str) -> anyhow::Result<()> {
    Email::parse(typed).map(drop).with_context(|| format!("{typed:?}"))
}

/// The present, for relative times.
pub(super) fn present() -> When {
    When(SystemClock.now())
}
