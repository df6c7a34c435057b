//! How long each credential works in a thief's hands, from a second to a year.

use super::super::answer::{ends_with_owner, exposure};
use super::super::words::{measured, span};
use super::{escaped, short, svg};
use crate::report::Obtained;

/// Where the scale ends.
const YEAR: f64 = 365.0 * 86_400.0;
const TICKS: [(f64, &str); 6] = [
    (1.0, "1 s"),
    (60.0, "1 min"),
    (3600.0, "1 h"),
    (86_400.0, "1 d"),
    (30.0 * 86_400.0, "30 d"),
    (YEAR, "1 y"),
];
/// Pixels for each credential.
const ROW: usize = 90;
/// Pixels for the scale.
const SCALE: usize = 30;
/// Shares of the width between which the scale lies.
const LEFT: f64 = 1.0;
const WIDE: f64 = 96.0;

/// `None` where there is no credential.
pub(in super::super) fn bars(credentials: &[Obtained]) -> Option<String> {
    if credentials.is_empty() {
        return None;
    }
    let height = SCALE + credentials.len() * ROW;
    let mut out = String::new();
    for (seconds, label) in TICKS {
        let (x, anchor) = (
            at(seconds),
            if seconds >= YEAR {
                "end"
            } else if seconds <= 1.0 {
                "start"
            } else {
                "middle"
            },
        );
        out.push_str(&format!(
            "<line class=\"grid\" x1=\"{x:.1}%\" x2=\"{x:.1}%\" y1=\"{}\" y2=\"{height}\"/>",
            SCALE - 6
        ));
        out.push_str(&format!(
            "<text class=\"tick\" x=\"{x:.1}%\" y=\"16\" text-anchor=\"{anchor}\">{label}</text>"
        ));
    }
    for (row, held) in credentials.iter().enumerate() {
        bar(&mut out, SCALE + row * ROW, held);
    }
    Some(svg(height, "How long each credential works in a thief's hands, on a logarithmic scale", &out))
}

fn at(seconds: f64) -> f64 {
    LEFT + WIDE * (seconds.clamp(1.0, YEAR).ln() / YEAR.ln())
}

#[expect(clippy::cast_precision_loss, reason = "a place on a logarithmic scale")]
fn bar(out: &mut String, top: usize, held: &Obtained) {
    let radius = &held.radius;
    let exposure = exposure(held);
    let dead = radius.works_for.is_empty();
    let (class, width, told) = match exposure {
        _ if dead => ("dead", 0.0, "opened nothing that was tried".to_owned()),
        Some(seconds) if ends_with_owner(held) => {
            ("fair", at(seconds as f64) - LEFT, format!("until its owner is back, or {}", span(seconds)))
        }
        Some(seconds) => {
            let class = match seconds {
                0..=3600 => "good",
                3601..=86_400 => "fair",
                _ => "bad",
            };
            (class, at(seconds as f64) - LEFT, span(seconds))
        }
        None => ("endless", WIDE, "no known end".to_owned()),
    };
    let name = short(&held.name, 46);
    out.push_str(&format!("<text class=\"name\" x=\"{LEFT}%\" y=\"{}\">{}</text>", top + 18, escaped(&name)));
    out.push_str(&format!(
        "<rect class=\"bar {class}\" x=\"{LEFT}%\" y=\"{}\" width=\"{width:.1}%\" height=\"18\" rx=\"4\"/>",
        top + 26
    ));
    // Beside a short bar, inside of a long one.
    let (x, anchor, place) = if width > 55.0 {
        (LEFT + width - 1.0, "end", "inside")
    } else {
        (LEFT + width + 1.0, "start", "beside")
    };
    out.push_str(&format!(
        "<text class=\"value {place}\" x=\"{x:.1}%\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>",
        top + 40,
        escaped(&told)
    ));
    if let (Some(true), Some(seconds), false) = (radius.noticed, radius.noticed_after_s, dead) {
        let x = at(seconds);
        out.push_str(&format!(
            "<line class=\"caught\" x1=\"{x:.1}%\" x2=\"{x:.1}%\" y1=\"{}\" y2=\"{}\"/>",
            top + 22,
            top + 48
        ));
    }
    for (line, note) in notes(held).iter().enumerate() {
        out.push_str(&format!(
            "<text class=\"note\" x=\"{LEFT}%\" y=\"{}\">{}</text>",
            top + 60 + line * 16,
            escaped(note)
        ));
    }
}

/// Two lines at most, each of which fits a telephone.
fn notes(held: &Obtained) -> Vec<String> {
    let radius = &held.radius;
    let mut parts = Vec::new();
    match (radius.noticed, radius.noticed_after_s) {
        (Some(true), Some(seconds)) => parts.push(format!("theft noticed after {}", measured(seconds))),
        (Some(true), None) => parts.push("theft noticed".into()),
        (Some(false), _) => parts.push("theft not noticed".into()),
        (None, _) => {}
    }
    match radius.after_logout {
        Some(stopped) if stopped.stopped => {
            parts.push(format!("dead {} after sign-out", measured(stopped.seconds)))
        }
        Some(_) => parts.push("sign-out does not stop it".into()),
        None => {}
    }
    match radius.elsewhere {
        Some(true) => parts.push("works on another device".into()),
        Some(false) => parts.push("refused on another device".into()),
        None => {}
    }
    let (first, second) = parts.split_at(parts.len().div_ceil(2));
    [first, second]
        .iter()
        .filter(|parts| !parts.is_empty())
        .map(|parts| short(&parts.join(" · "), 52))
        .collect()
}
