//! Events, one line each.

use super::{Paint, Tone, When, words};
use crate::admin::protocol::Event;

/// One line an event: when, what, who, from where, in which request.
pub(crate) fn event_lines(events: &[Event], when: When, paint: Paint) -> String {
    events.iter().map(|event| line(event, when, paint)).collect::<Vec<_>>().join("\n")
}

fn line(event: &Event, when: When, paint: Paint) -> String {
    let tone = match event.severity.as_str() {
        "critical" => Tone::Bad,
        "warn" => Tone::Warn,
        _ => Tone::Plain,
    };
    let what = words::event(&event.event);
    let mut out = format!(
        "{}  {}  {}  {}",
        paint.text(Tone::Quiet, &When::absolute(&event.at)),
        paint.text(Tone::Quiet, &format!("{:>10}", when.relative(&event.at))),
        paint.text(tone, &format!("{:<8}", event.severity)),
        paint.text(tone, &what),
    );
    let reason = event.reason.as_deref().unwrap_or_default().replace('_', " ");
    // "node started (started)" would tell nothing.
    if !reason.is_empty() && !what.ends_with(&reason) {
        out.push_str(&format!(" ({reason})"));
    }
    if let Some(detail) = &event.detail {
        out.push_str(&format!(": {detail}"));
    }
    let facts = [
        ("user", event.email.as_ref().or(event.user.as_ref())),
        ("from", event.ip.as_ref()),
        ("session", event.session.as_ref()),
        ("request", event.request_id.as_ref()),
        ("event", Some(&event.event)),
    ];
    for (name, value) in facts {
        if let Some(value) = value {
            out.push_str(&format!("  {}", paint.text(Tone::Quiet, &format!("{name}={value}"))));
        }
    }
    out
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use countersign_core::domain::time::Timestamp;

    pub(in crate::output) fn example() -> Event {
        Event {
            row: 7,
            id: "e1".into(),
            at: "2026-02-10T11:57:00Z".into(),
            event: "authn_token_reuse".into(),
            severity: "critical".into(),
            outcome: "refused".into(),
            user: Some("u1".into()),
            email: Some("ada@example.com".into()),
            session: Some("s1".into()),
            session_tag: None,
            ip: Some("203.0.113.5".into()),
            request_id: Some("r1".into()),
            reason: Some("spent_generation".into()),
            detail: None,
        }
    }

    #[test]
    fn a_reason_that_says_the_same_is_left_out() {
        let when = When(Timestamp::parse_rfc3339("2026-02-10T12:00:00Z").unwrap());
        let event = Event {
            event: "sys_startup".into(),
            reason: Some("started".into()),
            detail: Some("0.1.0".into()),
            ..example()
        };
        let line = event_lines(&[event], when, Paint::NONE);
        assert!(line.contains("node started: 0.1.0"), "{line}");
    }

    #[test]
    fn a_line_tells_what_who_where_and_which_request() {
        let when = When(Timestamp::parse_rfc3339("2026-02-10T12:00:00Z").unwrap());
        insta::assert_snapshot!(event_lines(&[example()], when, Paint::NONE), @"2026-02-10 11:57:00Z   3 min ago  critical  THEFT: a spent token was presented (spent generation)  user=ada@example.com  from=203.0.113.5  session=s1  request=r1  event=authn_token_reuse");
    }
}
