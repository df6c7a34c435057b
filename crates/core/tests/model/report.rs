//! What a search found: compared with the documentation where all is well, told step by step where a promise is broken.

use std::fmt::Display;

use crate::explore::{Model, explore};

const DOCUMENTATION: &str = include_str!("../../../../docs/model.md");

/// All states keep the promises, and there are as many as the documentation says.
pub(crate) fn holds(name: &str, bounds: impl Display, model: &impl Model) {
    all_hold(name, bounds, std::slice::from_ref(model));
}

/// The same for several starts of one world; states and steps are added up.
pub(crate) fn all_hold(name: &str, bounds: impl Display, models: &[impl Model]) {
    let (mut states, mut steps, mut depth) = (0, 0, 0);
    for model in models {
        let size = match explore(model) {
            Ok(size) => size,
            Err(found) => panic!("{name} ({bounds})\n{}", found.trace),
        };
        states += size.states as u64;
        steps += size.steps;
        depth = depth.max(size.depth);
    }
    let row = format!("| {name} | {bounds} | {} | {} | {depth} |", grouped(states), grouped(steps));
    println!("{row}");
    assert!(DOCUMENTATION.contains(&row), "docs/model.md must say\n{row}");
}

/// Some states break this promise: the fault is one, and the search sees it.
pub(crate) fn fails(promise: &str, bounds: impl Display, model: &impl Model) {
    match explore(model) {
        Ok(size) => panic!("{promise} holds, {size:?} ({bounds})"),
        Err(found) => {
            println!("{}", found.trace);
            assert!(found.promise.starts_with(promise), "{}", found.promise);
        }
    }
}

fn grouped(number: u64) -> String {
    if number < 1000 {
        return number.to_string();
    }
    format!("{} {:03}", grouped(number / 1000), number % 1000)
}
