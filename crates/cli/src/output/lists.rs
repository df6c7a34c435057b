//! Users, sessions and keys as tables.

use super::{Paint, Table, Tone, When};
use crate::admin::protocol::{ApiKey, Key, MasterKey, Session, State, User};

/// Users by address.
pub(crate) fn users(users: &[User], when: When, paint: Paint) -> String {
    let mut table = Table::new(&["email", "state", "created", "scopes", "id"]);
    for user in users {
        let state = match &user.disabled_at {
            Some(at) => (Tone::Warn, format!("disabled {}", when.relative(at))),
            None if user.has_password => (Tone::Good, "enabled".into()),
            None => (Tone::Warn, "no password".into()),
        };
        table.row([
            (Tone::Plain, user.email.clone()),
            state,
            (Tone::Quiet, when.both(&user.created_at)),
            (Tone::Plain, if user.scope.is_empty() { "-".into() } else { user.scope.join(" ") }),
            (Tone::Quiet, user.id.clone()),
        ]);
    }
    table.render(paint)
}

/// Sessions, newest first.
pub(crate) fn sessions(sessions: &[Session], when: When, paint: Paint) -> String {
    let mut table = Table::new(&["session", "user", "state", "opened", "last seen", "from", "browser"]);
    for session in sessions {
        table.row([
            (Tone::Plain, session.id.clone()),
            (Tone::Plain, session.email.clone()),
            state(session, when),
            (Tone::Quiet, when.relative(&session.created_at)),
            (Tone::Quiet, when.relative(&session.seen_at)),
            (Tone::Plain, session.ip.clone().unwrap_or_else(|| "-".into())),
            // What sets browsers apart is at the end of a long line; `session show` has all of it.
            (Tone::Quiet, countersign_http::device(&session.user_agent)),
        ]);
    }
    table.render(paint)
}

fn state(session: &Session, when: When) -> (Tone, String) {
    let ago = session.ended_at.as_deref().map(|at| when.relative(at)).unwrap_or_default();
    let reason = session.end_reason.as_deref().unwrap_or_default();
    match session.state {
        State::Live => (Tone::Good, "live".into()),
        State::Expired => (Tone::Quiet, format!("expired {ago} ({reason})")),
        State::Ended if reason == "token_reuse" => (Tone::Bad, format!("THEFT {ago}")),
        State::Ended => (Tone::Warn, format!("ended {ago} ({})", reason.replace('_', " "))),
    }
}

/// Signing keys.
pub(crate) fn keys(keys: &[Key], when: When, paint: Paint) -> String {
    let mut table = Table::new(&["kid", "algorithm", "state", "published", "signs from", "ends"]);
    for key in keys {
        let tone = match key.state.as_str() {
            "active" => Tone::Good,
            "revoked" => Tone::Bad,
            "next" => Tone::Accent,
            _ => Tone::Quiet,
        };
        let end = match (&key.revoked_at, &key.served_until) {
            (Some(at), _) => (Tone::Bad, format!("revoked {}", when.relative(at))),
            (None, Some(at)) => (Tone::Quiet, format!("served until {}", when.both(at))),
            (None, None) => (Tone::Quiet, "-".into()),
        };
        table.row([
            (Tone::Plain, key.kid.clone()),
            (Tone::Plain, key.algorithm.clone()),
            (tone, key.state.clone()),
            (Tone::Quiet, when.relative(&key.created_at)),
            (Tone::Plain, when.both(&key.active_at)),
            end,
        ]);
    }
    table.render(paint)
}

/// Master secrets by id.
pub(crate) fn master_keys(keys: &[MasterKey], when: When, paint: Paint) -> String {
    let mut table = Table::new(&["id", "state", "live sessions", "until", "sealed values"]);
    for key in keys {
        let state = match (key.held, key.current) {
            (false, _) => (Tone::Bad, "MISSING".into()),
            (true, true) => (Tone::Good, "current".into()),
            (true, false) => (Tone::Quiet, "old".into()),
        };
        table.row([
            (Tone::Plain, key.id.to_string()),
            state,
            (Tone::Plain, key.sessions.to_string()),
            (Tone::Quiet, key.until.as_deref().map_or_else(|| "-".into(), |at| when.both(at))),
            (Tone::Plain, key.sealed.to_string()),
        ]);
    }
    table.render(paint)
}

/// API keys.
pub(crate) fn api_keys(keys: &[ApiKey], when: When, paint: Paint) -> String {
    let mut table =
        Table::new(&["id", "ends in", "name", "user", "state", "expires", "last used", "from", "scopes"]);
    for key in keys {
        let state = match key.state.as_str() {
            "live" => (Tone::Good, "live".into()),
            "owner_disabled" => (Tone::Warn, "owner disabled".into()),
            other => (Tone::Quiet, other.into()),
        };
        let used = key.last_used_at.as_deref().map_or_else(|| "never".into(), |at| when.relative(at));
        let from = if key.addresses.is_empty() { "anywhere".into() } else { key.addresses.join(" ") };
        let lost: Vec<_> = key.scope.iter().filter(|name| !key.effective_scope.contains(*name)).collect();
        let mut scopes =
            if key.effective_scope.is_empty() { "-".into() } else { key.effective_scope.join(" ") };
        for name in lost {
            scopes.push_str(&format!(" ({name}: not the user's any more)"));
        }
        table.row([
            (Tone::Plain, key.id.clone()),
            (Tone::Plain, key.last4.clone()),
            (Tone::Plain, key.name.clone()),
            (Tone::Plain, key.email.clone()),
            state,
            (Tone::Quiet, when.relative(&key.expires_at)),
            (Tone::Quiet, used),
            (Tone::Plain, from),
            (Tone::Plain, scopes),
        ]);
    }
    table.render(paint)
}
