//! The one sentence that the whole report is about: if a token leaked right now, how much damage could it do?

use super::words::{measured, span};
use crate::credential::CredentialKind;
use crate::report::{Obtained, Report};
use crate::verdict::Severity;

/// The answer, and how bad it is.
pub(super) struct Answer {
    /// In a few words.
    pub(super) headline: String,
    /// What it rests on.
    pub(super) detail: String,
    /// `good`, `fair`, `bad`: for the colour, never alone.
    pub(super) tone: &'static str,
}

/// How long one credential is good for in a thief's hands; `None` if no end is known.
pub(super) fn exposure(obtained: &Obtained) -> Option<u64> {
    obtained.radius.worst_s.or(obtained.radius.claimed_s)
}

/// Whether a thief who renews it loses everything as soon as its owner comes.
pub(super) fn ends_with_owner(obtained: &Obtained) -> bool {
    obtained.kind == CredentialKind::Refresh && obtained.radius.noticed == Some(true)
}

impl Answer {
    pub(super) fn of(report: &Report) -> Self {
        let usable: Vec<&Obtained> =
            report.credentials.iter().filter(|held| !held.radius.works_for.is_empty()).collect();
        let tone = match report.worst() {
            None | Some(Severity::Info) => "good",
            Some(Severity::Low | Severity::Medium) => "fair",
            Some(Severity::High | Severity::Critical) => "bad",
        };
        if report.application.is_none() {
            return Self {
                headline: "The drill could not sign in, so most of it was not tried.".into(),
                detail: "What follows needs no account. Give it a login that works, or write a profile, and run it again.".into(),
                tone: if tone == "good" { "fair" } else { tone },
            };
        }
        // A theft that comes to light is over when the owner is back, whatever the token says of itself.
        let weight = |held: &&&Obtained| (!ends_with_owner(held), exposure(held).unwrap_or(u64::MAX));
        let Some(worst) = usable.iter().max_by_key(weight) else {
            // A run of some checks only may find much and hold nothing: it must not sound like good news.
            if let (true, Some(worst)) = (report.credentials.is_empty(), report.findings().first()) {
                let count = report.findings().len();
                let attacks = if count == 1 {
                    "One attack worked.".to_owned()
                } else {
                    format!("{count} attacks worked.")
                };
                return Self {
                    headline: attacks,
                    detail: format!(
                        "The worst: {}. How long a stolen token works was not measured in this run.",
                        worst.result.sentence()
                    ),
                    tone,
                };
            }
            return Self {
                headline: "The drill got hold of nothing that works in a thief's hands.".into(),
                detail: "No credential that it could take worked anywhere else.".into(),
                tone,
            };
        };
        let headline = match exposure(worst) {
            Some(seconds) if ends_with_owner(worst) => {
                format!("Stolen now, it works until its owner is back, or for {}.", span(seconds))
            }
            Some(seconds) => format!("Stolen now, it works for up to {}.", span(seconds)),
            None => "Stolen now, it works with no known end.".into(),
        };
        Self { headline, detail: detail(worst, &usable), tone }
    }
}

fn detail(worst: &Obtained, usable: &[&Obtained]) -> String {
    let mut sentences = vec![match usable.len() {
        1 => format!("That is the {}.", worst.name),
        count => format!("That is the worst of {count} credentials: the {}.", worst.name),
    }];
    // Of this one only: what holds for another must not be read as said of it.
    if worst.readable_by_script {
        sentences.push("A script in the page can read it.".into());
    } else if usable.iter().any(|held| held.readable_by_script) {
        sentences.push("A script in the page cannot read it, but another one.".into());
    }
    sentences.push(match (worst.radius.noticed, worst.radius.noticed_after_s) {
        (Some(true), Some(seconds)) => {
            format!("A theft was noticed, and ended, {} after both holders had used it.", measured(seconds))
        }
        (Some(true), None) => "A theft was noticed.".into(),
        (Some(false), _) => "Nobody would notice.".into(),
        (None, _) => "Whether anybody would notice was not tried.".into(),
    });
    if let Some(stopped) = worst.radius.after_logout.filter(|stopped| !stopped.stopped) {
        sentences.push(format!(
            "Signing out does not stop it: it still worked {} later.",
            measured(stopped.seconds)
        ));
    }
    sentences.join(" ")
}
