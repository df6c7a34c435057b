//! What a restore tells: on the screen, as a document, and as an event.

use crate::output::{Paint, Tone, count};
use countersign_adapters::SystemEntropy;
use countersign_core::domain::event::{Event, EventName, Outcome as EventOutcome, clean};
use countersign_core::domain::id::EventId;
use countersign_core::domain::time::Timestamp;
use countersign_core::port::Entropy;
use countersign_store::{EndedSince, Outcome, Plan, Replaced, Restored, RestoredSessions, WhatEndedSince};
use serde_json::{Value, json};
use std::path::Path;

/// What an operator looks through after a restore that could not compare.
const REVIEW: &[(&str, &str)] = &[
    ("countersign signing-key list", "a key that leaked: signing-key retire KID"),
    ("countersign user list", "somebody who was thrown out: user disable EMAIL, or user remove EMAIL"),
    ("countersign api-key list", "a key that was revoked: api-key revoke ID"),
    ("countersign events", "what had happened until the backup was made"),
];

/// The first event of the restored store.
pub(super) fn event(outcome: &Outcome, plan: Plan, at: Timestamp) -> Event {
    let reason = match (&outcome.replaced, plan.since) {
        (Replaced::Nothing, _) => "nothing_replaced",
        (Replaced::Unreadable { .. }, _) => "replaced_store_unreadable",
        (Replaced::Unrelated, _) => "replaced_store_unrelated",
        (Replaced::Compared(_), WhatEndedSince::StaysEnded) => "ended_since_stays_ended",
        (Replaced::Compared(_), WhatEndedSince::LivesAgain) => "ended_since_lives_again",
    };
    let mut detail = format!("{} ended", count(outcome.ended, "session"));
    if let Replaced::Compared(since) = &outcome.replaced {
        let counts: Vec<_> =
            counted(since, plan).into_iter().map(|(what, n)| format!("{what} {n}")).collect();
        detail.push_str(&format!("; ended since the backup: {}", counts.join(", ")));
    }
    Event {
        id: EventId::from_random(SystemEntropy.bytes()),
        at,
        name: EventName::StoreRestored,
        outcome: EventOutcome::Success,
        user: None,
        session: None,
        session_tag: None,
        ip: None,
        request: None,
        reason: reason.into(),
        detail: clean(&detail),
    }
}

/// The counts for the event.
fn counted(since: &EndedSince, plan: Plan) -> Vec<(&'static str, usize)> {
    let EndedSince {
        signing_keys, removed_users, disabled_users, passwords, scopes, api_keys, sessions, ..
    } = since;
    let mut counts = vec![
        ("signing keys", signing_keys.len()),
        ("erased users", removed_users.len()),
        ("disabled users", disabled_users.len()),
        ("passwords", passwords.len()),
        ("scopes", scopes.len()),
        ("API keys", api_keys.len()),
    ];
    if plan.sessions == RestoredSessions::Keep {
        counts.push(("sessions", *sessions));
    }
    counts
}

/// For programs.
pub(super) fn document(restored: &Restored, plan: Plan, to: &Path) -> Value {
    let Outcome { ended, replaced } = &restored.outcome;
    let (word, reason, since) = match replaced {
        Replaced::Nothing => ("nothing", None, None),
        Replaced::Unreadable { reason } => ("unreadable", Some(reason), None),
        Replaced::Unrelated => ("unrelated", None, None),
        Replaced::Compared(since) => ("compared", None, Some(since)),
    };
    let since = since.map(|since| {
        let scopes: Vec<_> =
            since.scopes.iter().map(|(email, scope)| json!({ "email": email, "lost": scope })).collect();
        let api_keys: Vec<_> = since
            .api_keys
            .iter()
            .map(|(id, name, owner)| json!({ "id": id, "name": name, "owner": owner }))
            .collect();
        json!({
            "signing_keys": since.signing_keys,
            "removed_users": since.removed_users,
            "disabled_users": since.disabled_users,
            "passwords": since.passwords,
            "scopes": scopes,
            "api_keys": api_keys,
            "sessions": since.sessions,
        })
    });
    json!({
        "store": to,
        "ended": ended,
        "aside": restored.aside,
        "replaced": word,
        "replaced_unreadable": reason,
        "ended_since": since,
        "stays_ended": plan.since == WhatEndedSince::StaysEnded,
    })
}

/// For a person.
pub(super) fn told(restored: &Restored, plan: Plan, (from, to): (&Path, &Path), paint: Paint) -> Vec<String> {
    let mut lines = vec![format!("{} was put in the place of {}.", from.display(), to.display())];
    lines.push(match plan.sessions {
        RestoredSessions::Keep => "Sessions of the backup live on.".into(),
        RestoredSessions::End { .. } => {
            format!("{} ended: users sign in again.", count(restored.outcome.ended, "session"))
        }
    });
    if let Some(aside) = &restored.aside {
        lines.push(format!("What was there before is in {}.", aside.display()));
    }
    let warn = |text: &str| paint.text(Tone::Warn, text);
    match &restored.outcome.replaced {
        Replaced::Nothing => {
            lines.push(warn(
                "There was no store to compare with: what was ended after the backup was made (retired keys, disabled users, \
                 revoked API keys, changed passwords) lives again.",
            ));
            lines.extend(review(paint));
        }
        Replaced::Unreadable { reason } => {
            lines.push(warn(&format!(
                "The store that was there could not be read ({reason}): what was ended after the backup was made (retired \
                 keys, disabled users, revoked API keys, changed passwords) lives again."
            )));
            lines.extend(review(paint));
        }
        Replaced::Unrelated => {
            lines.push(warn(
                "The store that was there has no signing key in common with the backup, so they were not compared: what was \
                 ended after the backup was made lives again.",
            ));
            lines.extend(review(paint));
        }
        Replaced::Compared(since) => {
            let listed = listed(since, plan);
            let stays = plan.since == WhatEndedSince::StaysEnded;
            if listed.is_empty() {
                lines.push("Nothing that the backup holds had been ended since it was made.".into());
            } else if stays {
                lines.push("Ended after the backup was made, and so it stays:".into());
            } else {
                lines.push(warn("Ended after the backup was made, and lives again, because of --as-it-is:"));
            }
            lines.extend(listed);
        }
    }
    lines
}

/// Whose accounts and which keys, one a line.
fn listed(since: &EndedSince, plan: Plan) -> Vec<String> {
    let line = |what: &str, which: &str| format!("  {what:<12} {which}");
    let mut lines: Vec<String> = Vec::new();
    lines.extend(since.signing_keys.iter().map(|kid| line("signing key", &format!("{kid} retired"))));
    lines.extend(since.removed_users.iter().map(|email| line("user", &format!("{email} erased"))));
    lines.extend(since.disabled_users.iter().map(|email| line("user", &format!("{email} disabled"))));
    lines.extend(since.passwords.iter().map(|email| line("password", &format!("{email} has another since"))));
    lines.extend(since.scopes.iter().map(|(email, scope)| line("scope", &format!("{email} lost {scope}"))));
    lines.extend(
        since
            .api_keys
            .iter()
            .map(|(id, name, owner)| line("API key", &format!("{id} {name:?} of {owner} revoked"))),
    );
    if plan.sessions == RestoredSessions::Keep && since.sessions > 0 {
        lines.push(line("sessions", &format!("{} of the backup", since.sessions)));
    }
    lines
}

fn review(paint: Paint) -> Vec<String> {
    let mut lines = vec!["Look through these before users come back:".to_owned()];
    let row = |(command, what): &(&str, &str)| format!("  {command:<30} {}", paint.text(Tone::Quiet, what));
    lines.extend(REVIEW.iter().map(row));
    lines
}
