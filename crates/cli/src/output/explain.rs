//! "Why was I logged out?"

use super::{Paint, Tone, When, event_lines, words};
use crate::admin::protocol::{Event, Explained, Session, State};

/// Names of events that end a session, most telling first.
const ENDINGS: [&str; 5] =
    ["authn_token_reuse", "authn_token_revoked", "authz_admin", "authn_password_change", "user_updated"];

/// A session in words: whose it is, what became of it, and what happened before.
pub(crate) fn explanation(explained: &Explained, when: When, paint: Paint) -> String {
    let Explained { session, events } = explained;
    let mut out = format!("{}\n", headline(session, when, paint));
    if let Some(ending) = ending(session, events) {
        out.push_str(&format!("{}\n", source(ending)));
    }
    out.push('\n');
    let scope = if session.scope.is_empty() { "none".to_owned() } else { session.scope.join(" ") };
    let facts = [
        ("session", session.id.clone()),
        ("user", format!("{} ({})", session.email, session.user_id)),
        ("opened", when.both(&session.created_at)),
        ("proved", format!("{} by {}", when.both(&session.auth_time), session.amr.join(" and "))),
        ("last seen", format!("{} {}", when.both(&session.seen_at), place(session))),
        ("browser", session.user_agent.clone()),
        ("scopes", scope),
        ("rotated", super::count(session.generation.saturating_sub(1) as usize, "time")),
        ("at the latest", format!("until {}", when.both(&session.expires_at))),
    ];
    for (name, value) in facts {
        out.push_str(&format!("  {}{value}\n", paint.text(Tone::Quiet, &format!("{name:<15}"))));
    }
    if !events.is_empty() {
        out.push_str(&format!("\n{}\n", paint.text(Tone::Strong, "What happened, oldest first")));
        out.push_str(&event_lines(events, when, paint));
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out
}

fn headline(session: &Session, when: When, paint: Paint) -> String {
    match (session.state, &session.ended_at, &session.end_reason) {
        (State::Ended | State::Expired, Some(at), Some(reason)) => {
            let verb = if session.state == State::Ended { "ended" } else { "expired" };
            let first = paint.text(Tone::Bad, &format!("This session {verb}"));
            format!("{first} {}, because {}.", when.both(at), words::end(reason))
        }
        _ => {
            let first = paint.text(Tone::Good, "This session is live");
            format!("{first} until {} if nobody uses it.", when.both(&session.idle_expires_at))
        }
    }
}

/// The event that tells who or what ended the session: the last telling one.
fn ending<'e>(session: &Session, events: &'e [Event]) -> Option<&'e Event> {
    if session.state != State::Ended {
        return None;
    }
    ENDINGS.iter().find_map(|name| events.iter().rev().find(|event| event.event == *name))
}

fn source(event: &Event) -> String {
    let from = event.ip.as_ref().map_or_else(
        || "It came from this machine's command line or another node".to_owned(),
        |ip| format!("It came from {ip}"),
    );
    let request = event.request_id.as_ref().map(|id| format!(" in request {id}")).unwrap_or_default();
    format!("{from}{request} (event {}).", event.event)
}

fn place(session: &Session) -> String {
    session.ip.as_ref().map(|ip| format!("from {ip}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_core::domain::time::Timestamp;

    fn ended(reason: &str) -> Explained {
        let session = Session {
            id: "s1".into(),
            user_id: "u1".into(),
            email: "ada@example.com".into(),
            state: State::Ended,
            created_at: "2026-02-10T09:00:00Z".into(),
            seen_at: "2026-02-10T11:50:00Z".into(),
            expires_at: "2026-03-12T09:00:00Z".into(),
            idle_expires_at: "2026-02-17T11:50:00Z".into(),
            auth_time: "2026-02-10T09:00:00Z".into(),
            amr: vec!["pwd".into()],
            scope: vec![],
            ip: Some("198.51.100.7".into()),
            user_agent: "Firefox".into(),
            generation: 12,
            ended_at: Some("2026-02-10T11:57:00Z".into()),
            end_reason: Some(reason.into()),
        };
        Explained { session, events: vec![super::super::events::tests::example()] }
    }

    #[test]
    fn theft_is_told_with_time_address_and_request() {
        let when = When(Timestamp::parse_rfc3339("2026-02-10T12:00:00Z").unwrap());
        insta::assert_snapshot!(explanation(&ended("token_reuse"), when, Paint::NONE), @r"
        This session ended 2026-02-10 11:57:00Z (3 min ago), because a spent refresh token was presented: somebody holds a copy of it, so the session was ended for all holders.
        It came from 203.0.113.5 in request r1 (event authn_token_reuse).

          session        s1
          user           ada@example.com (u1)
          opened         2026-02-10 09:00:00Z (3 h ago)
          proved         2026-02-10 09:00:00Z (3 h ago) by pwd
          last seen      2026-02-10 11:50:00Z (10 min ago) from 198.51.100.7
          browser        Firefox
          scopes         none
          rotated        11 times
          at the latest  until 2026-03-12 09:00:00Z (in 30 d)

        What happened, oldest first
        2026-02-10 11:57:00Z   3 min ago  critical  THEFT: a spent token was presented (spent generation)  user=ada@example.com  from=203.0.113.5  session=s1  request=r1  event=authn_token_reuse
        ");
    }
}
