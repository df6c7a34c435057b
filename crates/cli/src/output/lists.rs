//! Users, sessions and keys as tables.

use super::{Paint, Table, Tone, When};
use crate::admin::protocol::{Key, Session, State, User};

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
    let mut table = Table::new(&["kid", "algorithm", "state", "signs from", "made"]);
    for key in keys {
        let tone = match key.state.as_str() {
            "active" => Tone::Good,
            "revoked" => Tone::Bad,
            "next" => Tone::Accent,
            _ => Tone::Quiet,
        };
        table.row([
            (Tone::Plain, key.kid.clone()),
            (Tone::Plain, key.algorithm.clone()),
            (tone, key.state.clone()),
            (Tone::Plain, when.both(&key.active_at)),
            (Tone::Quiet, when.relative(&key.created_at)),
        ]);
    }
    table.render(paint)
}
