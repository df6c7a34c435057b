//! Lifetimes (design §4-§6; D15).

use super::quoted;
use crate::config::Settings;
use crate::config::finding::Findings;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

pub(super) fn lint(settings: &Settings, found: &mut Findings) {
    access(settings, found);
    session(settings, found);
    rotation(settings, found);
    keys(settings, found);
}

fn access(settings: &Settings, found: &mut Findings) {
    let ttl = settings.tokens.access_ttl;
    let key = "tokens.access_ttl";
    if ttl < Duration::from_secs(1) {
        found.refuse(
            key,
            quoted(ttl),
            "tokens count whole seconds: this one would be born expired",
            "set 15m",
        );
    } else if ttl > HOUR {
        let message = "a leaked access token stays usable this long where revocation is not asked; 1h is the limit of hardened environments";
        found.harden(
            key,
            quoted(ttl),
            message,
            "set 1h or less; 15m is the default, and front ends do not notice",
        );
    } else if ttl < MINUTE {
        found.warn(
            key,
            quoted(ttl),
            "nearly every request will rotate or ask for a token",
            "set 1m or more; 15m is the default",
        );
    }
    let leeway = settings.tokens.leeway;
    if leeway > MINUTE {
        let message = "an expired token would be accepted for longer than 60 s";
        found.refuse("tokens.leeway", quoted(leeway), message, "set 60s or less, and mend the clocks");
    }
}

fn session(settings: &Settings, found: &mut Findings) {
    let (access, idle, absolute) =
        (settings.tokens.access_ttl, settings.tokens.idle_ttl, settings.tokens.absolute_ttl);
    if idle < access.saturating_mul(2) {
        let message = format!(
            "a session would end between two refreshes: less than twice tokens.access_ttl ({})",
            quoted(access)
        );
        found.refuse(
            "tokens.idle_ttl",
            quoted(idle),
            &message,
            "raise tokens.idle_ttl or lower tokens.access_ttl",
        );
    }
    if idle > absolute {
        let message =
            format!("the idle limit never acts: tokens.absolute_ttl ({}) comes first", quoted(absolute));
        found.warn("tokens.idle_ttl", quoted(idle), &message, "set it below tokens.absolute_ttl");
    }
    let key = "tokens.absolute_ttl";
    if absolute > DAY * 400 {
        let message = "browsers keep no cookie longer than 400 days";
        found.refuse(key, quoted(absolute), message, "set 400d or less; 30d is the default");
    } else if absolute > DAY * 30 {
        let message = "NIST SP 800-63B-4 ends a session after 30 days at every assurance level";
        found.warn(key, quoted(absolute), message, "set 30d or less, or write down why not");
    } else if absolute > DAY || idle > HOUR {
        let value = format!("{} (idle {})", quoted(absolute), quoted(idle));
        let message = "within the session limits of NIST SP 800-63B-4 for AAL1, not for AAL2 (24h, idle 1h)";
        found.note(key, value, message, "nothing, unless you have to meet AAL2");
    } else if absolute > HOUR * 12 || idle > MINUTE * 15 {
        let value = format!("{} (idle {})", quoted(absolute), quoted(idle));
        let message = "within the session limits of NIST SP 800-63B-4 for AAL2, not for AAL3 (12h, idle 15m)";
        found.note(key, value, message, "nothing, unless you have to meet AAL3");
    }
}

fn rotation(settings: &Settings, found: &mut Findings) {
    let grace = settings.rotation.reuse_grace;
    let key = "rotation.reuse_grace";
    let seconds = Duration::from_secs;
    if grace.is_zero() {
        let message = "parallel requests and lost answers may log honest users out";
        found.warn(
            key,
            quoted(grace),
            message,
            "set 10s, unless every client refreshes strictly one at a time",
        );
    } else if grace < seconds(2) || grace > seconds(60) {
        let message = "outside 2s to 60s: shorter logs honest users out, longer lets a thief share a session";
        found.refuse(key, quoted(grace), message, "set 10s, or 0s to turn replays off");
    } else if grace > seconds(10) {
        let message =
            "longer than the default: a thief who acts within this time of the honest client is not seen";
        found.note(
            key,
            quoted(grace),
            message,
            "set 10s, unless your networks really lose answers for longer",
        );
    }
    let staleness = settings.revocation.max_staleness;
    let key = "revocation.max_staleness";
    if staleness < seconds(1) || staleness > seconds(30) {
        // The poll re-reads 60 s: a node must ask the store well before that window has passed.
        let message =
            "outside 1s to 30s: shorter asks the store on each request, longer could miss a revocation";
        found.refuse(key, quoted(staleness), message, "set 5s");
    } else if staleness > seconds(5) {
        let message = "a node cut off from the others accepts revoked sessions this long";
        found.note(key, quoted(staleness), message, "set 5s, unless your bus is slower");
    }
}

fn keys(settings: &Settings, found: &mut Findings) {
    let prepublish = settings.keys.prepublish;
    let key = "keys.prepublish";
    if prepublish < HOUR {
        let message = "verifiers that cache the key set would refuse tokens of a new key";
        found.harden(key, quoted(prepublish), message, "set 24h");
    } else if prepublish < DAY {
        let message = "verifiers that cache the key set for a day would refuse tokens of a new key";
        found.warn(
            key,
            quoted(prepublish),
            message,
            "set 24h, or make sure that every verifier's cache is shorter",
        );
    }
    let key = "keys.rotate_every";
    match settings.keys.rotate_every {
        None => found.warn(
            key,
            String::from("\"none\""),
            "signing keys never change by themselves: one that leaked unnoticed signs for ever",
            "set 30d, or run `countersign signing-key rotate` on a schedule of your own",
        ),
        Some(every) if every <= prepublish => found.refuse(
            key,
            quoted(every),
            "the next signing key would have to be published before the active one signs: not more than keys.prepublish",
            "set 30d, or more than keys.prepublish at least",
        ),
        Some(every) if every > DAY * 366 => found.warn(
            key,
            quoted(every),
            "a signing key that leaked unnoticed signs for longer than a year",
            "set 30d: rotation costs nothing, and nobody notices",
        ),
        Some(_) => {}
    }
}
