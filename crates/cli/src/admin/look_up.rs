//! From domain values to what goes over the socket.

use super::protocol::{self, Fault, State};
use countersign_core::domain::event::Event;
use countersign_core::domain::id::UserId;
use countersign_core::domain::scope::ScopeSet;
use countersign_core::domain::session::{Held, Liveness};
use countersign_core::domain::user::{Email, User};
use countersign_core::port::Outside;
use countersign_core::service::{Delivery, Engine, Invited};
use std::collections::HashMap;
use zeroize::Zeroizing;

/// A user by address or id, as typed.
pub(super) async fn user<O: Outside>(engine: &Engine<O>, typed: &str) -> Result<User, Fault> {
    let found = if typed.contains('@') {
        engine.find_user(&email(typed)?).await
    } else {
        let id = UserId::parse(typed)
            .ok_or_else(|| Fault::new(format!("{typed:?} is neither an address nor the id of a user")))?;
        engine.user(&id).await
    };
    found.map_err(failed)?.ok_or_else(|| no_user(typed))
}

/// An address as typed.
pub(super) fn email(typed: &str) -> Result<Email, Fault> {
    Email::parse(typed).map_err(|error| Fault::new(format!("{typed:?}: {error}")))
}

/// What to say where there is no such user.
pub(super) fn no_user(typed: &str) -> Fault {
    Fault::new(format!("there is no user {typed:?}; `countersign user list` shows all"))
}

/// Whatever failed below.
pub(super) fn failed(error: impl std::fmt::Display) -> Fault {
    Fault::new(error.to_string())
}

/// A user as shown.
pub(super) fn shown_user(user: &User) -> protocol::User {
    protocol::User {
        id: user.id.to_string(),
        email: user.email.to_string(),
        email_verified: user.email_verified,
        scope: user.scope.iter().map(str::to_owned).collect(),
        has_password: user.password.is_some(),
        created_at: user.created_at.rfc3339(),
        disabled_at: user.disabled_at.map(|at| at.rfc3339()),
    }
}

/// An invitation as shown; the link only where nobody else will hand it over.
pub(super) fn shown_invitation(email: &Email, scope: &ScopeSet, invited: &Invited) -> protocol::Invitation {
    let link = match &invited.delivery {
        Delivery::Mailed => None,
        Delivery::ByOperator(link) => Some(protocol::Link(Zeroizing::new(link.expose().to_owned()))),
    };
    protocol::Invitation {
        email: email.to_string(),
        scope: scope.iter().map(str::to_owned).collect(),
        expires_at: invited.expires_at.rfc3339(),
        mailed: link.is_none(),
        link,
    }
}

/// A session as shown.
pub(super) fn shown_session<O: Outside>(
    engine: &Engine<O>,
    held: &Held,
    liveness: Liveness,
) -> protocol::Session {
    let session = &held.session;
    let (state, ended_at, end_reason) = match liveness {
        Liveness::Live => (State::Live, None, None),
        Liveness::Revoked(ended) => (State::Ended, Some(ended.at), Some(ended.reason.as_str())),
        Liveness::Expired { at } => {
            (State::Expired, Some(at), Some(if at < session.expires_at { "idle" } else { "absolute" }))
        }
    };
    protocol::Session {
        id: session.public_id.to_string(),
        user_id: session.user.to_string(),
        email: held.user.email.to_string(),
        state,
        created_at: session.created_at.rfc3339(),
        seen_at: session.seen_at.rfc3339(),
        expires_at: session.expires_at.rfc3339(),
        idle_expires_at: session.idle_expires_at(&engine.policy().session).rfc3339(),
        auth_time: session.auth_time.rfc3339(),
        amr: session.amr.iter().map(ToString::to_string).collect(),
        scope: session.scope.iter().map(str::to_owned).collect(),
        ip: session.device.ip.map(|ip| ip.to_string()),
        user_agent: session.device.user_agent.to_string(),
        generation: session.rotation.current.0,
        ended_at: ended_at.map(|at| at.rfc3339()),
        end_reason: end_reason.map(str::to_owned),
    }
}

/// Events as shown, with the addresses of users that still exist.
pub(super) async fn shown_events<O: Outside>(
    engine: &Engine<O>,
    events: Vec<(u64, Event)>,
) -> Result<Vec<protocol::Event>, Fault> {
    let mut emails: HashMap<UserId, Option<String>> = HashMap::new();
    let mut shown = Vec::with_capacity(events.len());
    for (row, event) in events {
        let email = match &event.user {
            None => None,
            Some(id) => match emails.get(id) {
                Some(known) => known.clone(),
                None => {
                    let found = engine.user(id).await.map_err(failed)?.map(|user| user.email.to_string());
                    emails.insert(id.clone(), found.clone());
                    found
                }
            },
        };
        shown.push(shown_event(row, &event, email));
    }
    Ok(shown)
}

fn shown_event(row: u64, event: &Event, email: Option<String>) -> protocol::Event {
    protocol::Event {
        row,
        id: event.id.to_string(),
        at: event.at.rfc3339(),
        event: event.name.as_str().to_owned(),
        severity: event.name.severity().as_str().to_owned(),
        outcome: event.outcome.as_str().to_owned(),
        user: event.user.as_ref().map(ToString::to_string),
        email,
        session: event.session.as_ref().map(ToString::to_string),
        session_tag: event.session_tag.as_deref().map(str::to_owned),
        ip: event.ip.map(|ip| ip.to_string()),
        request_id: event.request.as_ref().map(ToString::to_string),
        reason: said(&event.reason),
        detail: said(&event.detail),
    }
}

/// Nothing is `null`, as in every other field.
fn said(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
