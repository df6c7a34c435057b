//! Security events in the log: one structured line each (I05).

use crate::domain::event::{Event, Level};

/// Logs an event at the level its name asks for.
pub(super) fn log(event: &Event) {
    let (name, outcome) = (event.name.as_str(), event.outcome.as_str());
    let user = event.user.as_ref().map_or("", |u| u.as_str());
    let session = event.session.as_ref().map_or("", |s| s.as_str());
    let tag = event.session_tag.as_deref().unwrap_or_default();
    let ip = event.ip.map(|ip| ip.to_string()).unwrap_or_default();
    let request = event.request.as_ref().map_or("", |r| r.as_str());
    let (reason, detail) = (&*event.reason, &*event.detail);
    let level = event.name.level().as_str();
    match event.name.level() {
        Level::Info => {
            tracing::info!(target: "countersign::event", event = name, severity = level, outcome, user, session, session_tag = tag, ip, request_id = request, reason, detail);
        }
        Level::Warn => {
            tracing::warn!(target: "countersign::event", event = name, severity = level, outcome, user, session, session_tag = tag, ip, request_id = request, reason, detail);
        }
        Level::Critical => {
            tracing::error!(target: "countersign::event", event = name, severity = level, outcome, user, session, session_tag = tag, ip, request_id = request, reason, detail);
        }
    }
}
