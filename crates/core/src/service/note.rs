//! Security events in the log: one structured line each (I05), in the words of the stored event.

use crate::domain::event::{Event, Severity};

/// Logs an event at the level its severity asks for. What has no value is left out: empty text would be a third way to
/// say "none", beside an absent field and `null`.
pub(super) fn log(event: &Event) {
    let (id, name, outcome) = (event.id.as_str(), event.name.as_str(), event.outcome.as_str());
    let user = event.user.as_ref().map(|u| u.as_str());
    let session = event.session.as_ref().map(|s| s.as_str());
    let tag = event.session_tag.as_deref();
    let ip = event.ip.map(|ip| ip.to_string());
    let ip = ip.as_deref();
    let request = event.request.as_ref().map(|r| r.as_str());
    let (reason, detail) = (said(&event.reason), said(&event.detail));
    let severity = event.name.severity().as_str();
    match event.name.severity() {
        Severity::Info => {
            tracing::info!(target: "countersign::event", event = name, id, severity, outcome, user, session, session_tag = tag, ip, request_id = request, reason, detail);
        }
        Severity::Warn => {
            tracing::warn!(target: "countersign::event", event = name, id, severity, outcome, user, session, session_tag = tag, ip, request_id = request, reason, detail);
        }
        Severity::Critical => {
            tracing::error!(target: "countersign::event", event = name, id, severity, outcome, user, session, session_tag = tag, ip, request_id = request, reason, detail);
        }
    }
}

fn said(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}
