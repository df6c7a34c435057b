//! A theft as a sequence: the user on the left, the thief on the right, the application between them, time going down.

use super::{escaped, short, svg};
use crate::report::{Actor, Move, Outcome, Theft};

/// Pixels of a move.
const ROW: usize = 62;
/// Pixels above the first.
const HEAD: usize = 40;
/// Shares of the width.
const USER: f64 = 8.0;
const APPLICATION: f64 = 50.0;
const THIEF: f64 = 92.0;

/// The picture of one theft.
pub(in super::super) fn timeline(theft: &Theft) -> String {
    let end = HEAD + theft.moves.len() * ROW;
    let height = end + 44;
    let mut out = String::new();
    for (x, name, anchor, class) in [
        (USER, "the user", "start", "honest"),
        (APPLICATION, "the application", "middle", "server"),
        (THIEF, "the thief", "end", "thief"),
    ] {
        let edge = match anchor {
            "start" => 0.0,
            "end" => 100.0,
            _ => x,
        };
        out.push_str(&format!(
            "<text class=\"who {class}\" x=\"{edge}%\" y=\"16\" text-anchor=\"{anchor}\">{name}</text>"
        ));
        out.push_str(&format!(
            "<line class=\"life {class}\" x1=\"{x}%\" x2=\"{x}%\" y1=\"26\" y2=\"{end}\"/>"
        ));
    }
    for (row, step) in theft.moves.iter().enumerate() {
        arrow(&mut out, HEAD + row * ROW + 26, step);
    }
    let (class, sign) = if theft.caught { ("good", "✓") } else { ("bad", "✕") };
    let ending = if theft.caught { "the thief is locked out" } else { "the thief goes on" };
    out.push_str(&format!(
        "<line class=\"end {class}\" x1=\"2%\" x2=\"98%\" y1=\"{}\" y2=\"{}\"/>",
        end + 6,
        end + 6
    ));
    out.push_str(&format!(
        "<text class=\"ending {class}\" x=\"50%\" y=\"{}\" text-anchor=\"middle\">{sign} {ending}</text>",
        end + 30
    ));
    svg(height, &format!("{}: {}", theft.title, theft.ending), &out)
}

fn arrow(out: &mut String, y: usize, step: &Move) {
    let (class, from, anchor) = match step.actor {
        Actor::Honest => ("honest", USER, "start"),
        Actor::Thief => ("thief", THIEF, "end"),
    };
    let (outcome, mark) = match step.outcome {
        Outcome::Accepted => ("good", "✓"),
        Outcome::Refused => ("bad", "✕"),
        Outcome::Lost => ("lost", "…"),
    };
    // What is bad for a thief is good for everybody else, but the mark says only what the application did.
    let label = match (step.presented, step.received) {
        (Some(given), Some(got)) if given != got => format!("{} (token {given} → {got})", step.did),
        (Some(given), _) => format!("{} (token {given})", step.did),
        (None, Some(got)) => format!("{} (gets token {got})", step.did),
        (None, None) => step.did.clone(),
    };
    let text_x = if step.actor == Actor::Honest { from + 2.0 } else { from - 2.0 };
    let to =
        if step.outcome == Outcome::Lost { APPLICATION + (from - APPLICATION) * 0.25 } else { APPLICATION };
    out.push_str(&format!("<circle class=\"dot {class}\" cx=\"{from}%\" cy=\"{y}\" r=\"5\"/>"));
    out.push_str(&format!(
        "<line class=\"move {class} {outcome}\" x1=\"{from}%\" x2=\"{to:.1}%\" y1=\"{y}\" y2=\"{y}\"/>"
    ));
    out.push_str(&format!("<circle class=\"mark {outcome}\" cx=\"{to:.1}%\" cy=\"{y}\" r=\"9\"/>"));
    out.push_str(&format!(
        "<text class=\"sign\" x=\"{to:.1}%\" y=\"{}\" text-anchor=\"middle\">{mark}</text>",
        y + 4
    ));
    out.push_str(&format!(
        "<text class=\"label\" x=\"{text_x}%\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>",
        y - 8,
        escaped(&short(&label, 48))
    ));
    let time = if step.at_ms < 10_000 {
        format!("{:.1} s", millis(step.at_ms))
    } else {
        format!("{:.0} s", millis(step.at_ms))
    };
    out.push_str(&format!(
        "<text class=\"said\" x=\"{text_x}%\" y=\"{}\" text-anchor=\"{anchor}\">{time} · {}</text>",
        y + 21,
        escaped(&short(&step.answer, 40))
    ));
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of one run")]
fn millis(ms: u64) -> f64 {
    ms as f64 / 1000.0
}
