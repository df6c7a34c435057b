//! The page holds what it must, and nothing that could act.

use super::*;
use crate::check::Check;
use crate::credential::{Carrier, CredentialKind, Place};
use crate::report::{Actor, Application, BlastRadius, Move, Obtained, Outcome, Stopped, Theft};
use crate::vault::Vault;
use crate::verdict::Evidence;

const READABLE: Check =
    Check::new("token-readable", "script cannot read a token", "ASVS 3.3.4", "Use HttpOnly cookies.");
const LOGOUT: Check =
    Check::new("logout", "a token dies at logout", "ASVS 7.4.1", "Revoke it.").severity(Severity::Medium);

fn step(
    at_ms: u64,
    actor: Actor,
    did: &str,
    tokens: (Option<u32>, Option<u32>),
    outcome: Outcome,
    answer: &str,
) -> Move {
    Move {
        at_ms,
        actor,
        did: did.into(),
        presented: tokens.0,
        received: tokens.1,
        outcome,
        answer: answer.into(),
    }
}

fn theft(caught: bool) -> Theft {
    let last = if caught {
        (Outcome::Refused, "401 refresh_reused", None)
    } else {
        (Outcome::Accepted, "200 OK", Some(3))
    };
    Theft {
        id: "thief-first".into(),
        title: "The thief renews first".into(),
        ending: if caught { "The session ended for both when the user came back." } else { "Both went on." }
            .into(),
        caught,
        moves: vec![
            step(0, Actor::Honest, "signs in", (None, Some(1)), Outcome::Accepted, "200 OK"),
            step(120, Actor::Thief, "renews", (Some(1), Some(2)), Outcome::Accepted, "200 OK"),
            step(12_400, Actor::Honest, "renews", (Some(1), last.2), last.0, last.1),
        ],
    }
}

fn held(name: &str, claimed_s: Option<u64>, noticed: bool) -> Obtained {
    Obtained {
        name: name.into(),
        kind: CredentialKind::Access,
        place: Place::Json { pointer: "/token".into() },
        carrier: Carrier::Header { name: "Authorization".into(), prefix: "Bearer ".into() },
        fingerprint: "0011aabb".into(),
        readable_by_script: true,
        radius: BlastRadius {
            works_for: vec!["reads GET /api/me".into()],
            elsewhere: Some(true),
            claimed_s,
            seen_working_s: Some(2.0),
            after_logout: Some(Stopped { stopped: noticed, seconds: 0.4 }),
            noticed: Some(noticed),
            noticed_after_s: noticed.then_some(12.4),
            worst_s: None,
        },
    }
}

pub(super) fn report(bad: bool) -> Report {
    let vault = Vault::default();
    let finding = |check: &Check, text: &str| {
        let verdict = check.finding(Evidence::new(text).step("opened <b>/</b>").step("read localStorage"));
        Checked::new(check, 12, verdict, &vault)
    };
    let checks = if bad {
        vec![
            finding(&READABLE, "any script can read <script>alert(1)</script>"),
            finding(&LOGOUT, "it still worked"),
        ]
    } else {
        vec![
            Checked::new(&READABLE, 9, Verdict::pass("nothing is there"), &vault),
            finding(&LOGOUT, "it still worked"),
        ]
    };
    Report {
        format: 1,
        tool: "countersign 0.1.0".into(),
        target: "https://app.example.com/".into(),
        started_at: "2026-02-10T12:00:00Z".into(),
        took_ms: 31_000,
        requests: 412,
        active: bad,
        waited: false,
        problem: None,
        application: Some(Application {
            login: "POST /api/login".into(),
            who: "GET /api/me".into(),
            ..Application::default()
        }),
        checks,
        credentials: if bad {
            vec![
                held("access token in the answer body at /token", Some(30 * 86_400), false),
                held("session cookie", None, false),
            ]
        } else {
            vec![held("access cookie", Some(900), true)]
        },
        thefts: vec![theft(!bad)],
    }
}

#[test]
fn everything_is_in_it_and_nothing_runs() {
    let page = render(&report(true), None).unwrap();
    for words in [
        "Stolen now, it works with no known end.",
        "It should be so: script cannot read a token",
        "Use HttpOnly cookies.",
        "ASVS 3.3.4",
        "30 days",
        "no known end",
        "the thief goes on",
        "nobody notices the fork",
        "default-src 'none'",
    ] {
        // What askama escapes is as good.
        assert!(page.contains(words) || page.contains(&words.replace('\'', "&#39;")), "{words}");
    }
    assert!(!page.contains("<script"), "what an application answered stays text");
    assert!(page.contains("&#60;script&#62;") || page.contains("&lt;script&gt;"));
    for way_out in ["http-equiv=\"refresh\"", " src=", " href=", "url(", "@import", "style="] {
        assert!(!page.contains(way_out), "{way_out}");
    }
}

#[test]
fn a_caught_thief_is_shown_as_such() {
    let page = render(&report(false), None).unwrap();
    for words in [
        "15 minutes",
        "the thief is locked out",
        "the fork gives the theft away",
        "A theft was noticed, and ended, 12 seconds after",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains("with no known end"));
}

/// A refresh token whose theft comes to light is worth as much as its owner's absence, and nothing of another credential is said of it.
#[test]
fn what_ends_with_its_owner_says_so() {
    let mut report = report(false);
    let mut refresh = held("refresh (cookie refresh)", Some(30 * 86_400), true);
    refresh.kind = CredentialKind::Refresh;
    refresh.readable_by_script = false;
    report.credentials.push(refresh);
    let page = render(&report, None).unwrap();
    assert!(
        page.contains("Stolen now, it works for up to 15 minutes."),
        "the one that nobody can end is worse"
    );
    report.credentials.remove(0);
    let page = render(&report, None).unwrap();
    assert!(page.contains("Stolen now, it works until its owner is back, or for 30 days."));
    assert!(!page.contains("can read it"), "script cannot");
}

#[test]
fn two_runs_beside_each_other() {
    let (before, after) = (report(true), report(false));
    let page = render(&after, Some(&before)).unwrap();
    assert!(page.contains("1 fixed, 0 new, 1 remain"), "counts");
    assert!(page.contains("badge fixed") && page.contains("badge remains"));
    let back = render(&before, Some(&after)).unwrap();
    assert!(back.contains("0 fixed, 1 new, 1 remain"));
    // What could not be tried again is not called fixed.
    let mut untried = after.clone();
    untried.checks[0].result = Verdict::Error { reason: "gave up".into() };
    assert!(render(&untried, Some(&before)).unwrap().contains("0 fixed, 0 new, 1 remain"));
}

/// A run that could not sign in, and one that found nothing at all.
#[test]
fn empty_reports_say_so() {
    let mut empty = report(false);
    empty.credentials.clear();
    // Much found and nothing held is no good news.
    assert!(render(&empty, None).unwrap().contains("One attack worked."));
    empty.checks.clear();
    empty.thefts.clear();
    assert!(render(&empty, None).unwrap().contains("got hold of nothing"));
    empty.application = None;
    empty.problem = Some("signing in as a@x failed".into());
    let page = render(&empty, None).unwrap();
    assert!(
        page.contains("could not sign in")
            && page.contains("ended early")
            && page.contains("signing in as a@x failed")
    );
}
