//! The chain of tokens that renewals make, and the fork where a spent one comes back.

use std::collections::BTreeMap;

use super::{escaped, short, svg};
use crate::report::{Actor, Move, Outcome, Theft};

/// Pixels between a token and the next.
const ROW: usize = 66;
const HEAD: usize = 34;
/// Shares of the width: the user's tokens, the thief's.
const USER: f64 = 25.0;
const THIEF: f64 = 72.0;

struct Token {
    row: usize,
    owner: Actor,
    parent: Option<u32>,
}

/// A spent token that was presented again.
struct Fork {
    token: u32,
    by: Actor,
    answer: String,
    refused: bool,
}

/// `None` where no token was exchanged for another.
pub(in super::super) fn chain(theft: &Theft) -> Option<String> {
    let (tokens, forks) = read(&theft.moves);
    if !tokens.values().any(|token| token.parent.is_some()) {
        return None;
    }
    let rows = tokens.values().map(|token| token.row).max().unwrap_or(0) + 1;
    let fork_top = HEAD + rows * ROW;
    let height = fork_top + forks.len() * 54 + 40;
    let x = |owner: Actor| if owner == Actor::Honest { USER } else { THIEF };
    let y = |token: &Token| HEAD + token.row * ROW + 16;
    let mut out = String::from(
        "<text class=\"who honest\" x=\"25%\" y=\"16\" text-anchor=\"middle\">the user holds</text>\
         <text class=\"who thief\" x=\"72%\" y=\"16\" text-anchor=\"middle\">the thief holds</text>",
    );
    for token in tokens.values() {
        if let Some(parent) = token.parent.and_then(|parent| tokens.get(&parent)) {
            let class = class_of(token.owner);
            let (x1, y1, x2, y2) = (x(parent.owner), y(parent), x(token.owner), y(token));
            out.push_str(&format!(
                "<line class=\"link {class}\" x1=\"{x1}%\" y1=\"{y1}\" x2=\"{x2}%\" y2=\"{y2}\"/>"
            ));
        }
    }
    for (index, fork) in forks.iter().enumerate() {
        let Some(token) = tokens.get(&fork.token) else { continue };
        let (x1, y1, x2, y2) = (x(token.owner), y(token), x(fork.by), fork_top + index * 54 + 14);
        let class = if fork.refused { "refused" } else { "accepted" };
        out.push_str(&format!(
            "<line class=\"back {class}\" x1=\"{x1}%\" y1=\"{y1}\" x2=\"{x2}%\" y2=\"{y2}\"/>"
        ));
        out.push_str(&format!(
            "<circle class=\"mark {}\" cx=\"{x2}%\" cy=\"{y2}\" r=\"11\"/>",
            if fork.refused { "bad" } else { "good" }
        ));
        let sign = if fork.refused { "✕" } else { "✓" };
        out.push_str(&format!(
            "<text class=\"sign\" x=\"{x2}%\" y=\"{}\" text-anchor=\"middle\">{sign}</text>",
            y2 + 4
        ));
        let who = if fork.by == Actor::Honest { "user" } else { "thief" };
        let text = short(&format!("{who} presents token {} again: {}", fork.token, fork.answer), 52);
        out.push_str(&format!(
            "<text class=\"label\" x=\"50%\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            y2 + 30,
            escaped(&text)
        ));
    }
    for (number, token) in &tokens {
        let (cx, cy) = (x(token.owner), y(token));
        out.push_str(&format!(
            "<circle class=\"token {}\" cx=\"{cx}%\" cy=\"{cy}\" r=\"16\"/>",
            class_of(token.owner)
        ));
        out.push_str(&format!(
            "<text class=\"number\" x=\"{cx}%\" y=\"{}\" text-anchor=\"middle\">{number}</text>",
            cy + 5
        ));
    }
    let (class, text) = if theft.caught {
        ("good", "the fork gives the theft away: both are locked out")
    } else {
        ("bad", "nobody notices the fork: both go on")
    };
    out.push_str(&format!(
        "<text class=\"ending {class}\" x=\"50%\" y=\"{}\" text-anchor=\"middle\">{text}</text>",
        height - 10
    ));
    Some(svg(height, "The chain of tokens, and where a spent one came back", &out))
}

const fn class_of(actor: Actor) -> &'static str {
    match actor {
        Actor::Honest => "honest",
        Actor::Thief => "thief",
    }
}

fn read(moves: &[Move]) -> (BTreeMap<u32, Token>, Vec<Fork>) {
    let mut tokens = BTreeMap::<u32, Token>::new();
    let mut forks = Vec::new();
    let mut spent = Vec::new();
    for step in moves {
        if let Some(given) = step.presented {
            let row = tokens.len();
            tokens.entry(given).or_insert(Token { row, owner: Actor::Honest, parent: None });
            // A second successor is a branch of its own.
            let branches = step.received.is_some_and(|got| got != given);
            if spent.contains(&given) && step.outcome != Outcome::Lost && !branches {
                let (answer, refused) = (step.answer.clone(), step.outcome == Outcome::Refused);
                forks.push(Fork { token: given, by: step.actor, answer, refused });
            }
        }
        let Some(got) = step.received.filter(|got| Some(*got) != step.presented) else { continue };
        let row = tokens.len();
        tokens.entry(got).or_insert(Token { row, owner: step.actor, parent: step.presented });
        if let Some(given) = step.presented {
            spent.push(given);
        }
    }
    (tokens, forks)
}
